package audit_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

var noteCatalogue = audit.MustCatalogue(
	audit.Action{ID: "note.changed", Label: "Changed note", Group: "Notes", Objects: []string{"note"}, Doc: "A note was written or changed."},
)

var notes = audit.Table{Name: "note", Type: "note", ID: "id", Plain: []string{"due", "done", "data", "text", "rank"}}

// notesIn opens a log in an application's own pool of one connection.
func notesIn(t *testing.T) (*sql.DB, *audit.Log) {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "own.db")+"?_pragma=recursive_triggers(1)")
	if err != nil {
		t.Fatal(err)
	}
	handle.SetMaxOpenConns(1)
	t.Cleanup(func() { handle.Close() })
	_, err = handle.ExecContext(t.Context(), `CREATE TABLE note (
		id TEXT PRIMARY KEY, due DATETIME, done BOOLEAN, data BLOB, text TEXT, rank NUMERIC,
		size INTEGER GENERATED ALWAYS AS (length(text)) VIRTUAL, event_id TEXT NOT NULL)`)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Wrap(t.Context(), handle, database.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := audit.Migrate(t.Context(), db, []audit.Table{notes}); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), db, noteCatalogue, []audit.Table{notes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return handle, l
}

func changeNote(t *testing.T, l *audit.Log, query string, args ...any) (audit.Event, error) {
	t.Helper()
	in := audit.Intent{Log: "desk", Action: "note.changed", Actor: audit.Actor{Type: audit.ActorSystem}}
	id, err := l.Record(t.Context(), in, func(tx *audit.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, append([]any{tx.EventID()}, args...)...)
		return err
	})
	if err != nil {
		return audit.Event{}, err
	}
	e, err := l.Event(t.Context(), "desk", id)
	if err != nil {
		t.Fatal(err)
	}
	return e, nil
}

// TestOwnPool: an application's own handle, of one connection and with columns
// of every declared type, keeps a log that explains every row.
func TestOwnPool(t *testing.T) {
	_, l := notesIn(t)
	for i, c := range []struct {
		column string
		value  any
		want   string
	}{
		{"due", "2026-11-01 10:00:00", `due: "" → "2026-11-01 10:00:00"`},
		{"done", true, `done: "" → "1"`},
		{"data", []byte{0, 255}, `data: "" → "00FF"`},
		{"text", "a\x00b\u2028<", "text: \"\" → \"a\\x00b\\u2028<\""},
		{"rank", int64(1<<53 - 1), `rank: "" → "9007199254740991"`},
	} {
		e, err := changeNote(t, l, `INSERT INTO note (event_id, id, `+c.column+`) VALUES ($1, $2, $3)`, fmt.Sprint("n", i), c.value)
		if err != nil {
			t.Errorf("%s: %v", c.column, err)
			continue
		}
		if got := audittest.Changes(e); len(got) != 1 || !strings.HasSuffix(strings.ReplaceAll(got[0], " plain", ""), c.want) {
			t.Errorf("%s: %q, want %q", c.column, got, c.want)
		}
	}
	e, err := changeNote(t, l, `UPDATE note SET event_id = $1, data = x'' WHERE id = 'n0'`)
	if got := audittest.Changes(e); err != nil || !slices.Equal(got, []string{`note n0 data plain: "" → ""`}) || e.Changes[0].From == e.Changes[0].To {
		t.Errorf("from no bytes to none at all: %q, %v", got, err)
	}
	audittest.CheckLog(t, l)
}

// TestValuesThatCannotBeRecorded: what JSON would change is refused, and the
// row with it.
func TestValuesThatCannotBeRecorded(t *testing.T) {
	handle, l := notesIn(t)
	for _, c := range []struct {
		column string
		value  any
		want   string
	}{
		{"text", "a\xffb", "not valid UTF-8"},
		{"text", []byte("bytes"), "JSON cannot hold BLOB values"},
		{"rank", 1.5, "keep fractions as decimal text"},
		{"rank", "2.50", "keep fractions as decimal text"},
		{"rank", int64(1 << 53), "keep it as text"},
	} {
		_, err := changeNote(t, l, `INSERT INTO note (event_id, id, `+c.column+`) VALUES ($1, 'n', $2)`, c.value)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want it to say %q", c.column, c.value, err, c.want)
		}
	}
	var rows int
	if err := handle.QueryRowContext(t.Context(), `SELECT count(*) FROM note`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
	audittest.CheckLog(t, l)
}

// TestEveryWayOfChanging: whatever changes a row is seen, whether the change's
// own statement names the row or not.
func TestEveryWayOfChanging(t *testing.T) {
	handle, l := notesIn(t)
	for _, query := range []string{
		`PRAGMA foreign_keys = ON`, // the pool has one connection
		`CREATE TABLE folder (id TEXT PRIMARY KEY, label TEXT)`,
		`INSERT INTO folder VALUES ('f1', 'red'), ('f2', 'blue')`,
		`CREATE TABLE wish (note TEXT, text TEXT)`,
		`CREATE TRIGGER wish_granted AFTER INSERT ON wish BEGIN
			UPDATE note SET text = NEW.text, event_id = (SELECT event FROM audit_open WHERE seq = 0) WHERE id = NEW.note; END`,
	} {
		if _, err := handle.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{`INSERT INTO note (event_id, id, text) VALUES ($1, 'a', 'x'), ($1, 'b', 'y')`, []string{`note a text plain: "" → "x"`, `note b text plain: "" → "y"`}},
		{`UPDATE note SET event_id = $1, text = folder.label FROM folder WHERE folder.id = 'f1' AND note.id = 'a'`, []string{`note a text plain: "x" → "red"`}},
		{`WITH wanted AS (SELECT 'b' AS id) UPDATE note SET event_id = $1, done = 1 WHERE id IN (SELECT id FROM wanted)`, []string{`note b done plain: "" → "1"`}},
		{`INSERT INTO wish SELECT 'b', 'granted' WHERE $1 <> ''`, []string{`note b text plain: "y" → "granted"`}},
	} {
		e, err := changeNote(t, l, c.query)
		if got := audittest.Changes(e); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.query, got, err, c.want)
		}
	}
	for _, query := range []string{
		`INSERT INTO wish VALUES ('b', 'behind the back')`,
		`UPDATE note SET text = folder.label FROM folder`,
		`INSERT INTO note (event_id, id) VALUES ('e', 'a') ON CONFLICT DO UPDATE SET text = 'z'`,
		`INSERT OR IGNORE INTO note (event_id, id) VALUES ('e', 'a')`,
	} {
		if _, err := handle.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%s: it was not refused", query)
		}
	}
	audittest.CheckLog(t, l)
}

// TestCascade: a foreign key that would change audited rows by itself cannot.
func TestCascade(t *testing.T) {
	handle, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "own.db")+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	for _, query := range []string{
		`CREATE TABLE folder (id TEXT PRIMARY KEY)`,
		`INSERT INTO folder VALUES ('f1')`,
		`CREATE TABLE note (id TEXT PRIMARY KEY, folder TEXT REFERENCES folder ON DELETE SET NULL ON UPDATE CASCADE, event_id TEXT NOT NULL)`,
	} {
		if _, err := handle.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	db, err := database.Wrap(t.Context(), handle, database.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := []audit.Table{{Name: "note", Type: "note", ID: "id", Plain: []string{"folder"}}}
	if _, err := audit.Migrate(t.Context(), db, tables); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), db, noteCatalogue, tables)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := changeNote(t, l, `INSERT INTO note (event_id, id, folder) VALUES ($1, 'a', 'f1')`); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{`DELETE FROM folder`, `UPDATE folder SET id = 'f2'`} {
		if _, err := handle.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%s: its cascade was not refused", query)
		}
	}
	audittest.CheckLog(t, l)
}
