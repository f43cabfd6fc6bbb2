package portal_test

import (
	"context"
	"testing"

	"onrecord/audit"
)

var ctx = context.Background()

// refused fails the test unless err has the code, and the field if it is told.
func refused(t *testing.T, err error, code audit.Code, field ...string) {
	t.Helper()
	if audit.CodeOf(err) != code {
		t.Fatalf("the error is %q (%v), not %q", audit.CodeOf(err), err, code)
	}
	if e, ok := err.(*audit.Error); ok && len(field) == 1 && e.Field != field[0] {
		t.Fatalf("the error is about the field %q, not %q: %v", e.Field, field[0], err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
