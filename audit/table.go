package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Table declares an audited table: one whose rows change only while a record
// is open. [Migrate] installs its guard; the guard also collects before and
// after of every write, so nobody composes them by hand.
//
// The table has a column event_id TEXT NOT NULL: the event that last changed
// the row, which every INSERT and UPDATE sets to [Tx.EventID]. Rows are never
// deleted (a deletion is an update that marks the row) and their keys never
// change. On SQLite upserts are refused: they cannot be told from INSERT OR
// REPLACE, which walks past UPDATE and DELETE triggers.
//
// Every other column stands in exactly one of the four lists.
type Table struct {
	Name string // in the database
	Type string // of its rows in events: "user"
	Log  string // the column with the id of the log that explains the row; "" if one log explains the whole table
	ID   string // the column with the row's id

	Plain    []string // recorded in clear for ever: roles, states, numbers, ids
	Personal []string // the values are recorded erasably: names, addresses
	Secret   []string // only the fact of a change is recorded: password hashes
	Digest   []string // a salted digest of the value is recorded: long or sensitive texts
}

// stamp is the column that names the event which last changed a row.
const stamp = "event_id"

// classOf tells how a column is recorded.
func (t Table) classOf(column string) (Class, bool) {
	for class, list := range map[Class][]string{Plain: t.Plain, Personal: t.Personal, Secret: t.Secret, Digest: t.Digest} {
		if slices.Contains(list, column) {
			return class, true
		}
	}
	return "", false
}

// column is what the database says of a column.
type column struct {
	name, kind string
	notNull    bool
}

// check compares the declaration with the table as it is.
func (t Table) check(cols []column, b backend) error {
	if len(cols) == 0 {
		return fmt.Errorf("audited table %s does not exist: migrate it before the engine", t.Name)
	}
	if t.ID == "" || t.Type == "" {
		return fmt.Errorf("audited table %s: the declaration names no id column or no type of object", t.Name)
	}
	declared := map[string]int{t.ID: 1, stamp: 1}
	if t.Log != "" {
		declared[t.Log] = 1
	}
	for _, list := range [][]string{t.Plain, t.Personal, t.Secret, t.Digest} {
		for _, name := range list {
			if declared[name]++; declared[name] > 1 {
				return fmt.Errorf("audited table %s: column %s is declared twice", t.Name, name)
			}
		}
	}
	for _, c := range cols {
		if declared[c.name] == 0 {
			return fmt.Errorf("audited table %s: column %s is not declared: say whether it is plain, personal, secret or a digest", t.Name, c.name)
		}
		delete(declared, c.name)
		if class, _ := t.classOf(c.name); class != Secret {
			if why := b.unfit(c.kind); why != "" {
				return fmt.Errorf("audited table %s: column %s is %s: %s", t.Name, c.name, c.kind, why)
			}
		}
		if c.name == stamp && !c.notNull {
			return fmt.Errorf("audited table %s: column %s must be NOT NULL", t.Name, stamp)
		}
	}
	for name := range declared {
		return fmt.Errorf("audited table %s has no column %s, which its declaration names", t.Name, name)
	}
	return nil
}

// checkKey wants the id, within its log, to be unique.
func (t Table) checkKey(keys [][]string) error {
	for _, key := range keys {
		own := func(c string) bool { return c == t.ID || c == t.Log }
		if !slices.ContainsFunc(key, func(c string) bool { return !own(c) }) {
			return nil
		}
	}
	return fmt.Errorf("audited table %s: no primary or unique key makes %s unique", t.Name, strings.Trim(t.Log+", "+t.ID, ", "))
}
