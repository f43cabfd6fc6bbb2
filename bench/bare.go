package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"onrecord/database"
)

// The bare table is the searchable log that one would build without this
// engine: one row an event, its JSON, a B-tree for each condition, a word
// index.

// bareTable makes it.
func bareTable(d database.Dialect) string {
	if d.Name == database.SQLite.Name {
		return `CREATE TABLE bare_event (n INTEGER PRIMARY KEY, log TEXT NOT NULL, id TEXT NOT NULL, actor TEXT, action TEXT NOT NULL, object TEXT, body BLOB NOT NULL, who BLOB NOT NULL, what BLOB NOT NULL) STRICT`
	}
	return `CREATE TABLE bare_event (n BIGINT PRIMARY KEY, log TEXT NOT NULL, id TEXT NOT NULL, actor TEXT, action TEXT NOT NULL, object TEXT, body BYTEA NOT NULL, who BYTEA NOT NULL, what BYTEA NOT NULL)`
}

var bareIndexes = []string{
	`CREATE INDEX bare_log ON bare_event (log, n)`,
	`CREATE INDEX bare_actor ON bare_event (log, actor, n)`,
	`CREATE INDEX bare_action ON bare_event (log, action, n)`,
	`CREATE INDEX bare_object ON bare_event (log, object, n)`,
	`CREATE INDEX bare_actor_action ON bare_event (log, actor, action, n)`,
}

// jsonOf reads a column of bytes as JSON.
func jsonOf(d database.Dialect, column string) string {
	if d.Name == database.SQLite.Name {
		return column
	}
	return "convert_from(" + column + ", 'UTF8')::jsonb"
}

// bareSelect gives the events of log $1 after place $2 as rows of the table.
func bareSelect(d database.Dialect) string {
	body := jsonOf(d, "e.body")
	part := `(SELECT p.part FROM audit_part p WHERE p.log = e.log AND p.n = e.n AND p.kind = '%s')`
	return `SELECT e.n, e.log, e.id, ` + body + ` -> 'actor' ->> 'id', ` + body + ` ->> 'action', ` + body + ` -> 'object' ->> 'id', e.body, ` +
		fmt.Sprintf(part, "who") + `, ` + fmt.Sprintf(part, "what") + ` FROM audit_event e WHERE e.log = $1 AND e.n > $2 ORDER BY e.n`
}

// bareWords makes the word index.
func bareWords(d database.Dialect) []string {
	who, what := jsonOf(d, "who"), jsonOf(d, "what")
	text := `coalesce(` + who + ` ->> 'name', '') || ' ' || coalesce(` + who + ` ->> 'email', '') || ' ' || coalesce(` + who + ` ->> 'ip', '') || ' ' || coalesce(` + what + ` -> 'object' ->> 'name', '')`
	if d.Name == database.SQLite.Name {
		return []string{
			`CREATE VIRTUAL TABLE bare_word USING fts5 (text, content = '', detail = none, columnsize = 0)`,
			`INSERT INTO bare_word (rowid, text) SELECT n, ` + text + ` FROM bare_event`,
		}
	}
	return []string{
		`ALTER TABLE bare_event ADD COLUMN words tsvector`,
		`UPDATE bare_event SET words = to_tsvector('simple', regexp_replace(` + text + `, '[^[:alnum:]]+', ' ', 'g'))`,
		`CREATE INDEX bare_word ON bare_event USING gin (words)`,
	}
}

// bareRest ends every look-up: the newest 50.
const bareRest = ` ORDER BY n DESC LIMIT 50`

// bareWordQuery finds word $1.
func bareWordQuery(d database.Dialect) string {
	if d.Name == database.SQLite.Name {
		return `WHERE n IN (SELECT rowid FROM bare_word WHERE bare_word MATCH $1 ORDER BY rowid DESC LIMIT 50)`
	}
	return `WHERE words @@ to_tsquery('simple', $1)`
}

// indexedBy tells SQLite, which has no figures of the table, which index is the
// one for the condition.
func indexedBy(d database.Dialect, index string) string {
	if d.Name == database.SQLite.Name {
		return "INDEXED BY " + index + " "
	}
	return ""
}

// bareTwin makes the bare table of a filled log beside it, anew whenever the
// log has grown.
func (r *run) bareTwin(ctx context.Context, c *center) error {
	d := c.db.Dialect()
	if have, err := number(ctx, c.db, `SELECT max(events) FROM bare_made`); err == nil && int(have) >= r.Events {
		return nil
	}
	drop := []string{`DROP TABLE IF EXISTS bare_made`, `DROP TABLE IF EXISTS bare_event`}
	if d.Name == database.SQLite.Name {
		drop = append(drop, `DROP TABLE IF EXISTS bare_word`)
	}
	steps := append([]string{bareTable(d), ""}, bareIndexes...)
	steps = append(steps, bareWords(d)...)
	if err := write(ctx, c.db, drop...); err != nil {
		return err
	}
	for i, step := range steps {
		r.progress("copying into the bare table", i, len(steps))
		err := c.db.Write(ctx, func(tx *database.Tx) error {
			if d.Name != database.SQLite.Name {
				if _, err := tx.ExecContext(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
					return err
				}
			}
			if step == "" {
				_, err := tx.ExecContext(ctx, `INSERT INTO bare_event `+bareSelect(d), c.team, 0)
				return err
			}
			_, err := tx.ExecContext(ctx, step)
			return err
		})
		if err != nil {
			return fmt.Errorf("%.60s …: %w", strings.TrimSpace(step), err)
		}
	}
	return write(ctx, c.db, `ANALYZE bare_event`, `CREATE TABLE bare_made AS SELECT count(*) AS events FROM bare_event`)
}

// bareEvent is what a page needs of an event.
type bareEvent struct {
	ID, Time, Action, Outcome string
	Actor, Object             struct{ Type, ID string }
	Changes                   []struct{ Field, From, To string }
	Session, Request, Via     string
}

// bareSearch reads the newest 50 rows that a condition finds and, with decode,
// the JSON of each. It gives how many there are.
func bareSearch(ctx context.Context, db *database.DB, where string, args []any, decode bool) (int, error) {
	rows, err := db.QueryContext(ctx, `SELECT id, body, who, what FROM bare_event `+where+bareRest, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var id string
		var body, who, what []byte
		if err := rows.Scan(&id, &body, &who, &what); err != nil {
			return n, err
		}
		if !decode {
			continue
		}
		var e bareEvent
		var actor struct{ Name, Email, IP string }
		var rest struct {
			Object struct{ Name string }
			Reason string
		}
		for _, part := range []struct {
			raw  []byte
			into any
		}{{body, &e}, {who, &actor}, {what, &rest}} {
			if err := json.Unmarshal(part.raw, part.into); err != nil {
				return n, err
			}
		}
	}
	return n, rows.Err()
}

// scanAll reads rows and closes them.
func scanAll(rows *sql.Rows) (all [][]any, err error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, rows.Err()
}
