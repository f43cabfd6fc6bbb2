package portaltest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal"
)

// on is the database that fixtures are made on.
var on = database.SQLite.Name

// Databases are all of them, the embedded one first.
var Databases = []string{database.SQLite.Name, database.Postgres.Name}

// Main runs the tests of a package once on each database: their fixtures are
// made there, without a test that says so. The variable TEST_DATABASE (sqlite
// or postgres) chooses one. It is called from TestMain. only names for some
// databases which of the tests run there, as go test -run does, where all of
// them would take too long; whoever names tests gets those.
func Main(m *testing.M, only map[string]string) (status int) {
	flag.Parse()
	if os.Getenv(killed) != "" {
		return m.Run()
	}
	named := flag.Lookup("test.run")
	chosen := os.Getenv(choice)
	all := named.Value.String()
	ran := false
	for _, name := range Databases {
		if chosen != "" && chosen != name {
			continue
		}
		on, ran = name, true
		if all == "" {
			check(named.Value.Set(only[name]))
		}
		if testing.Verbose() {
			fmt.Printf("=== on %s\n", name)
		}
		status = max(status, m.Run())
	}
	if !ran {
		panic(fmt.Sprintf("TEST_DATABASE is %q, and no database: %q", chosen, Databases))
	}
	return status
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// choice is the variable that chooses a database.
const choice = "TEST_DATABASE"

// killed is set in the programs that audittest.Kill kills: they work on the
// database of the test that started them.
const killed = "AUDITTEST_KILL_DSN"

// On names the database that fixtures are made on now.
func On() string { return on }

// DSN names a fresh database with the portal's schema.
func DSN(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(killed); dsn != "" {
		return dsn
	}
	os.Getenv(choice) // here go test notes that the result depends on it
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("this was on %s", on)
		}
	})
	if on == database.Postgres.Name {
		return OnPostgres(t)
	}
	return sqliteDSN(t)
}

// OnPostgres is DSN on PostgreSQL, whatever database others are made on.
func OnPostgres(t testing.TB) string {
	t.Helper()
	return dbtest.PostgresLike(t, "portal", migrate)
}

func sqliteDSN(t testing.TB) string {
	t.Helper()
	dsn := dbtest.SQLite(t)
	if err := migrate(dsn); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// columns asks a database for the columns of its tables.
var columns = map[string]string{
	database.SQLite.Name: `SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY m.name, p.cid`,
	database.Postgres.Name: `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
}

// Columns gives every column of every table.
func Columns(t testing.TB, db *database.DB) map[string][]string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), columns[db.Dialect().Name])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		all[table] = append(all[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func migrate(dsn string) error {
	ctx := context.Background()
	db, err := database.Open(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = portal.Migrate(ctx, db)
	return errors.Join(err, db.Close())
}
