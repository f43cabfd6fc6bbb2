package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"onrecord/database"
)

// flush writes the events of one commit: all of them in a few statements,
// since with many changes in a commit the number of statements is most of the
// cost.
func (l *Log) flush(tx *database.Tx, items []any) error {
	ctx := context.Background()
	all := make([]staged, len(items))
	ids := make([]string, len(items))
	for i, item := range items {
		all[i] = item.(staged)
		ids[i] = all[i].event.ID
	}
	places, err := takePlaces(ctx, tx, ids)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_open (seq) VALUES (0)`); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	var events, parts, index, words, names, unsealed [][]any
	totals := map[[2]string]int64{}
	for i, s := range all {
		n, e := places[i], &s.event
		events = append(events, []any{n, e.Log, e.ID, null(e.actorID()), e.Action, string(e.Outcome), null(e.objectID()), null(e.objectType()), s.sealed.Body})
		parts = append(parts, []any{n, "who", s.sealed.Who.Salt, s.sealed.Who.JSON}, []any{n, "what", s.sealed.What.Salt, s.sealed.What.JSON})
		for _, t := range terms(e) {
			index = append(index, []any{t, n})
		}
		words = append(words, []any{n, logWord(e.Log) + " " + strings.Join(e.words(), " ")})
		for _, name := range l.names.unknown(e) {
			names = append(names, name.rows()...)
		}
		unsealed = append(unsealed, []any{n})
		totals[[2]string{e.Log, e.Action}]++
	}
	slices.SortFunc(index, func(a, b []any) int {
		return compare2(a[0].(int64), b[0].(int64), a[1].(int64), b[1].(int64))
	})
	for _, w := range []struct {
		into string
		rows [][]any
		end  string
	}{
		{"audit_event (n, log, id, actor, action, outcome, object, type, body)", events, ""},
		{"audit_part (n, kind, salt, part)", parts, ""},
		{"audit_index (term, n)", index, " ON CONFLICT DO NOTHING"},
		{"audit_word (rowid, words)", words, ""},
		{"audit_name (log, word, type, id, name)", names, " ON CONFLICT DO NOTHING"},
		{"audit_unsealed (n)", unsealed, ""},
		{"audit_total (log, action, events)", totalRows(totals), " ON CONFLICT (log, action) DO UPDATE SET events = events + excluded.events"},
	} {
		if err := insert(ctx, tx, w.into, w.rows, w.end); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM audit_open`); err != nil {
		return fmt.Errorf("closing the log: %w", err)
	}
	return nil
}

func totalRows(totals map[[2]string]int64) [][]any {
	var rows [][]any
	for key, n := range totals {
		rows = append(rows, []any{key[0], key[1], n})
	}
	return rows
}

func compare2(a1, b1, a2, b2 int64) int {
	switch {
	case a1 != b1 && a1 < b1, a1 == b1 && a2 < b2:
		return -1
	case a1 == b1 && a2 == b2:
		return 0
	}
	return 1
}

// insertSizes are the numbers of rows that one statement takes: a few sizes,
// so that every text is prepared once and used again.
var insertSizes = []int{64, 16, 4, 1}

// insert writes rows in as few statements as the sizes allow.
func insert(ctx context.Context, tx *database.Tx, into string, rows [][]any, end string) error {
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
		if _, err := tx.ExecContext(ctx, insertText(into, len(rows[0]), size, end), args...); err != nil {
			table, _, _ := strings.Cut(into, " ")
			return fmt.Errorf("writing %s: %w", table, err)
		}
		rows = rows[size:]
	}
	return nil
}

var insertTexts sync.Map // of text by its parts: built once, used for ever

func insertText(into string, width, rows int, end string) string {
	key := fmt.Sprint(into, rows)
	if t, ok := insertTexts.Load(key); ok {
		return t.(string)
	}
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	t := "INSERT INTO " + into + " VALUES " + strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ") + end
	insertTexts.Store(key, t)
	return t
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (e *Event) actorID() string {
	if e.Actor == nil {
		return ""
	}
	return e.Actor.ID
}

func (e *Event) objectID() string {
	if e.Object == nil {
		return ""
	}
	return e.Object.ID
}

func (e *Event) objectType() string {
	if e.Object == nil {
		return ""
	}
	return e.Object.Type
}

// texts are what free text looks at: names as they were, changes, reason,
// data, address; never a secret or a digest.
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
	for _, key := range slices.Sorted(maps.Keys(e.Data)) {
		add(e.Data[key])
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

// logWord is a word that every event of a log has and no text can hold, so
// that the one word index never finds another team's events. It has a digit
// in front and a length no tokenised word is cut to.
func logWord(log string) string { return fmt.Sprintf("0log%016x0", uint64(term(log, termLog))) }
