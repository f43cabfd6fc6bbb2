package audit_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/database/dbtest"
)

var pgNotes = audit.Table{Name: "note", Type: "note", ID: "id", Plain: []string{"due", "day", "done", "data", "text", "rank", "ref", "short", "num"}, Secret: []string{"point"}}

// pgNotesIn opens a log in an application's own pool of pgx's driver, with
// columns of every type that can be recorded and settings that would change
// how some are shown.
func pgNotesIn(t *testing.T, more ...string) (*sql.DB, *audit.Log) {
	t.Helper()
	handle, err := sql.Open("pgx", dbtest.Postgres(t)+"&timezone=Asia/Tokyo&datestyle=German&bytea_output=escape")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handle.Close() })
	handle.SetMaxOpenConns(3)
	for _, query := range append([]string{`CREATE TABLE note (
		id INTEGER PRIMARY KEY, due TIMESTAMPTZ, day DATE, done BOOLEAN, data BYTEA, text TEXT, rank BIGINT, ref UUID, short VARCHAR(5), num NUMERIC(8, 3),
		point POINT, size INTEGER GENERATED ALWAYS AS (length(text)) STORED, event_id TEXT NOT NULL)`}, more...) {
		if _, err := handle.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	db, err := database.Wrap(t.Context(), handle, database.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := audit.Migrate(t.Context(), db, []audit.Table{pgNotes}); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), db, noteCatalogue, []audit.Table{pgNotes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return handle, l
}

func TestOwnPoolOfPostgres(t *testing.T) {
	_, l := pgNotesIn(t)
	for i, c := range []struct{ column, value, want string }{
		{"due", `'2026-11-01 10:00:00+01'`, `due: "" → "2026-11-01T09:00:00.000000Z"`},
		{"day", `DATE '2026-11-01'`, `day: "" → "2026-11-01"`},
		{"done", `true`, `done: "" → "true"`},
		{"data", `'\x00ff'`, `data: "" → "00FF"`},
		{"text", `E'a\nb<"\u2028'`, "text: \"\" → \"a\\nb<\\\"\\u2028\""},
		{"rank", `9007199254740991`, `rank: "" → "9007199254740991"`},
		{"ref", `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, `ref: "" → "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`},
		{"short", `'abc'`, `short: "" → "abc"`},
		{"num", `2.5`, `num: "" → "2.500"`},
		{"point", `'(1,2)'`, `point secret: "" → ""`},
	} {
		e, err := changeNote(t, l, fmt.Sprint(`INSERT INTO note (event_id, id, `, c.column, `) VALUES ($1, `, i, `, `, c.value, `)`))
		if err != nil {
			t.Errorf("%s: %v", c.column, err)
			continue
		}
		if got := audittest.Changes(e); len(got) != 1 || !strings.HasSuffix(strings.ReplaceAll(got[0], " plain", ""), c.want) {
			t.Errorf("%s: %q, want %q", c.column, got, c.want)
		}
	}
	if _, err := changeNote(t, l, `INSERT INTO note (event_id, id, rank) VALUES ($1, 99, 9007199254740992)`); err == nil || !strings.Contains(err.Error(), "keep it as text") {
		t.Errorf("a number that JSON would change: %v", err)
	}
	audittest.CheckLog(t, l)
}

// Whatever changes a row is seen: an upsert, a trigger of the application, a
// cascade; and none passes without the stamp.
func TestEveryWayOfChangingOnPostgres(t *testing.T) {
	handle, l := pgNotesIn(t,
		`CREATE TABLE wish (note INTEGER, text TEXT)`,
		`CREATE FUNCTION grant_wish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			UPDATE note SET text = NEW.text, event_id = current_setting('onrecord.event') WHERE id = NEW.note; RETURN NULL; END $$`,
		`CREATE TRIGGER wish_granted AFTER INSERT ON wish FOR EACH ROW EXECUTE FUNCTION grant_wish()`,
		`CREATE TABLE folder (short VARCHAR(5) PRIMARY KEY)`,
		`INSERT INTO folder VALUES ('f1')`,
		`ALTER TABLE note ADD FOREIGN KEY (short) REFERENCES folder ON DELETE SET NULL ON UPDATE CASCADE`)
	for _, c := range []struct {
		query string
		want  []string
	}{
		{`INSERT INTO note (event_id, id, text) VALUES ($1, 1, 'x'), ($1, 2, 'y')`, []string{`note 1 text plain: "" → "x"`, `note 2 text plain: "" → "y"`}},
		{`INSERT INTO note (event_id, id, text) VALUES ($1, 1, 'z'), ($1, 3, 'w') ON CONFLICT (id) DO UPDATE SET text = excluded.text, event_id = excluded.event_id`,
			[]string{`note 1 text plain: "x" → "z"`, `note 3 text plain: "" → "w"`}},
		{`INSERT INTO wish SELECT 2, 'granted' WHERE $1::text <> ''`, []string{`note 2 text plain: "y" → "granted"`}},
		{`WITH wanted AS (SELECT 3 AS id) UPDATE note SET event_id = $1, done = true, short = 'f1' WHERE id IN (SELECT id FROM wanted)`,
			[]string{`note 3 done plain: "" → "true"`, `note 3 short plain: "" → "f1"`}},
		{`MERGE INTO note USING (SELECT 3 AS id) AS s ON note.id = s.id WHEN MATCHED THEN UPDATE SET rank = 5, event_id = $1::text`, []string{`note 3 rank plain: "" → "5"`}},
	} {
		e, err := changeNote(t, l, c.query)
		got := audittest.Changes(e)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.query, got, err, c.want)
		}
	}
	for _, query := range []string{
		`INSERT INTO wish VALUES (2, 'behind the back')`,
		`INSERT INTO note (event_id, id) VALUES ('e', 1) ON CONFLICT (id) DO UPDATE SET text = 'v'`,
		`DELETE FROM folder`, `UPDATE folder SET short = 'f2'`,
		`TRUNCATE folder CASCADE`,
	} {
		if _, err := handle.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%s: it was not refused", query)
		}
	}
	audittest.CheckLog(t, l)
}
