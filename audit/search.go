package audit

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"
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
// network, a phrase) is compared event by event. Events that wait to be sealed
// are in no index yet: those in the page's reach are all read. No page looks at
// more than 10,000 entries; then it says how far it came.
func (l *Log) Search(ctx context.Context, log string, f Filter, p Page) (_ Result, err error) {
	start := time.Now()
	defer func() {
		if err = l.explain(err); err == nil {
			since(l.observer.Search, start)
		}
	}()
	if p.Limit == 0 {
		p.Limit = defaultLimit
	}
	if p.Limit < 1 || p.Limit > maxLimit {
		return Result{}, Invalid("limit", "limit %d: a page has 1 to %d events", p.Limit, maxLimit)
	}
	w := &walk{log: l, logID: log, page: p, high: math.MaxInt64}
	res, err := w.search(ctx, f)
	if err == nil && len(res.Events) == 0 {
		res.Unknown, err = l.unknown(ctx, log, f)
	}
	return res, err
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
	return uint32(makeTerm(log, "cursor", f.String(), strconv.FormatInt(n, 10)).hash)
}
