package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// state folds every row's changes along prev and compares the end with the
// row as it stands.
func (c *checker) state(ctx context.Context) error {
	for _, t := range c.log.tables {
		cols, err := c.log.backend.columns(ctx, c.q, t.Name)
		if err != nil {
			return err
		}
		if err := c.table(ctx, t, cols); err != nil {
			return err
		}
	}
	for key := range c.rows {
		c.add(Fault{Log: key.log, Row: key.typ + " " + key.id, What: "the log explains a row that does not exist"})
	}
	return nil
}

func (c *checker) table(ctx context.Context, t Table, cols []column) error {
	names := make([]string, len(cols))
	for i, col := range cols {
		names[i] = c.log.backend.shown(col)
	}
	logs, err := c.logsOf(ctx, t)
	if err != nil {
		return err
	}
	query, args := `SELECT `+strings.Join(names, ", ")+` FROM `+quote(t.Name), []any(nil)
	if t.Log != "" {
		query, args = c.only(query, quote(t.Log))
	}
	rows, err := c.q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]any, len(cols))
		into := make([]any, len(cols))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := make(map[string]Value, len(cols))
		for i, col := range cols {
			v, err := valueOf(values[i])
			if err != nil {
				return fmt.Errorf("table %s, column %s: %w", t.Name, col.name, err)
			}
			row[col.name] = v
		}
		c.row(t, row, logs)
	}
	return rows.Err()
}

// row compares one row with its history. logs are those of [checker.logsOf].
func (c *checker) row(t Table, row map[string]Value, logs map[string]string) {
	id, last := row[t.ID].String(), row[stamp].String()
	key := rowKey{log: row[t.Log].String(), typ: t.Type, id: id}
	if t.Log == "" {
		key.log = logs[last]
	}
	if c.options.Log != "" && key.log != c.options.Log {
		return
	}
	c.found.Rows++
	say := func(format string, args ...any) {
		c.add(Fault{Log: key.log, Row: t.Type + " " + id, What: fmt.Sprintf(format, args...)})
	}
	h := c.rows[key]
	if h == nil {
		say("the log does not explain this row (its last event is said to be %s)", last)
		return
	}
	delete(c.rows, key)
	state, lastly, steps := h.fold()
	if steps != len(h.after) {
		say("%d of the events that changed it are not in the chain of its changes", len(h.after)-steps)
	}
	if lastly != last {
		say("it is stamped with event %s, the last event that changed it is %s", last, lastly)
	}
	for name, present := range row {
		class, ok := t.classOf(name)
		if !ok || class == Secret {
			continue
		}
		said := state[name]
		if want, known := said.expects(class, present); known && want != said.value {
			say("%s is %q; the last event says %q (event %s)", name, show(class, present), said.value.String(), said.event)
		}
	}
}

func show(class Class, v Value) string {
	if class == Plain {
		return v.String()
	}
	return strconv.Itoa(len(v.String())) + " bytes of " + string(class) + " text"
}

// said is what the log last said of a column.
type said struct {
	value  Value
	event  string
	salt   []byte
	erased bool
}

// expects gives what the log must say if the column holds present; known is
// false if that part of the log was erased.
func (s said) expects(class Class, present Value) (want Value, known bool) {
	switch {
	case s.event == "":
		return present, true // the log never spoke of it: it must be empty
	case s.erased:
		return Value{}, false
	}
	if class == Digest && present != (Value{}) {
		if s.salt == nil {
			return Value{}, false
		}
		return stringValue(digest(s.salt, present.String())), true
	}
	return present, true
}

// fold follows the chain from the creation.
func (h *history) fold() (state map[string]said, last string, steps int) {
	state = map[string]said{}
	for s := h.after[""]; s != nil && steps < len(h.after); s = h.after[last] {
		steps++
		last = s.event
		for _, ch := range s.changes {
			if ch.Field != "" {
				state[ch.Field] = said{value: ch.To, event: s.event, salt: s.salt, erased: ch.Class != Plain && s.salt == nil}
			}
		}
	}
	return state, last, steps
}

// logsOf finds the log of each event that a row of the table is stamped with,
// if no column says it. It is read before the rows are: the database may be a
// pool of one connection.
func (c *checker) logsOf(ctx context.Context, t Table) (map[string]string, error) {
	if t.Log != "" {
		return nil, nil
	}
	rows, err := c.q.QueryContext(ctx, `SELECT DISTINCT `+stamp+` FROM `+quote(t.Name))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []string
	for rows.Next() {
		var event string
		if err := rows.Scan(&event); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	logs := map[string]string{}
	for _, event := range events {
		if logs[event], err = c.logOf(ctx, event); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

// logOf finds the log of an event by its id alone.
func (c *checker) logOf(ctx context.Context, event string) (string, error) {
	first, last, err := placesOf(event)
	if err != nil {
		return "", nil // not an id: no log has it, the row is reported as unexplained
	}
	var log string
	err = c.q.QueryRowContext(ctx, `SELECT log FROM audit_event WHERE n BETWEEN $1 AND $2 AND id = $3`, first, last, event).Scan(&log)
	if err == sql.ErrNoRows {
		return "", nil
	}
	return log, err
}
