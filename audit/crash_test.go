package audit_test

import (
	"fmt"
	"testing"
	"time"

	"onrecord/audit/audittest"
	"onrecord/database/dbtest"
)

func TestCrash(t *testing.T) {
	dbtest.EachKind(t, func(t *testing.T, fresh func(testing.TB) string) { audittest.Crash(t, fresh, 40, 1) })
}

// Several programs use one database; each dies when it likes.
func TestCrashBeside(t *testing.T) {
	dbtest.EachKind(t, func(t *testing.T, fresh func(testing.TB) string) { audittest.Crash(t, fresh, 15, 3) })
}

func TestCrashAtStart(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			dbtest.EachKind(t, func(t *testing.T, fresh func(testing.TB) string) {
				audittest.CrashAtStart(t, fresh, time.Duration(i+1)*20*time.Millisecond)
			})
		})
	}
}
