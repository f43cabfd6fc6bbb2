package audit_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"onrecord/audit/audittest"
)

func TestCrash(t *testing.T) {
	audittest.Crash(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"), 40, 1)
}

// Several programs use one file; each dies when it likes.
func TestCrashBeside(t *testing.T) {
	audittest.Crash(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"), 15, 3)
}

func TestCrashAtStart(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			audittest.CrashAtStart(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"), time.Duration(i+1)*20*time.Millisecond)
		})
	}
}
