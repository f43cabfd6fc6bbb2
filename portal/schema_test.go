package portal_test

import (
	"slices"
	"testing"

	"onrecord/database"
	"onrecord/portal"
)

// One version of a schema means the same on either database.
func TestSchemasHaveOneVersionOnBothDatabases(t *testing.T) {
	here, there := must(portal.ProgramSchemas(database.SQLite)), must(portal.ProgramSchemas(database.Postgres))
	if len(here) != 2 || !slices.Equal(here, there) {
		t.Errorf("the program's schemas are %+v on SQLite, %+v on PostgreSQL", here, there)
	}
}
