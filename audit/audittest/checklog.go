// Package audittest helps to test programs that keep an audit log, and holds
// the suite that every database of the engine must pass.
package audittest

import (
	"testing"

	"onrecord/audit"
)

// CheckLog derives the whole log again from its raw rows and fails the test on
// everything that does not agree ([audit.Log.Check]). It belongs at the end of
// every test that records.
func CheckLog(t testing.TB, l *audit.Log) {
	t.Helper()
	faults, err := l.Check(t.Context())
	if err != nil {
		t.Errorf("checking the log: %v", err)
	}
	for i, f := range faults {
		if i == 20 {
			t.Errorf("and %d more faults", len(faults)-i)
			break
		}
		t.Errorf("the log is wrong: %s", f)
	}
}
