package audit_test

import (
	"testing"

	"onrecord/audit/audittest"
	"onrecord/database/dbtest"
)

func TestSQLite(t *testing.T) { audittest.Suite(t, dbtest.SQLite) }

func TestPostgres(t *testing.T) { audittest.Suite(t, dbtest.Postgres) }
