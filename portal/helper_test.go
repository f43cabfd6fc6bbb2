package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"onrecord/audit"
	"onrecord/portal/portaltest"
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

// columnsWith names every column of every table that holds the word, tables of
// the log's index included.
func columnsWith(t testing.TB, f *portaltest.Fixture, word string) []string {
	t.Helper()
	var found []string
	looked := 0
	for table, columns := range portaltest.Columns(t, f.Look(t)) {
		for _, column := range columns {
			looked++
			var n int
			query := fmt.Sprintf(holding[f.DB.Dialect().Name], table, column)
			if err := f.Look(t).QueryRowContext(ctx, query, []byte(word)).Scan(&n); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			if n > 0 {
				found = append(found, table+"."+column)
			}
		}
	}
	if looked < 50 {
		t.Fatalf("looked at %d columns only", looked)
	}
	return found
}

// holding counts the rows of a table that have some bytes in a column.
var holding = map[string]string{
	"sqlite": `SELECT count(*) FROM "%s" WHERE instr(CAST("%s" AS BLOB), $1) > 0`,
	"postgres": `SELECT count(*) FROM "%s" WHERE position($1 IN
		CASE WHEN pg_typeof("%[2]s") = 'bytea'::regtype THEN "%[2]s"::text::bytea ELSE convert_to("%[2]s"::text, 'UTF8') END) > 0`,
}

// holds tells whether the text stands anywhere in the database: on SQLite in
// its files, on PostgreSQL in its tables.
func holds(t *testing.T, f *portaltest.Fixture, text string) bool {
	t.Helper()
	if f.Path == "" {
		return len(columnsWith(t, f, text)) > 0
	}
	files, err := filepath.Glob(f.Path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("the database's files: %v, %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		check(t, err)
		if bytes.Contains(raw, []byte(text)) {
			return true
		}
	}
	return false
}
