package e2e

import (
	"os"
	"testing"

	"onrecord/portal/portaltest"
)

func TestMain(m *testing.M) { os.Exit(portaltest.Main(m, nil)) }
