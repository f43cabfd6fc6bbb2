package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"onrecord/database"
)

// naming is one name that an actor or an object bore in a log.
type naming struct{ log, typ, id, name string }

// rows gives the entries of audit_name: the whole name folded, and each word.
func (n naming) rows() [][]any {
	words := Words(n.name)
	var rows [][]any
	for _, w := range distinct(append([]string{fold(n.name)}, words...)...) {
		rows = append(rows, []any{n.log, w, n.typ, n.id, n.name})
	}
	return rows
}

// fold is how names are compared: by their words, or in lower case if they
// have none ("***").
func fold(name string) string {
	if words := Words(name); len(words) > 0 {
		return strings.Join(words, " ")
	}
	return strings.ToLower(strings.TrimSpace(name))
}

// namings gives the names in an event.
func namings(e *Event) []naming {
	var all []naming
	add := func(typ, id, name string) {
		// PostgreSQL keeps no zero byte in a text; no word has one anyway.
		name = strings.ReplaceAll(name, "\x00", "\uFFFD")
		if id != "" && name != "" {
			all = append(all, naming{e.Log, typ, id, name})
		}
	}
	if a := e.Actor; a != nil {
		add(string(a.Type), a.ID, a.Name)
		add(string(a.Type), a.ID, a.Email)
	}
	if o := e.Object; o != nil {
		add(o.Type, o.ID, o.Name)
	}
	for _, r := range e.Related {
		add(r.Type, r.ID, r.Name)
	}
	return all
}

// nameCache remembers names that are in the database for certain, so that the
// usual event writes none. A name is remembered only after its commit.
type nameCache struct {
	mu    sync.Mutex
	known map[naming]struct{} // guarded by mu
}

const maxKnownNames = 50_000

// unknown gives the event's names that may not be in the database yet.
func (c *nameCache) unknown(e *Event) []naming {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []naming
	for _, n := range namings(e) {
		if _, ok := c.known[n]; !ok {
			all = append(all, n)
		}
	}
	return all
}

func (c *nameCache) remember(committed []staged) {
	for i := range committed {
		if len(committed[i].names) > 0 {
			c.add(committed[i].names)
		}
	}
}

func (c *nameCache) add(names []naming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) > maxKnownNames {
		c.known = map[naming]struct{}{}
	}
	for _, n := range names {
		c.known[n] = struct{}{}
	}
}

// NameQuery asks for actors and objects by name.
type NameQuery struct {
	Text  string   // the beginnings of words of a name, in any order; "" for all
	Types []string // of the actor or object; none means any
	Limit int      // 20 unless set
}

// maxNamesWalked bounds how many entries one look-up reads.
const maxNamesWalked = 2_000

// Names gives actors and objects that the log knows, by any name they ever
// bore, deleted ones too; each once, ordered by name. Every word of the text
// must begin a word of the name.
//
// Cost: without a text at most 2,000 entries a type (of a type with more names
// than that it gives some). With one, the range of the key of audit_name that
// begins like its longest word, up to 2,000 entries of the types.
func (l *Log) Names(ctx context.Context, log string, q NameQuery) (_ []Ref, err error) {
	defer func() { err = l.explain(err) }()
	words := Words(q.Text)
	first := longest(words)
	entries := l.namesFrom
	if first == "" && len(q.Types) > 0 {
		entries = l.namesOf
	}
	found, err := entries(ctx, log, first, q.Types)
	if err != nil {
		return nil, fmt.Errorf("looking names up: %w", err)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 20
	}
	var refs []Ref
	seen := map[Ref]bool{}
	for _, r := range found {
		key := Ref{Type: r.Type, ID: r.ID}
		if !seen[key] && beginsAll(r.Name, words) && len(refs) < limit {
			seen[key] = true
			refs = append(refs, r)
		}
	}
	return refs, nil
}

// namesFrom gives entries by the beginning of a word, in the order of words.
func (l *Log) namesFrom(ctx context.Context, log, first string, types []string) ([]Ref, error) {
	args := []any{log, first, first + "\U0010ffff", maxNamesWalked}
	ofType := ""
	if len(types) > 0 {
		var list string
		list, args = valueList(types, args...)
		ofType = ` AND type IN ` + list
	}
	rows, err := l.db.QueryContext(ctx, `
		SELECT type, id, name FROM audit_name
		WHERE log = $1 AND word >= $2 AND word < $3`+ofType+`
		ORDER BY word LIMIT $4`, args...)
	if err != nil {
		return nil, err
	}
	return scanNames(rows)
}

// namesOf gives whatever has a name of these types, ordered by name. It goes
// by the index of types: among the words of many calls those of a few people
// are far between.
func (l *Log) namesOf(ctx context.Context, log, _ string, types []string) ([]Ref, error) {
	var all []Ref
	for _, typ := range types {
		rows, err := l.db.QueryContext(ctx, `SELECT type, id, name FROM audit_name WHERE log = $1 AND type = $2 ORDER BY id LIMIT $3`, log, typ, maxNamesWalked)
		if err != nil {
			return nil, err
		}
		found, err := scanNames(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return byName(all), nil
}

// byName orders names as people look for them, each once.
func byName(all []Ref) []Ref {
	folded := make(map[Ref]string, len(all)) // an entry for each word of a name
	for _, r := range all {
		if _, ok := folded[r]; !ok {
			folded[r] = fold(r.Name)
		}
	}
	return slices.SortedFunc(maps.Keys(folded), func(a, b Ref) int {
		return cmp.Or(strings.Compare(folded[a], folded[b]), strings.Compare(a.ID, b.ID))
	})
}

// longest is the word that is likely to be the rarest, or "".
func longest(words []string) (found string) {
	for _, w := range words {
		if len(w) > len(found) {
			found = w
		}
	}
	return found
}

func beginsAll(name string, words []string) bool {
	have := Words(name)
	for _, w := range words {
		ok := false
		for _, h := range have {
			ok = ok || strings.HasPrefix(h, w)
		}
		if !ok {
			return false
		}
	}
	return true
}

func scanNames(rows interface {
	Next() bool
	Scan(...any) error
	Err() error
	Close() error
}) ([]Ref, error) {
	defer rows.Close()
	var refs []Ref
	for rows.Next() {
		var r Ref
		if err := rows.Scan(&r.Type, &r.ID, &r.Name); err != nil {
			return nil, fmt.Errorf("reading names: %w", err)
		}
		refs = append(refs, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading names: %w", err)
	}
	return refs, nil
}

// idsNamed resolves a value of a filter: everyone who ever bore a name that is
// the value, or that has its words in a row.
func idsNamed(ctx context.Context, q database.Querier, log, value string) ([]string, error) {
	whole, err := bearers(ctx, q, log, fold(value))
	if err != nil {
		return nil, fmt.Errorf("looking %q up: %w", value, err)
	}
	words := Words(value)
	if len(whole) > 0 || len(words) < 2 {
		return idsOf(whole), nil
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // the longest is the rarest
	some, err := bearers(ctx, q, log, words[0])
	if err != nil {
		return nil, fmt.Errorf("looking %q up: %w", value, err)
	}
	return idsOf(slices.DeleteFunc(some, func(r Ref) bool { return !holds([]string{r.Name}, value) })), nil
}

// bearers gives who ever bore a name with this word, or that is it when folded.
func bearers(ctx context.Context, q database.Querier, log, word string) ([]Ref, error) {
	rows, err := q.QueryContext(ctx, `SELECT type, id, name FROM audit_name WHERE log = $1 AND word = $2 LIMIT $3`, log, word, maxNamesWalked)
	if err != nil {
		return nil, err
	}
	return scanNames(rows)
}

func idsOf(refs []Ref) []string {
	ids := []string{}
	for _, r := range refs {
		ids = append(ids, r.ID)
	}
	return distinct(ids...)
}

// renamed tells, for each phrase of a filter's text, who bears or bore a name
// with it but has other names too: their events are found by every name, as it
// was and as it is.
type renamed map[string][]string

func (r renamed) holds(e *Event, phrase string) bool {
	for _, id := range r[phrase] {
		if slices.Contains(e.actors(), id) || slices.Contains(e.objects(), id) {
			return true
		}
	}
	return false
}

// terms are the index terms of those who bear a phrase in one of their names.
func (r renamed) terms(log, phrase string) []term {
	var all []term
	for _, id := range r[phrase] {
		all = append(all, makeTerm(log, termActor, id), makeTerm(log, termObject, id))
	}
	return all
}

// renamed looks at 2,000 names at most: those of a word that even more have in
// common ("call") are found as they were.
func (l *Log) renamed(ctx context.Context, log string, phrases []string) (renamed, error) {
	found := renamed{}
	for _, phrase := range phrases {
		words := Words(phrase)
		if len(words) == 0 {
			continue
		}
		rows, err := l.db.QueryContext(ctx, `
			SELECT a.type, a.id, a.name
			FROM (SELECT log, type, id, name FROM audit_name WHERE log = $1 AND word = $2 LIMIT $3) AS a
			WHERE EXISTS (SELECT 1 FROM audit_name b WHERE b.log = a.log AND b.type = a.type AND b.id = a.id AND b.name <> a.name)`,
			log, longest(words), maxNamesWalked)
		if err != nil {
			return nil, fmt.Errorf("looking names up: %w", err)
		}
		refs, err := scanNames(rows)
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if holds([]string{ref.Name}, phrase) && !slices.Contains(found[phrase], ref.ID) {
				found[phrase] = append(found[phrase], ref.ID)
			}
		}
	}
	return found, nil
}
