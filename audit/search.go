package audit

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
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

	// Unknown names, where nothing was found, the filter's actors and objects
	// that this log never saw.
	Unknown []string
}

const (
	defaultLimit = 50
	maxLimit     = 1000
	maxWalked    = 10_000 // entries that one page may look at
	maxBatch     = 2_000  // entries of one look-up
	maxTerms     = 1_000  // combinations of values that one search merges
	probeLimit   = 1_000  // how far two conditions are compared
)

// Search gives the events of one log that a filter matches, newest first.
//
// Cost: a condition on actor, action, object, type, session, address or
// refused outcome, the pairs actor + action, object + actor and object +
// action, each with any set of values, are look-ups of ready-made terms: as
// many entries as events on the page. Several conditions or words walk the
// rarest of them and look the others up beside it; what no term says (a
// network, a phrase) is compared event by event. No page looks at more than
// 10,000 entries; then it says how far it came.
func (l *Log) Search(ctx context.Context, log string, f Filter, p Page) (_ Result, err error) {
	defer func() { err = l.explain(err) }()
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
	if w.filter, err = l.resolve(ctx, log, f); err != nil {
		return Result{}, err
	}
	if err := w.plan(ctx); err != nil {
		return Result{}, err
	}
	res, err := w.run(ctx, f)
	if err == nil && len(res.Events) == 0 {
		res.Unknown, err = l.unknown(ctx, log, f)
	}
	return res, err
}

// resolved is a filter whose actors and objects are ids.
type resolved struct {
	Filter
	renamed renamed
}

// resolve replaces names by the ids of everybody who ever bore them. A value
// may be an id as well: it stands for itself.
func (l *Log) resolve(ctx context.Context, log string, f Filter) (r resolved, err error) {
	r.Filter = f
	for _, list := range []*[]string{&r.Actor.Any, &r.Actor.None, &r.Object.Any, &r.Object.None} {
		if *list, err = l.ids(ctx, log, *list); err != nil {
			return r, err
		}
	}
	r.renamed, err = l.renamed(ctx, log, f.Text.Any)
	return r, err
}

func (l *Log) ids(ctx context.Context, log string, values []string) ([]string, error) {
	var ids []string
	for _, v := range values {
		if _, _, err := ParseID(v); err != nil { // our own ids are nobody's name
			named, err := idsNamed(ctx, l.db, log, v)
			if err != nil {
				return nil, err
			}
			ids = append(ids, named...)
		}
		ids = append(ids, v)
	}
	return distinct(ids...), nil
}

// unknown gives the actors and objects of the filter that the log never saw.
func (l *Log) unknown(ctx context.Context, log string, f Filter) ([]string, error) {
	var all []string
	for _, v := range slices.Concat(f.Actor.Any, f.Object.Any) {
		ids, err := l.ids(ctx, log, []string{v})
		if err != nil {
			return nil, err
		}
		seen, err := exists(ctx, l.db, `SELECT 1 FROM audit_index WHERE audit_index MATCH $1 LIMIT 1`,
			anyOf(append(product(log, termActor, ids), product(log, termObject, ids)...)...))
		if err != nil {
			return nil, fmt.Errorf("looking %q up: %w", v, err)
		}
		if !seen {
			all = append(all, v)
		}
	}
	return all, nil
}

// walk is one search: where it looks, and by which terms.
type walk struct {
	log       *Log
	logID     string
	filter    resolved
	page      Page
	low, high int64  // places to look at, both inclusive
	driver    string // the query of the index that is walked
	all       string // every condition that terms can say; "" if the driver says it
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

// plan writes the filter as queries of the index. One condition, or a pair
// that has terms of its own, is walked as it is; of several the rarest is
// walked and the rest looked up beside it.
func (w *walk) plan(ctx context.Context) error {
	wanted, err := w.wanted()
	if err != nil {
		return err
	}
	if len(wanted) == 0 {
		wanted = []string{term(w.logID, termLog)}
	}
	unwanted := w.unwanted()
	w.driver = wanted[0]
	if len(wanted) > 1 {
		if w.driver, err = w.rarest(ctx, wanted); err != nil {
			return err
		}
		w.all = allOf(wanted...)
	}
	if len(unwanted) > 0 {
		w.all = allOf(wanted...) + " NOT " + anyOf(unwanted...)
	}
	return nil
}

// wanted gives one query for each condition that terms can say.
func (w *walk) wanted() ([]string, error) {
	f := w.filter
	var exprs []string
	combos := 0
	add := func(kind string, values ...[]string) {
		n := 1
		for _, v := range values {
			n *= len(v)
		}
		if combos += n; n > 0 && combos <= maxTerms {
			exprs = append(exprs, anyOf(product(w.logID, kind, values...)...))
		}
	}
	object, actor, action := f.Object.Any, f.Actor.Any, f.Action.Any
	switch {
	case len(object) > 0 && len(actor) > 0 && len(action) > 0:
		add(termObjectActor, object, actor)
		add(termObjectAction, object, action)
		add(termActorAction, actor, action)
	case len(object) > 0 && len(actor) > 0:
		add(termObjectActor, object, actor)
	case len(object) > 0 && len(action) > 0:
		add(termObjectAction, object, action)
	case len(actor) > 0 && len(action) > 0:
		add(termActorAction, actor, action)
	default:
		for kind, values := range map[string][]string{termObject: object, termActor: actor, termAction: action} {
			if len(values) > 0 {
				add(kind, values)
			}
		}
	}
	if combos > maxTerms {
		return nil, Invalid("q", "The filter combines %d values of actor, action and object; at most %d combinations can be searched at once: narrow it.", combos, maxTerms)
	}
	if len(f.Type.Any) > 0 {
		add(termType, f.Type.Any)
	}
	if len(f.Session.Any) > 0 {
		add(termSession, f.Session.Any)
	}
	if len(f.Outcome.Any) > 0 && !slices.Contains(f.Outcome.Any, string(OutcomeOK)) {
		add(termOutcome, f.Outcome.Any)
	}
	if len(f.IP.Any) > 0 && !slices.ContainsFunc(f.IP.Any, isNetwork) {
		add(termIP, f.IP.Any)
	}
	for _, phrase := range f.Text.Any {
		exprs = append(exprs, w.phrase(phrase))
	}
	return exprs, nil
}

// phrase finds events by the words of a phrase, and everybody who bears it in
// one of several names.
func (w *walk) phrase(phrase string) string {
	expr := allOf(product(w.logID, termWord, distinct(Words(phrase)...))...)
	return anyOf(append([]string{expr}, w.filter.renamed.terms(w.logID, phrase)...)...)
}

func (w *walk) unwanted() []string {
	f := w.filter
	var all []string
	for kind, values := range map[string][]string{
		termActor: f.Actor.None, termAction: f.Action.None, termObject: f.Object.None, termType: f.Type.None, termSession: f.Session.None,
	} {
		all = append(all, product(w.logID, kind, values)...)
	}
	return all
}

func isNetwork(ip string) bool { return strings.Contains(ip, "/") }

// rarest compares conditions by counting their entries up to a bound.
func (w *walk) rarest(ctx context.Context, exprs []string) (string, error) {
	best, fewest := exprs[0], math.MaxInt
	for _, expr := range exprs {
		places, err := w.candidates(ctx, expr, w.low, w.high, probeLimit)
		if err != nil {
			return "", err
		}
		if len(places) < fewest {
			best, fewest = expr, len(places)
		}
	}
	return best, nil
}

// next reads the events of the next batch that the terms propose, newest or
// oldest first, and tells how many entries were looked at and which place the
// walk has reached.
func (w *walk) next(ctx context.Context, batch int) (found []placed, walked int, last int64, err error) {
	low, high := w.low, w.high
	if w.all != "" {
		places, err := w.candidates(ctx, w.driver, low, high, batch)
		if err != nil || len(places) == 0 {
			return nil, 0, 0, err
		}
		walked, last = len(places), places[len(places)-1]
		low, high = min(places[0], last), max(places[0], last)
	}
	expr := w.driver
	if w.all != "" {
		expr = w.all
	}
	err = w.read(ctx, expr, low, high, batch, func(p placed) {
		if w.all == "" {
			walked, last = walked+1, p.n
		}
		if w.filter.matches(&p.event, w.logID) {
			found = append(found, p)
		}
	})
	return found, walked, last, err
}

func (w *walk) order() string {
	if w.page.Newer {
		return "ASC"
	}
	return "DESC"
}

// candidates gives up to limit places between low and high, nearest to the
// cursor first.
func (w *walk) candidates(ctx context.Context, expr string, low, high int64, limit int) ([]int64, error) {
	return w.places(ctx, indexQuery(w.order()), expr, low, high, limit)
}

func indexQuery(order string) string {
	return `SELECT rowid AS n FROM audit_index WHERE audit_index MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid ` + order + ` LIMIT $4`
}

// read decodes the events of candidates, in one statement.
func (w *walk) read(ctx context.Context, expr string, low, high int64, limit int, each func(placed)) error {
	return readEvents(ctx, w.log.db, indexQuery(w.order()), each, expr, low, high, limit)
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
		events, n, reached, err := w.next(ctx, batch)
		if err != nil {
			return Result{}, err
		}
		exhausted = n < batch
		if n == 0 {
			break
		}
		walked, last = walked+n, reached
		if w.page.Newer {
			w.low = last + 1
		} else {
			w.high = last - 1
		}
		found = append(found, events...)
		batch = min(batch*4, maxBatch)
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

// readEvents decodes the events at the places that a query gives, in its
// order.
func readEvents(ctx context.Context, q database.Querier, places string, each func(placed), args ...any) error {
	// CROSS JOIN keeps the order of the places: SQLite takes it as written.
	rows, err := q.QueryContext(ctx, `
		SELECT e.n, e.body, who.salt, who.part, what.salt, what.part
		FROM (`+places+`) AS place
		CROSS JOIN audit_event e ON e.n = place.n
		LEFT JOIN audit_part what ON what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.n = e.n AND who.kind = 'who'`, args...)
	if err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var body []byte
		var who, what part
		if err := rows.Scan(&n, &body, &who.Salt, &who.JSON, &what.Salt, &what.JSON); err != nil {
			return fmt.Errorf("reading events: %w", err)
		}
		e, err := decode(body, who.unlessErased(), what.unlessErased())
		if err != nil {
			return fmt.Errorf("reading the event at place %d: %w", n, err)
		}
		each(placed{n, e})
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	return nil
}

// unlessErased is nil for a part whose row is gone.
func (p *part) unlessErased() *part {
	if p.Salt == nil {
		return nil
	}
	return p
}

// Event gives one event of a log by its id.
//
// Cost: one look-up by the primary key, and one for its parts.
func (l *Log) Event(ctx context.Context, log, id string) (_ Event, err error) {
	defer func() { err = l.explain(err) }()
	missing := NotFound("There is no event %s in this log.", id)
	first, last, err := placesOf(id)
	if err != nil {
		return Event{}, missing
	}
	found := Event{}
	err = readEvents(ctx, l.db, `SELECT n FROM audit_event WHERE n BETWEEN $1 AND $2 AND id = $3 AND log = $4`,
		func(p placed) { found = p.event }, first, last, id, log)
	if err != nil {
		return Event{}, err
	}
	if found.ID == "" {
		return Event{}, missing
	}
	return found, nil
}

// Totals counts a log's events by action.
//
// Cost: one row an action.
func (l *Log) Totals(ctx context.Context, log string) (_ map[string]int64, err error) {
	defer func() { err = l.explain(err) }()
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
	return crc32.ChecksumIEEE([]byte(term(log, "cursor", f.String(), fmt.Sprint(n))))
}
