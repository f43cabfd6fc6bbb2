package audit

import (
	"context"
	"fmt"
	"strings"

	"onrecord/database"
)

// The guard of a table is a set of triggers made from its declaration:
//
//   - a write whose stamp is not the open record's event, or whose log is not
//     the open record's log, fails its own statement;
//   - DELETE fails (TRUNCATE as well); a changed key fails; on SQLite, where OR
//     REPLACE fires no UPDATE or DELETE trigger, a row that would replace
//     another fails;
//   - what was written is left where the record collects it: before and after
//     come from the rows themselves.
//
// Whoever owns the database can also drop a trigger. The guard stops mistakes
// and plain SQL; folding the log finds the rest.

// guard is one trigger as it must stand in the database.
type guard struct {
	name, table string
	create      []string
	drop        string // "" if nothing need be dropped before it is made again
	as          string // how the database tells of it
}

func guardName(table, what string) string { return "audit_guard_" + table + "_" + what }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func text(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// installGuards makes the guards in the database equal to those wanted.
func (l *installer) installGuards(ctx context.Context, want map[string]guard) error {
	have, err := l.backend.guardsIn(ctx, l.db)
	if err != nil {
		return err
	}
	same := len(have) == len(want)
	for name, g := range want {
		same = same && have[name].as == g.as
	}
	if same {
		return nil
	}
	err = l.db.Write(ctx, func(tx *database.Tx) error { return l.replaceGuards(ctx, tx, want) })
	if err != nil {
		return fmt.Errorf("installing the guards: %w", err)
	}
	return nil
}

func (l *installer) replaceGuards(ctx context.Context, tx *database.Tx, want map[string]guard) error {
	if err := l.backend.alone(ctx, tx); err != nil {
		return err
	}
	have, err := l.backend.guardsIn(ctx, tx) // another process may do the same
	if err != nil {
		return err
	}
	for name, g := range have {
		if g.as == want[name].as || g.drop == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, g.drop); err != nil {
			return err
		}
	}
	for name, g := range want {
		if have[name].as == g.as {
			continue
		}
		for _, query := range g.create {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// imaging is how a database writes a row as JSON.
type imaging struct {
	object  string                           // the function that makes an object
	differs string                           // the operator that also knows NULL
	value   func(c column, of string) string // of: the column of a row, or the row's side
}

// inserted, before and after are the row as JSON. Of a secret they tell only
// that it is there or that it changed; a digest's text is copied only where it
// changed.
func (m imaging) inserted(t Table, cols []column) string {
	return m.image(t, cols, func(c column, class Class) string {
		if class == Secret {
			return "NEW." + quote(c.name) + " IS NOT NULL"
		}
		return m.of("NEW", c)
	})
}

func (m imaging) before(t Table, cols []column) string {
	return m.image(t, cols, func(c column, class Class) string {
		switch class {
		case Secret:
			return "0"
		case Digest:
			return "CASE WHEN " + m.changed(c.name) + " THEN " + m.of("OLD", c) + " END"
		}
		return m.of("OLD", c)
	})
}

func (m imaging) after(t Table, cols []column) string {
	return m.image(t, cols, func(c column, class Class) string {
		switch class {
		case Secret: // of whatever type: some cannot be compared as they are
			return m.of("NEW", c) + " " + m.differs + " " + m.of("OLD", c)
		case Digest:
			return "CASE WHEN " + m.changed(c.name) + " THEN " + m.of("NEW", c) + " END"
		}
		return m.of("NEW", c)
	})
}

func (m imaging) image(t Table, cols []column, value func(column, Class) string) string {
	var members []string
	for _, c := range cols {
		if class, ok := t.classOf(c.name); ok {
			members = append(members, text(c.name)+", "+value(c, class))
		}
	}
	return m.object + "(" + strings.Join(members, ", ") + ")"
}

func (m imaging) of(side string, c column) string { return m.value(c, side+"."+quote(c.name)) }

func (m imaging) changed(name string) string {
	return "NEW." + quote(name) + " " + m.differs + " OLD." + quote(name)
}

// moved tells that the key of a row changes.
func (m imaging) moved(t Table) string {
	moved := m.changed(t.ID)
	if t.Log != "" {
		moved += " OR " + m.changed(t.Log)
	}
	return moved
}

// The sentences of the guards of an audited table.
const (
	sayStamp  = "a change needs an open record: event_id must be the id of the event being recorded"
	sayLog    = "the row belongs to another log than the open record"
	sayKey    = "the key of a row never changes"
	sayDelete = "rows are never deleted: mark the row as deleted instead"
)

const sayFraction = "keep fractions as decimal text, so that they are recorded exactly"
