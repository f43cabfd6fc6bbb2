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

// The guard of a table is a set of triggers made from its declaration:
//
//   - a write whose stamp is not the open record's event, or whose log is not
//     the open record's log, fails its own statement;
//   - DELETE fails; a changed key fails; a row that would replace another
//     (OR REPLACE fires no UPDATE or DELETE trigger) fails;
//   - what was written is left in audit_open, from where the record collects
//     it: before and after come from the rows themselves.
//
// Whoever can write the database file can also drop a trigger. The guard stops
// mistakes and plain SQL; folding the log finds the rest.

// trigger is one trigger as it must stand in the database.
type trigger struct{ name, table, sql string }

func makeTrigger(table, when, what string, body ...string) trigger {
	name := "audit_guard_" + table + "_" + what
	return trigger{name, table, "CREATE TRIGGER " + name + " " + when + " ON " + quote(table) +
		" BEGIN\n  " + strings.Join(body, "\n  ") + "\nEND"}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func text(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

func refuse(message, when string) string {
	return "SELECT RAISE(ABORT, " + text(message) + ") WHERE " + when + ";"
}

// guards gives the triggers of an audited table. keys are its unique keys.
func (t Table) guards(cols []column, keys [][]string) []trigger {
	open := "(SELECT event FROM audit_open WHERE seq = 0)"
	stamped := []string{refuse(
		t.Name+": a change needs an open record: event_id must be the id of the event being recorded",
		"NEW."+stamp+" IS NOT "+open)}
	if t.Log != "" {
		stamped = append(stamped, refuse(
			t.Name+": the row belongs to another log than the open record",
			"NEW."+quote(t.Log)+" IS NOT (SELECT log FROM audit_open WHERE seq = 0)"))
	}
	var insertKeys, updateKeys []string
	for _, key := range keys {
		insertKeys = append(insertKeys, t.replaces(key, ""))
		updateKeys = append(updateKeys, t.replaces(key, " AND NOT ("+t.sameRow("OLD")+")"))
	}
	moved := "NEW." + quote(t.ID) + " IS NOT OLD." + quote(t.ID)
	if t.Log != "" {
		moved += " OR NEW." + quote(t.Log) + " IS NOT OLD." + quote(t.Log)
	}
	return []trigger{
		makeTrigger(t.Name, "BEFORE INSERT", "insert", slices.Concat(stamped, insertKeys)...),
		makeTrigger(t.Name, "BEFORE UPDATE", "update", slices.Concat(stamped,
			[]string{refuse(t.Name+": the key of a row never changes", moved)}, updateKeys)...),
		makeTrigger(t.Name, "BEFORE DELETE", "delete",
			refuse(t.Name+": rows are never deleted: mark the row as deleted instead", "1")),
		makeTrigger(t.Name, "AFTER INSERT", "inserted",
			"INSERT INTO audit_open (tbl, row, new) VALUES ("+text(t.Name)+", NEW."+quote(t.ID)+", "+t.inserted(cols)+");"),
		makeTrigger(t.Name, "AFTER UPDATE", "updated",
			"INSERT INTO audit_open (tbl, row, prev, old, new) VALUES ("+text(t.Name)+", NEW."+quote(t.ID)+", OLD."+stamp+",\n    "+
				t.before(cols)+",\n    "+t.after(cols)+");"),
	}
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

// inserted, before and after are the row as JSON. Of a secret they tell only
// that it is there or that it changed; a digest's text is copied only where it
// changed.
func (t Table) inserted(cols []column) string {
	return t.image(cols, func(c column, class Class) string {
		if class == Secret {
			return "NEW." + quote(c.name) + " IS NOT NULL"
		}
		return c.value("NEW")
	})
}

func (t Table) before(cols []column) string {
	return t.image(cols, func(c column, class Class) string {
		switch class {
		case Secret:
			return "0"
		case Digest:
			return "CASE WHEN " + c.differs() + " THEN " + c.value("OLD") + " END"
		}
		return c.value("OLD")
	})
}

func (t Table) after(cols []column) string {
	return t.image(cols, func(c column, class Class) string {
		switch class {
		case Secret:
			return c.differs()
		case Digest:
			return "CASE WHEN " + c.differs() + " THEN " + c.value("NEW") + " END"
		}
		return c.value("NEW")
	})
}

func (t Table) image(cols []column, value func(column, Class) string) string {
	var members []string
	for _, c := range cols {
		if class, ok := t.classOf(c.name); ok {
			members = append(members, text(c.name)+", "+value(c, class))
		}
	}
	return "json_object(" + strings.Join(members, ", ") + ")"
}

func (c column) differs() string { return "NEW." + quote(c.name) + " IS NOT OLD." + quote(c.name) }

// value is the column as JSON can hold it.
func (c column) value(side string) string { return c.asJSON(side + "." + quote(c.name)) }

// asJSON is a value of the column, given as an expression: bytes stand in hex.
func (c column) asJSON(value string) string {
	if strings.EqualFold(c.kind, "BLOB") {
		return "CASE WHEN " + value + " IS NOT NULL THEN hex(" + value + ") END"
	}
	return value
}

// uniqueKeys reads every unique key of a table, its primary key included. It
// refuses keys that a guard cannot look up.
func uniqueKeys(ctx context.Context, q database.Querier, table string) ([][]string, error) {
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
func engineGuards() []trigger {
	notQueued := "NOT EXISTS (SELECT 1 FROM audit_unsealed WHERE log = NEW.log AND n = NEW.n)"
	notOpen := "NOT EXISTS (SELECT 1 FROM audit_open WHERE seq = 0)"
	// Both ends of the range of places that one microsecond owns: see order.go.
	sameInstant := "n BETWEEN (NEW.n >> 11 << 11) AND (NEW.n | 2047)"
	leaves := "(SELECT coalesce(max(leaf) + 1, 0) FROM audit_leaf WHERE log = NEW.log)"
	never := func(table, when, what, message string) trigger {
		return makeTrigger(table, "BEFORE "+when, what, refuse(table+": "+message, "1"))
	}
	return []trigger{
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
