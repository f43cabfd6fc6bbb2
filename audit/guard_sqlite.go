package audit

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"onrecord/database"
)

func makeTrigger(table, when, what string, body ...string) guard {
	name := guardName(table, what)
	sql := "CREATE TRIGGER " + name + " " + when + " ON " + quote(table) +
		" BEGIN\n  " + strings.Join(body, "\n  ") + "\nEND"
	return guard{name: name, table: table, create: []string{sql}, drop: "DROP TRIGGER " + quote(name), as: sql}
}

func refuse(message, when string) string {
	return "SELECT RAISE(ABORT, " + text(message) + ") WHERE " + when + ";"
}

// tableGuards are the triggers of an audited table. keys are its unique keys.
func (sqliteBackend) tableGuards(t Table, cols []column, keys [][]string) []guard {
	open := "(SELECT event FROM audit_open WHERE seq = 0)"
	stamped := []string{refuse(t.Name+": "+sayStamp, "NEW."+stamp+" IS NOT "+open)}
	if t.Log != "" {
		stamped = append(stamped, refuse(t.Name+": "+sayLog, "NEW."+quote(t.Log)+" IS NOT (SELECT log FROM audit_open WHERE seq = 0)"))
	}
	var insertKeys, updateKeys []string
	for _, key := range keys {
		insertKeys = append(insertKeys, t.replaces(key, ""))
		updateKeys = append(updateKeys, t.replaces(key, " AND NOT ("+t.sameRow("OLD")+")"))
	}
	m := sqliteImaging
	return []guard{
		makeTrigger(t.Name, "BEFORE INSERT", "insert", slices.Concat(stamped, insertKeys)...),
		makeTrigger(t.Name, "BEFORE UPDATE", "update", slices.Concat(stamped, []string{refuse(t.Name+": "+sayKey, m.moved(t))}, updateKeys)...),
		makeTrigger(t.Name, "BEFORE DELETE", "delete", refuse(t.Name+": "+sayDelete, "1")),
		makeTrigger(t.Name, "AFTER INSERT", "inserted",
			"INSERT INTO audit_open (tbl, row, new) VALUES ("+text(t.Name)+", NEW."+quote(t.ID)+", "+m.inserted(t, cols)+");"),
		makeTrigger(t.Name, "AFTER UPDATE", "updated",
			"INSERT INTO audit_open (tbl, row, prev, old, new) VALUES ("+text(t.Name)+", NEW."+quote(t.ID)+", OLD."+stamp+",\n    "+
				m.before(t, cols)+",\n    "+m.after(t, cols)+");"),
	}
}

var sqliteImaging = imaging{object: "json_object", differs: "IS NOT", value: sqliteBackend{}.recorded}

// recorded is a value as JSON can hold it: bytes stand in hex.
func (sqliteBackend) recorded(c column, of string) string {
	if strings.EqualFold(c.kind, "BLOB") {
		return "CASE WHEN " + of + " IS NOT NULL THEN hex(" + of + ") END"
	}
	return of
}

// sameRow compares the key of a row of the table with OLD's or NEW's.
func (t Table) sameRow(side string) string {
	same := quote(t.ID) + " IS " + side + "." + quote(t.ID)
	if t.Log != "" {
		same += " AND " + quote(t.Log) + " IS " + side + "." + quote(t.Log)
	}
	return same
}

// replaces refuses a row whose key another row has already.
func (t Table) replaces(key []string, but string) string {
	var same []string
	for _, c := range key {
		same = append(same, quote(c)+" = NEW."+quote(c))
	}
	return refuse(t.Name+": a row with this "+strings.Join(key, ", ")+" exists already",
		"EXISTS (SELECT 1 FROM "+quote(t.Name)+" WHERE "+strings.Join(same, " AND ")+but+")")
}

// uniqueKeys reads every unique key of a table, its primary key included. It
// refuses keys that a guard cannot look up.
func (sqliteBackend) uniqueKeys(ctx context.Context, q database.Querier, table string) ([][]string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT '', name, 0 FROM pragma_table_info($1) WHERE pk > 0
		UNION ALL
		SELECT i.name, c.name, i.partial FROM pragma_index_list($1) i, pragma_index_info(i.name) c WHERE i."unique" AND i.origin <> 'pk'`, table)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", table, err)
	}
	defer rows.Close()
	byIndex := map[string][]string{}
	for rows.Next() {
		var index string
		var col sql.NullString
		var partial bool
		if err := rows.Scan(&index, &col, &partial); err != nil {
			return nil, fmt.Errorf("reading the keys of %s: %w", table, err)
		}
		if partial || !col.Valid {
			return nil, fmt.Errorf("audited table %s: the unique index %s is partial or on an expression: the guard could not see which row OR REPLACE removes", table, index)
		}
		byIndex[index] = append(byIndex[index], col.String)
	}
	var keys [][]string
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		slices.Sort(byIndex[index])
		keys = append(keys, byIndex[index])
	}
	return keys, rows.Err()
}

// engineGuards protect the engine's own tables: an event enters only through
// the queue of the sealer, leaves the queue only with a leaf, and never changes;
// leaves and checkpoints are only ever added; a part and a name can only be
// erased, while a record of it is open.
func (sqliteBackend) engineGuards() []guard {
	notQueued := "NOT EXISTS (SELECT 1 FROM audit_unsealed WHERE log = NEW.log AND n = NEW.n)"
	notOpen := "NOT EXISTS (SELECT 1 FROM audit_open WHERE seq = 0)"
	// Both ends of the range of places that one microsecond owns: see order.go.
	sameInstant := "n BETWEEN (NEW.n >> 11 << 11) AND (NEW.n | 2047)"
	leaves := "(SELECT coalesce(max(leaf) + 1, 0) FROM audit_leaf WHERE log = NEW.log)"
	never := func(table, when, what, message string) guard {
		return makeTrigger(table, "BEFORE "+when, what, refuse(table+": "+message, "1"))
	}
	return []guard{
		makeTrigger("audit_event", "BEFORE INSERT", "insert",
			refuse("audit_event: an event enters only through the engine", notQueued),
			refuse("audit_event: this event exists already",
				"EXISTS (SELECT 1 FROM audit_event WHERE "+sameInstant+" AND (n = NEW.n OR (id = NEW.id AND log = NEW.log)))")),
		never("audit_event", "UPDATE", "update", "an event never changes"),
		never("audit_event", "DELETE", "delete", "an event is never removed"),
		makeTrigger("audit_part", "BEFORE INSERT", "insert",
			refuse("audit_part: a part enters only with its event", notQueued),
			refuse("audit_part: this part exists already", "EXISTS (SELECT 1 FROM audit_part WHERE n = NEW.n AND kind = NEW.kind)")),
		never("audit_part", "UPDATE", "update", "a part never changes, it can only be erased"),
		makeTrigger("audit_part", "BEFORE DELETE", "delete", refuse("audit_part: erasing needs an open record", notOpen)),
		never("audit_name", "UPDATE", "update", "a name that was borne never changes"),
		makeTrigger("audit_name", "BEFORE DELETE", "delete", refuse("audit_name: erasing needs an open record", notOpen)),
		never("audit_unsealed", "UPDATE", "update", "an event that waits to be sealed never changes"),
		makeTrigger("audit_unsealed", "BEFORE DELETE", "delete",
			refuse("audit_unsealed: an event waits until it is sealed", "NOT EXISTS (SELECT 1 FROM audit_leaf WHERE log = OLD.log AND n = OLD.n)")),
		makeTrigger("audit_leaf", "BEFORE INSERT", "insert",
			refuse("audit_leaf: only an event that waits to be sealed becomes a leaf", notQueued),
			refuse("audit_leaf: this event is a leaf already", "EXISTS (SELECT 1 FROM audit_leaf WHERE n = NEW.n)"),
			refuse("audit_leaf: the leaves of a log are numbered without a gap", "NEW.leaf IS NOT "+leaves)),
		never("audit_leaf", "UPDATE", "update", "a leaf never changes"),
		never("audit_leaf", "DELETE", "delete", "a leaf is never removed"),
		makeTrigger("audit_checkpoint", "BEFORE INSERT", "insert",
			refuse("audit_checkpoint: there is one of this size or larger already", "EXISTS (SELECT 1 FROM audit_checkpoint WHERE log = NEW.log AND size >= NEW.size)"),
			refuse("audit_checkpoint: the log has not so many leaves", "NEW.size > "+leaves)),
		never("audit_checkpoint", "UPDATE", "update", "a checkpoint never changes"),
		never("audit_checkpoint", "DELETE", "delete", "a checkpoint is never removed"),
	}
}

// guardsIn reads the guards that stand in the database.
func (sqliteBackend) guardsIn(ctx context.Context, q database.Querier) (map[string]guard, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit\_guard\_%' ESCAPE '\'`)
	if err != nil {
		return nil, fmt.Errorf("reading the guards: %w", err)
	}
	defer rows.Close()
	have := map[string]guard{}
	for rows.Next() {
		var name, sql string
		if err := rows.Scan(&name, &sql); err != nil {
			return nil, fmt.Errorf("reading the guards: %w", err)
		}
		have[name] = guard{name: name, drop: "DROP TRIGGER " + quote(name), as: sql}
	}
	return have, rows.Err()
}

// alone: a write transaction of SQLite is.
func (sqliteBackend) alone(context.Context, *database.Tx) error { return nil }

// columns reads a table's columns from the database.
func (sqliteBackend) columns(ctx context.Context, q database.Querier, table string) ([]column, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, type, "notnull" FROM pragma_table_info($1) ORDER BY cid`, table)
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", table, err)
	}
	defer rows.Close()
	var all []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.notNull); err != nil {
			return nil, fmt.Errorf("reading the columns of %s: %w", table, err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func (sqliteBackend) unfit(kind string) string {
	if strings.EqualFold(kind, "REAL") {
		return sayFraction
	}
	return ""
}

// shown keeps drivers, by the plus, from reading the declared type into the
// value: dates and truths stay what the database holds.
func (b sqliteBackend) shown(c column) string { return b.recorded(c, "+"+quote(c.name)) }

func (sqliteBackend) firstGuard() string { return "insert" }
