package audit

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"onrecord/database"
)

// Page asks for one page of a search.
type Page struct {
	Limit  int    // events, 1 to 1,000; 50 unless set
	Cursor string // Result.Older or Result.Newer of another page of the same filter; "" is the newest page
	Newer  bool   // the cursor is a Result.Newer: the page before it
}

// Result is one page of events, newest first.
type Result struct {
	Events []Event

	// Older and Newer are the cursors of the neighbouring pages, or "".
	Older, Newer string

	// Complete is false when the search stopped early after Walked entries:
	// Older goes on from Reached.
	Complete bool
	Walked   int
	Reached  time.Time

	// Unknown names the filter's actors and objects that this log never saw.
	Unknown []string
}

const (
	defaultLimit = 50
	maxLimit     = 1000
	maxWalked    = 10_000 // entries that one page may look at
	maxStreams   = 64     // terms that one search merges
	probeLimit   = 1_000  // how far two ways to search are compared
)

// Search gives the events of one log that a filter matches, newest first.
//
// Cost: a condition on actor, action, object, type or refused outcome, the
// pairs actor + action, object + actor and object + action, and any set of
// those, are walks along ready-made index terms: as many entries as events on
// the page. Words are a look-up in the word index. Every other combination
// walks the rarest of its terms and looks at no more than 10,000 entries a
// page; then it says how far it came.
func (l *Log) Search(ctx context.Context, log string, f Filter, p Page) (Result, error) {
	if p.Limit == 0 {
		p.Limit = defaultLimit
	}
	if p.Limit < 1 || p.Limit > maxLimit {
		return Result{}, Invalid("limit", "limit %d: a page has 1 to %d events", p.Limit, maxLimit)
	}
	w := &walk{log: l, logID: log, page: p, low: 0, high: math.MaxInt64}
	if err := w.bounds(f); err != nil {
		return Result{}, err
	}
	resolved, unknown, err := l.resolve(ctx, log, f)
	if err != nil {
		return Result{}, err
	}
	w.filter = resolved
	if resolved.impossible {
		return Result{Complete: true, Unknown: unknown}, nil
	}
	if err := w.plan(ctx); err != nil {
		return Result{}, err
	}
	res, err := w.run(ctx, f)
	res.Unknown = unknown
	return res, err
}

// resolved is a filter whose actors and objects are ids.
type resolved struct {
	Filter
	words      []string // of the filter's text, all of which must occur
	renamed    renamed
	impossible bool // an actor or object was asked for that the log never saw
}

// resolve replaces names by the ids of everybody who ever bore them.
func (l *Log) resolve(ctx context.Context, log string, f Filter) (r resolved, unknown []string, err error) {
	r.Filter = f
	for _, v := range []*Values{&r.Actor, &r.Object} {
		asked := len(v.Any) > 0
		var anyUnknown, noneUnknown []string
		if v.Any, anyUnknown, err = l.ids(ctx, log, v.Any); err != nil {
			return r, nil, err
		}
		if v.None, noneUnknown, err = l.ids(ctx, log, v.None); err != nil {
			return r, nil, err
		}
		unknown = append(append(unknown, anyUnknown...), noneUnknown...)
		r.impossible = r.impossible || asked && len(v.Any) == 0
	}
	for _, t := range f.Text.Any {
		r.words = append(r.words, Words(t)...)
	}
	r.words = distinct(r.words...)
	r.renamed, err = l.renamed(ctx, log, f.Text.Any)
	return r, unknown, err
}

func (l *Log) ids(ctx context.Context, log string, values []string) (ids, unknown []string, err error) {
	for _, v := range values {
		named, err := idsNamed(ctx, l.db, log, v)
		if err != nil {
			return nil, nil, err
		}
		known, err := l.knows(ctx, log, v)
		if err != nil {
			return nil, nil, err
		}
		if known {
			named = append(named, v)
		}
		if len(named) == 0 {
			unknown = append(unknown, v)
		}
		ids = append(ids, named...)
	}
	return distinct(ids...), unknown, nil
}

// knows tells whether an id ever acted or was acted on.
func (l *Log) knows(ctx context.Context, log, id string) (bool, error) {
	var one int
	err := l.db.QueryRowContext(ctx, `SELECT 1 FROM audit_index WHERE term IN ($1, $2) LIMIT 1`,
		term(log, termActor, id), term(log, termObject, id)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking %q up: %w", id, err)
	}
	return true, nil
}

// walk is one search: where it looks, and what it still has to compare.
type walk struct {
	log       *Log
	logID     string
	filter    resolved
	page      Page
	low, high int64   // places to look at, both inclusive
	streams   []int64 // terms to merge; none: the word index is walked
	match     string  // the word index's query, if it is walked
	exact     bool    // the streams say all of the filter
}

// bounds turns the filter's time and the cursor into places.
func (w *walk) bounds(f Filter) error {
	if err := f.CheckRange(); err != nil {
		return err
	}
	if !f.After.IsZero() {
		w.low = placeAt(f.After)
	}
	if !f.Before.IsZero() {
		w.high = placeAt(f.Before) - 1
	}
	if w.page.Cursor == "" {
		return nil
	}
	n, err := readCursor(w.page.Cursor, w.logID, f)
	if err != nil {
		return err
	}
	if w.page.Newer {
		w.low = max(w.low, n+1)
	} else {
		w.high = min(w.high, n-1)
	}
	return nil
}

// plan chooses what to walk: a pair of conditions if there is a term for it,
// otherwise the rarest single condition.
func (w *walk) plan(ctx context.Context) error {
	f := w.filter
	var ways []way
	add := func(kind string, covers int, values ...[]string) {
		if streams := product(w.logID, kind, values...); len(streams) > 0 && len(streams) <= maxStreams {
			ways = append(ways, way{streams: streams, covers: covers})
		}
	}
	add(termObjectActor, 2, f.Object.Any, f.Actor.Any)
	add(termObjectAction, 2, f.Object.Any, f.Action.Any)
	add(termActorAction, 2, f.Actor.Any, f.Action.Any)
	add(termObject, 1, f.Object.Any)
	add(termActor, 1, f.Actor.Any)
	add(termAction, 1, f.Action.Any)
	add(termType, 1, f.Type.Any)
	if len(f.Outcome.Any) > 0 && !slices.Contains(f.Outcome.Any, string(OutcomeOK)) {
		add(termOutcome, 1, f.Outcome.Any)
	}
	conditions := f.conditions()
	for _, way := range ways {
		if way.covers == conditions {
			w.streams, w.exact = way.streams, true
			return nil
		}
	}
	if len(f.words) > 0 {
		text := way{match: matchQuery(w.logID, f.words), streams: f.renamed.streams(w.logID)}
		if len(text.streams) <= maxStreams {
			ways = append(ways, text)
		}
	}
	if len(ways) == 0 {
		w.streams, w.exact = []int64{term(w.logID, termLog)}, conditions == 0
		return nil
	}
	best, err := w.rarest(ctx, ways)
	w.streams, w.match = best.streams, best.match
	return err
}

// way is one way to find candidates: everything in its streams and everything
// that the word index finds.
type way struct {
	streams []int64
	match   string
	covers  int // conditions of the filter that it says
}

// product gives the terms of a kind for every combination of values.
func product(log, kind string, values ...[]string) []int64 {
	combos := [][]string{nil}
	for _, list := range values {
		var next [][]string
		for _, c := range combos {
			for _, v := range list {
				next = append(next, append(slices.Clone(c), v))
			}
		}
		if len(next) > maxStreams {
			return make([]int64, maxStreams+1)
		}
		combos = next
	}
	var all []int64
	for _, c := range combos {
		all = append(all, term(log, kind, c...))
	}
	return all
}

// conditions counts what a filter asks besides the time.
func (r resolved) conditions() int {
	n := len(r.words)
	for _, v := range []Values{r.Actor, r.Action, r.Object, r.Type, r.Outcome, r.IP, r.Via, r.Session, r.Request} {
		if len(v.Any) > 0 {
			n++
		}
		n += len(v.None)
	}
	return n + len(r.Text.None)
}

// rarest compares ways by counting their entries up to a bound.
func (w *walk) rarest(ctx context.Context, ways []way) (way, error) {
	if len(ways) == 1 {
		return ways[0], nil
	}
	best, fewest := ways[0], math.MaxInt
	for _, way := range ways {
		places, err := w.candidates(ctx, way, w.low, w.high, probeLimit)
		if err != nil {
			return best, err
		}
		if len(places) < fewest {
			best, fewest = way, len(places)
		}
	}
	return best, nil
}

// candidates gives up to limit places between low and high, nearest to the
// cursor first.
func (w *walk) candidates(ctx context.Context, way way, low, high int64, limit int) ([]int64, error) {
	order := "DESC"
	if w.page.Newer {
		order = "ASC"
	}
	var merged []int64
	if way.match != "" {
		places, err := w.places(ctx, `SELECT rowid FROM audit_word WHERE audit_word MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid `+order+` LIMIT $4`,
			way.match, low, high, limit)
		if err != nil {
			return nil, err
		}
		merged = places
	}
	for _, t := range way.streams {
		places, err := w.places(ctx, `SELECT n FROM audit_index WHERE term = $1 AND n BETWEEN $2 AND $3 ORDER BY n `+order+` LIMIT $4`,
			t, low, high, limit)
		if err != nil {
			return nil, err
		}
		merged = append(merged, places...)
	}
	slices.Sort(merged)
	merged = slices.Compact(merged)
	if !w.page.Newer {
		slices.Reverse(merged)
	}
	return merged[:min(limit, len(merged))], nil
}

func (w *walk) places(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := w.log.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	defer rows.Close()
	var places []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("searching: %w", err)
		}
		places = append(places, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	return places, nil
}

// run walks until the page is full, nothing is left, or it has looked at
// enough. One event more than the page holds tells whether there is another
// page.
func (w *walk) run(ctx context.Context, f Filter) (Result, error) {
	var found []placed
	walked, last, exhausted := 0, int64(0), false
	batch := w.page.Limit + 1
	for len(found) <= w.page.Limit && !exhausted && walked < maxWalked {
		batch = min(batch, maxWalked-walked)
		places, err := w.candidates(ctx, way{streams: w.streams, match: w.match}, w.low, w.high, batch)
		if err != nil {
			return Result{}, err
		}
		exhausted = len(places) < batch
		walked += len(places)
		if len(places) == 0 {
			break
		}
		last = places[len(places)-1]
		if w.page.Newer {
			w.low = last + 1
		} else {
			w.high = last - 1
		}
		events, err := w.matching(ctx, places)
		if err != nil {
			return Result{}, err
		}
		found = append(found, events...)
		batch = min(batch*4, 2_000)
	}
	return w.result(f, found, walked, last, exhausted), nil
}

type placed struct {
	n     int64
	event Event
}

// result cuts the page and makes its cursors.
func (w *walk) result(f Filter, found []placed, walked int, last int64, exhausted bool) Result {
	more := len(found) > w.page.Limit
	found = found[:min(len(found), w.page.Limit)]
	res := Result{Walked: walked, Complete: more || exhausted}
	if !res.Complete {
		res.Reached = timeAt(last)
	}
	end := last // where the next page in this direction goes on
	if more || exhausted {
		end = 0
		if len(found) > 0 {
			end = found[len(found)-1].n
		}
	}
	if w.page.Newer {
		slices.Reverse(found)
	}
	for _, p := range found {
		res.Events = append(res.Events, p.event)
	}
	onward := more || !exhausted
	back := w.page.Cursor != "" && len(found) > 0
	start := int64(0)
	if back {
		start = found[0].n
		if w.page.Newer {
			start = found[len(found)-1].n
		}
	}
	older, newer := "", ""
	if onward {
		older = makeCursor(end, w.logID, f)
	}
	if back {
		newer = makeCursor(start, w.logID, f)
	}
	if w.page.Newer {
		older, newer = newer, older
	}
	res.Older, res.Newer = older, newer
	return res
}

// matching reads the events at the places and keeps those that the filter
// matches, in the order of places.
func (w *walk) matching(ctx context.Context, places []int64) ([]placed, error) {
	list, err := json.Marshal(places)
	if err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	kept := map[int64]bool{}
	if !w.exact {
		if kept, err = w.rough(ctx, string(list)); err != nil {
			return nil, err
		}
		var left []int64
		for _, n := range places {
			if kept[n] {
				left = append(left, n)
			}
		}
		places = left
	}
	var found []placed
	for len(places) > 0 && len(found) <= w.page.Limit {
		// Decoding is the dear part: no more of it than the page needs.
		some := places[:min(len(places), w.page.Limit+1)]
		places = places[len(some):]
		events, err := load(ctx, w.log.db, some)
		if err != nil {
			return nil, err
		}
		for _, n := range some {
			if e, ok := events[n]; ok && w.filter.matches(&e, w.logID) {
				found = append(found, placed{n, e})
			}
		}
	}
	return found, nil
}

// rough drops what the narrow columns already exclude, without decoding.
func (w *walk) rough(ctx context.Context, list string) (map[int64]bool, error) {
	rows, err := w.log.db.QueryContext(ctx, `
		SELECT n, log, action, outcome, coalesce(type, '') FROM audit_event
		WHERE n IN (SELECT value FROM json_each($1))`, list)
	if err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	defer rows.Close()
	kept := map[int64]bool{}
	f := w.filter
	for rows.Next() {
		var n int64
		var log, action, outcome, typ string
		if err := rows.Scan(&n, &log, &action, &outcome, &typ); err != nil {
			return nil, fmt.Errorf("searching: %w", err)
		}
		kept[n] = log == w.logID && f.Action.admit(action) && f.Outcome.admit(outcome) && f.Type.admit(typ)
	}
	return kept, rows.Err()
}

// load reads and decodes the events at the places.
func load(ctx context.Context, q database.Querier, places []int64) (map[int64]Event, error) {
	list, err := json.Marshal(places)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	parts, err := loadParts(ctx, q, string(list))
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `SELECT n, body FROM audit_event WHERE n IN (SELECT value FROM json_each($1))`, string(list))
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	events := make(map[int64]Event, len(places))
	for rows.Next() {
		var n int64
		var body []byte
		if err := rows.Scan(&n, &body); err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		e, err := decode(body, parts[n][0], parts[n][1])
		if err != nil {
			return nil, fmt.Errorf("reading the event at place %d: %w", n, err)
		}
		events[n] = e
	}
	return events, rows.Err()
}

func loadParts(ctx context.Context, q database.Querier, list string) (map[int64][2]*part, error) {
	rows, err := q.QueryContext(ctx, `SELECT n, kind, salt, part FROM audit_part WHERE n IN (SELECT value FROM json_each($1))`, list)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	parts := map[int64][2]*part{}
	for rows.Next() {
		var n int64
		var kind string
		var p part
		if err := rows.Scan(&n, &kind, &p.Salt, &p.JSON); err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		both := parts[n]
		if kind == "who" {
			both[0] = &p
		} else {
			both[1] = &p
		}
		parts[n] = both
	}
	return parts, rows.Err()
}

// Event gives one event of a log by its id.
//
// Cost: one look-up by the primary key, and one for its parts.
func (l *Log) Event(ctx context.Context, log, id string) (Event, error) {
	missing := NotFound("There is no event %s in this log.", id)
	first, last, err := placesOf(id)
	if err != nil {
		return Event{}, missing
	}
	var n int64
	err = l.db.QueryRowContext(ctx, `SELECT n FROM audit_event WHERE n BETWEEN $1 AND $2 AND id = $3 AND log = $4`, first, last, id, log).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return Event{}, missing
	}
	if err != nil {
		return Event{}, fmt.Errorf("reading event %s: %w", id, err)
	}
	events, err := load(ctx, l.db, []int64{n})
	if err != nil {
		return Event{}, err
	}
	return events[n], nil
}

// Totals counts a log's events by action.
//
// Cost: one row an action.
func (l *Log) Totals(ctx context.Context, log string) (map[string]int64, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT action, events FROM audit_total WHERE log = $1`, log)
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	defer rows.Close()
	totals := map[string]int64{}
	for rows.Next() {
		var action string
		var n int64
		if err := rows.Scan(&action, &n); err != nil {
			return nil, fmt.Errorf("counting events: %w", err)
		}
		totals[action] = n
	}
	return totals, rows.Err()
}

// A cursor is a place and a check that it belongs to this log and filter.
func makeCursor(n int64, log string, f Filter) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(n))
	b = binary.BigEndian.AppendUint32(b, cursorCheck(n, log, f))
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCursor(s, log string, f Filter) (int64, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 12 {
		return 0, Invalid("cursor", "This page address is damaged: start again from the newest events.")
	}
	n := int64(binary.BigEndian.Uint64(b))
	if binary.BigEndian.Uint32(b[8:]) != cursorCheck(n, log, f) {
		return 0, Invalid("cursor", "This page address belongs to another filter or log: start again from the newest events.")
	}
	return n, nil
}

func cursorCheck(n int64, log string, f Filter) uint32 {
	return uint32(term(log, "cursor", f.String(), fmt.Sprint(n)))
}

// matchQuery asks the word index for events of one log with all the words.
// The words hold nothing but letters and digits ([Words]), so quoting them is
// enough.
func matchQuery(log string, words []string) string {
	var b strings.Builder
	b.WriteString(`"` + logWord(log) + `"`)
	for _, w := range words {
		b.WriteString(` AND "` + w + `"`)
	}
	return b.String()
}
