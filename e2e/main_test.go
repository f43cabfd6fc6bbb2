package e2e

import (
	"os"
	"testing"

	"onrecord/portal/portaltest"
)

// In the browser the databases do not differ; what has to be there at once
// does.
var only = map[string]string{"postgres": "^(TestEveryActionIsThereAtOnce|TestBlockedAtOnce|TestOneTimeLink|TestLogPage)$"}

func TestMain(m *testing.M) { os.Exit(portaltest.Main(m, only)) }
