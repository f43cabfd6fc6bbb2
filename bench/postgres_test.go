package bench

import (
	"testing"

	"onrecord/database/dbtest"
)

// TestPostgres measures everything once, small.
func TestPostgres(t *testing.T) {
	s := dbtest.StartServer(t)
	seen := map[string]bool{}
	err := Run(t.Context(), Options{
		DSN: s.DSN("postgres"), Events: 400, Rounds: 1, Program: program(t),
		Report: func(row Row) { seen[row.Name] = true; t.Logf("%+v", row) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"change/16", "ingest", "import", "search/actor rarest", "words/common", "page/actor", "size", "memory/working"} {
		if !seen[name] {
			t.Errorf("there is no row %s", name)
		}
	}
	var left int
	if err := s.Admin().QueryRow(`SELECT count(*) FROM pg_database WHERE datname LIKE 'onrecord%'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases are left behind (%v)", left, err)
	}
}
