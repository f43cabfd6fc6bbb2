package audit

import (
	"context"
	"fmt"
	"strings"

	"onrecord/database"
)

// The bits of pg_trigger.tgtype.
const (
	trigRow, trigBefore               = 1, 2
	trigInsert, trigDelete, trigWrite = 4, 8, 16
	trigTruncate                      = 32
)

var pgWhen = map[int]string{
	trigRow | trigInsert | trigWrite:  "AFTER INSERT OR UPDATE ON %s FOR EACH ROW",
	trigRow | trigBefore | trigInsert: "BEFORE INSERT ON %s FOR EACH ROW",
	trigRow | trigBefore | trigWrite:  "BEFORE UPDATE ON %s FOR EACH ROW",
	trigRow | trigBefore | trigDelete: "BEFORE DELETE ON %s FOR EACH ROW",
	trigBefore | trigTruncate:         "BEFORE TRUNCATE ON %s FOR EACH STATEMENT",
}

// pgGuard is a trigger with a function of its own.
func pgGuard(table, what string, when int, body string) guard {
	name := guardName(table, what)
	body = "\n" + body + "\n"
	return guard{
		name: name, table: table, as: pgAs(table, when, "O", "", body),
		create: []string{
			"CREATE OR REPLACE FUNCTION " + quote(name) + "() RETURNS trigger LANGUAGE plpgsql AS $guard$" + body + "$guard$",
			pgTrigger(name, table, when, quote(name)+"()"),
		},
	}
}

// pgNever refuses what never happens.
func pgNever(table, what string, when int, message string) guard {
	name := guardName(table, what)
	return guard{
		name: name, table: table, as: pgAs(table, when, "O", message+`\000`, "audit_refuse"),
		create: []string{pgTrigger(name, table, when, "audit_refuse("+text(message)+")")},
	}
}

func pgTrigger(name, table string, when int, function string) string {
	return "CREATE OR REPLACE TRIGGER " + quote(name) + " " + fmt.Sprintf(pgWhen[when], quote(table)) + " EXECUTE FUNCTION " + function
}

// pgAs is how the catalogue tells of a trigger.
func pgAs(table string, when int, enabled, args, body string) string {
	return fmt.Sprintf("%s %d %s %s %s", table, when, enabled, args, body)
}

// guardsIn reads them with the bodies of their functions.
func (pgBackend) guardsIn(ctx context.Context, q database.Querier) (map[string]guard, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT t.tgname::text, c.relname::text, t.tgtype::int, t.tgenabled::text, encode(t.tgargs, 'escape'),
		       CASE WHEN p.proname LIKE 'audit\_guard\_%' THEN p.prosrc ELSE p.proname::text END
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE NOT t.tgisinternal AND t.tgname LIKE 'audit\_guard\_%' AND s.nspname = current_schema()`)
	if err != nil {
		return nil, fmt.Errorf("reading the guards: %w", err)
	}
	defer rows.Close()
	have := map[string]guard{}
	for rows.Next() {
		var g guard
		var when int
		var enabled, args, body string
		if err := rows.Scan(&g.name, &g.table, &when, &enabled, &args, &body); err != nil {
			return nil, fmt.Errorf("reading the guards: %w", err)
		}
		g.as = pgAs(g.table, when, enabled, args, body)
		g.drop = "DROP TRIGGER " + quote(g.name) + " ON " + quote(g.table)
		have[g.name] = g
	}
	return have, rows.Err()
}

func (pgBackend) firstGuard() string { return "change" }

// Numbers of advisory locks: the program's own, in its own database.
const (
	lockGuards = 0x6f6e7265636f7264 // "onrecord"
	lockSealer = lockGuards + 1
)

func (pgBackend) alone(ctx context.Context, tx *database.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockGuards))
	return err
}

func raise(table, message string) string {
	return "RAISE integrity_constraint_violation USING MESSAGE = " + text(table+": "+message) + ";"
}

// tableGuards: a change is checked after it was made, by one trigger: what it
// refuses fails the statement all the same.
func (pgBackend) tableGuards(t Table, cols []column, _ [][]string) []guard {
	m := pgImaging
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("BEGIN")
	line("IF NEW.%s IS DISTINCT FROM nullif(current_setting('onrecord.event', true), '') THEN", stamp)
	line("  %s", raise(t.Name, sayStamp))
	line("END IF;")
	if t.Log != "" {
		line("IF NEW.%s::text IS DISTINCT FROM current_setting('onrecord.log', true) THEN", quote(t.Log))
		line("  %s", raise(t.Name, sayLog))
		line("END IF;")
	}
	line("IF TG_OP = 'INSERT' THEN")
	line("  PERFORM audit_seen(json_build_array(%s, NEW.%s::text, NULL, NULL, %s)::text);", text(t.Name), quote(t.ID), m.inserted(t, cols))
	line("ELSE")
	line("  IF %s THEN", m.moved(t))
	line("    %s", raise(t.Name, sayKey))
	line("  END IF;")
	line("  PERFORM audit_seen(json_build_array(%s, NEW.%s::text, OLD.%s,\n    %s,\n    %s)::text);", text(t.Name), quote(t.ID), stamp, m.before(t, cols), m.after(t, cols))
	line("END IF;")
	line("RETURN NULL;")
	b.WriteString("END")
	return []guard{
		pgGuard(t.Name, "change", trigRow|trigInsert|trigWrite, b.String()),
		pgNever(t.Name, "delete", trigRow|trigBefore|trigDelete, sayDelete),
		pgNever(t.Name, "truncate", trigBefore|trigTruncate, sayDelete),
	}
}

var pgImaging = imaging{object: "json_build_object", differs: "IS DISTINCT FROM", value: pgBackend{}.recorded}

// pgForms are the types whose values have one form, whatever a session is set
// to: the form in which they are recorded.
var pgForms = map[string]string{
	"text": "%s", "character varying": "%s", "character": "%s",
	"smallint": "%s", "integer": "%s", "bigint": "%s", "boolean": "%s",
	"numeric": "(%s)::text", "uuid": "(%s)::text",
	"bytea":                       "upper(encode(%s, 'hex'))",
	"date":                        "to_char(%s, 'YYYY-MM-DD')",
	"timestamp without time zone": `to_char(%s, 'YYYY-MM-DD"T"HH24:MI:SS.US')`,
	"timestamp with time zone":    `to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
}

// pgKind is a type without its length.
func pgKind(kind string) string {
	before, rest, found := strings.Cut(kind, "(")
	if !found {
		return kind
	}
	_, after, _ := strings.Cut(rest, ")")
	return before + after
}

func (pgBackend) recorded(c column, of string) string {
	form, ok := pgForms[pgKind(c.kind)]
	if !ok { // only a secret's: it is never read
		form = "(%s)::text"
	}
	return fmt.Sprintf(form, of)
}

func (pgBackend) unfit(kind string) string {
	kind = pgKind(kind)
	switch _, ok := pgForms[kind]; {
	case kind == "real" || kind == "double precision":
		return sayFraction
	case !ok:
		return "keep it as text, a whole number, a truth, a time or bytes, so that it is recorded exactly"
	}
	return ""
}

func (b pgBackend) shown(c column) string { return b.recorded(c, quote(c.name)) }

// columns leaves generated ones out: they follow from the others.
func (pgBackend) columns(ctx context.Context, q database.Querier, table string) ([]column, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace s ON s.oid = c.relnamespace
		WHERE c.relname = $1 AND s.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		ORDER BY a.attnum`, table)
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

// uniqueKeys gives the keys that hold for every row. Others do no harm here:
// no statement replaces a row without its guard.
func (pgBackend) uniqueKeys(ctx context.Context, q database.Querier, table string) ([][]string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT string_agg(a.attname, E'\n' ORDER BY a.attname)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace s ON s.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
		WHERE c.relname = $1 AND s.nspname = current_schema() AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
		GROUP BY i.indexrelid ORDER BY i.indexrelid`, table)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of %s: %w", table, err)
	}
	defer rows.Close()
	var keys [][]string
	for rows.Next() {
		var names string
		if err := rows.Scan(&names); err != nil {
			return nil, fmt.Errorf("reading the keys of %s: %w", table, err)
		}
		keys = append(keys, strings.Split(names, "\n"))
	}
	return keys, rows.Err()
}

// engineGuards: see those of SQLite, which say the same. Keys do the rest: no
// event, part, leaf or checkpoint comes twice.
func (pgBackend) engineGuards() []guard {
	const (
		insert, remove = trigRow | trigBefore | trigInsert, trigRow | trigBefore | trigDelete
		update         = trigRow | trigBefore | trigWrite
		truncate       = trigBefore | trigTruncate
	)
	var all []guard
	never := func(table, message string, whens map[string]int) {
		for what, when := range whens {
			all = append(all, pgNever(table, what, when, message))
		}
	}
	on := func(table, what string, when int, body string) { all = append(all, pgGuard(table, what, when, body)) }
	check := func(condition, table, message string) string {
		return "IF " + condition + " THEN\n  " + raise(table, message) + "\nEND IF;\n"
	}
	const result = "RETURN coalesce(NEW, OLD);\nEND"
	notOpen := "coalesce(current_setting('onrecord.event', true), '') = ''"

	// An event enters if the engine named it, once, and stands in the queue.
	on("audit_event", "insert", insert, "DECLARE\n  named TEXT := coalesce(current_setting('onrecord.append', true), '');\nBEGIN\n"+
		check("position('|' || NEW.id || '|' IN named) = 0", "audit_event", "an event enters only through the engine")+
		"PERFORM set_config('onrecord.append', replace(named, '|' || NEW.id || '|', '|'), true),\n"+
		"  set_config('onrecord.placed', coalesce(current_setting('onrecord.placed', true), '') || '|' || NEW.log || '/' || NEW.n || '|', true);\n"+
		"INSERT INTO audit_unsealed (log, n, action) VALUES (NEW.log, NEW.n, convert_from(NEW.body, 'UTF8')::json ->> 'action');\n"+
		result)
	never("audit_event", "an event never changes", map[string]int{"update": update})
	never("audit_event", "an event is never removed", map[string]int{"delete": remove, "truncate": truncate})

	on("audit_part", "insert", insert, "BEGIN\n"+
		check("position('|' || NEW.log || '/' || NEW.n || '|' IN coalesce(current_setting('onrecord.placed', true), '')) = 0", "audit_part", "a part enters only with its event")+result)
	never("audit_part", "a part never changes, it can only be erased", map[string]int{"update": update, "truncate": truncate})
	on("audit_part", "delete", remove, "BEGIN\n"+check(notOpen, "audit_part", "erasing needs an open record")+result)

	never("audit_name", "a name that was borne never changes", map[string]int{"update": update, "truncate": truncate})
	on("audit_name", "delete", remove, "BEGIN\n"+check(notOpen, "audit_name", "erasing needs an open record")+result)

	never("audit_unsealed", "an event that waits to be sealed never changes", map[string]int{"update": update, "truncate": truncate})
	on("audit_unsealed", "delete", remove, "BEGIN\n"+
		check("NOT EXISTS (SELECT 1 FROM audit_leaf WHERE log = OLD.log AND n = OLD.n)", "audit_unsealed", "an event waits until it is sealed")+result)

	on("audit_leaf", "insert", insert, "BEGIN\n"+
		check("NOT EXISTS (SELECT 1 FROM audit_unsealed WHERE log = NEW.log AND n = NEW.n)", "audit_leaf", "only an event that waits to be sealed becomes a leaf")+
		check("NEW.leaf < 0 OR NEW.leaf > 0 AND NOT EXISTS (SELECT 1 FROM audit_leaf WHERE log = NEW.log AND leaf = NEW.leaf - 1)", "audit_leaf", "the leaves of a log are numbered without a gap")+result)
	never("audit_leaf", "a leaf never changes", map[string]int{"update": update})
	never("audit_leaf", "a leaf is never removed", map[string]int{"delete": remove, "truncate": truncate})

	on("audit_checkpoint", "insert", insert, "BEGIN\n"+
		check("EXISTS (SELECT 1 FROM audit_checkpoint WHERE log = NEW.log AND size >= NEW.size)", "audit_checkpoint", "there is one of this size or larger already")+
		check("NEW.size > (SELECT coalesce(max(leaf) + 1, 0) FROM audit_leaf WHERE log = NEW.log)", "audit_checkpoint", "the log has not so many leaves")+result)
	never("audit_checkpoint", "a checkpoint never changes", map[string]int{"update": update})
	never("audit_checkpoint", "a checkpoint is never removed", map[string]int{"delete": remove, "truncate": truncate})
	return all
}
