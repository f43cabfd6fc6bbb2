package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"onrecord/database"
)

// flush writes the events of one commit: as few statements as can be, since
// with many changes in a commit the number of statements is most of the cost.
func (l *Log) flush(tx *database.Tx, items []any) error {
	ctx := context.Background()
	events := make([]*staged, len(items))
	var names [][]any
	for i, item := range items {
		events[i] = item.(*staged)
		for _, name := range events[i].names {
			names = append(names, name.rows()...)
		}
	}
	if err := l.backend.write(ctx, tx, events); err != nil {
		return err
	}
	return insert(tx, "audit_name (log, word, type, id, name)", names, " ON CONFLICT DO NOTHING")
}

// insertSizes are the numbers of rows that one statement takes: a few sizes,
// so that every text is prepared once and used again.
var insertSizes = []int{64, 32, 16, 8, 4, 2, 1}

// insert writes rows in as few statements as the sizes allow. Where the
// database allows it, they go with the next statement of the transaction.
func insert(tx *database.Tx, into string, rows [][]any, end string) error {
	for len(rows) > 0 {
		size := 1
		for _, s := range insertSizes {
			if s <= len(rows) {
				size = s
				break
			}
		}
		args := make([]any, 0, size*len(rows[0]))
		for _, r := range rows[:size] {
			args = append(args, r...)
		}
		if err := tx.Ahead(insertText(into, len(rows[0]), size, end), args...); err != nil {
			table, _, _ := strings.Cut(into, " ")
			return fmt.Errorf("writing %s: %w", table, err)
		}
		rows = rows[size:]
	}
	return nil
}

var insertTexts sync.Map // of text by insertKey: built once, used for ever

type insertKey struct {
	into string
	rows int
}

func insertText(into string, width, rows int, end string) string {
	key := insertKey{into, rows}
	if t, ok := insertTexts.Load(key); ok {
		return t.(string)
	}
	t := "INSERT INTO " + into + " VALUES "
	for n := range width * rows {
		switch {
		case n == 0:
			t += "($"
		case n%width == 0:
			t += "), ($"
		default:
			t += ", $"
		}
		t += strconv.Itoa(n + 1)
	}
	t += ")" + end
	insertTexts.Store(key, t)
	return t
}

func (e *Event) objectType() string {
	if e.Object == nil {
		return ""
	}
	return e.Object.Type
}

// texts are what free text looks at: names as they were, changes, reason,
// address; never a secret or a digest. Data is left out: the reading of a log
// holds the query that was asked, and would be the first to be found by it.
func (e *Event) texts() []string {
	var texts []string
	add := func(all ...string) {
		for _, s := range all {
			if s != "" {
				texts = append(texts, s)
			}
		}
	}
	if e.Actor != nil {
		add(e.Actor.Name, e.Actor.Email)
	}
	add(e.Context.IP, e.Reason, e.Error)
	if e.Object != nil {
		add(e.Object.Name)
	}
	for _, r := range e.Related {
		add(r.Name)
	}
	for _, c := range e.Changes {
		if c.Class == Plain || c.Class == Personal {
			add(c.From.String(), c.To.String())
		}
	}
	return texts
}

// words are the distinct words of the texts.
func (e *Event) words() []string {
	var words []string
	for _, t := range e.texts() {
		words = append(words, Words(t)...)
	}
	return distinct(words...)
}
