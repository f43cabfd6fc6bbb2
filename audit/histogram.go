package audit

import (
	"context"
	"time"
)

// HistogramQuery says how finely to count, and for how long.
type HistogramQuery struct {
	Bars  int           // at most; 60 unless set
	Limit time.Duration // for counting event by event; 200 ms unless set
	Now   time.Time     // the end of a range that has none; the log's clock unless set
}

// Histogram is the number of events of a filter by time and action. All
// numbers are exact, but for those from before Reached unless Complete.
type Histogram struct {
	Width  time.Duration // of a bar; a whole part of a day, or whole days
	Bars   []Bar         // oldest first, none left out between
	Events int64         // in all bars together; "at least" unless Complete

	// Complete is false when the time was up. Events from Reached on are all
	// counted, older ones are not.
	Complete bool
	Reached  time.Time
}

// Bar is one stretch of time: from From until before To, which the filter's
// own bounds may cut short.
type Bar struct {
	From, To time.Time
	Events   map[string]int64 // by action; nil if none
}

// Total is the number of events in the bar.
func (b Bar) Total() int64 {
	var n int64
	for _, events := range b.Events {
		n += events
	}
	return n
}

const (
	defaultBars      = 60
	defaultTallyTime = 200 * time.Millisecond
)

// widths are those that bars may have.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, oneDay, 2 * oneDay, 7 * oneDay, 14 * oneDay, 28 * oneDay, 91 * oneDay, 364 * oneDay,
}

const oneDay = 24 * time.Hour

// width is the smallest in which a range has at most so many bars.
func width(from, to time.Time, bars int) time.Duration {
	for _, w := range widths {
		if int(barsIn(from, to, w)) <= bars {
			return w
		}
	}
	w := widths[len(widths)-1]
	for int(barsIn(from, to, w)) > bars {
		w *= 2
	}
	return w
}

func barsIn(from, to time.Time, w time.Duration) int64 {
	first, last := barStart(from, w), barStart(to.Add(-time.Microsecond), w)
	return int64(last.Sub(first)/w) + 1
}

// monday is where weeks are counted from: the last before 1970, where all time
// begins here.
var monday = time.Date(1969, 12, 29, 0, 0, 0, 0, time.UTC)

// barStart is the beginning of the bar in which a time is. Go's own Truncate
// counts from year 1, whose weeks begin on Mondays too; this one is said to.
func barStart(t time.Time, w time.Duration) time.Time {
	into := t.Sub(monday) % w
	if into < 0 {
		into += w
	}
	return t.Add(-into).UTC()
}

// Histogram counts the events of a filter by time and by action.
//
// Cost: without other conditions than time and action, one row an action and
// day (or hour, where bars are shorter than a day), whatever the number of
// events. Else, and in bars of less than an hour, events are read one by one,
// newest first, for no longer than the limit.
func (l *Log) Histogram(ctx context.Context, log string, f Filter, q HistogramQuery) (_ Histogram, err error) {
	defer func() { err = l.explain(err) }()
	if q.Bars <= 0 {
		q.Bars = defaultBars
	}
	if q.Limit <= 0 {
		q.Limit = defaultTallyTime
	}
	if q.Now.IsZero() {
		q.Now = l.clock.now()
	}
	if err := f.CheckRange(); err != nil {
		return Histogram{}, err
	}
	from, to, err := l.span(ctx, log, f, q.Now)
	if err != nil || !from.Before(to) {
		return Histogram{Complete: err == nil}, err
	}
	h := newHistogram(from, to, q.Bars)
	if h.Width >= time.Hour && f.isCounted() {
		err = h.fromCounts(ctx, l, log, f, from, to, q.Limit)
	} else {
		err = h.tally(ctx, l, log, f, q.Limit)
	}
	return h, err
}

// span is the range that a histogram shows: the filter's, where it has bounds,
// else from the first event on until now.
func (l *Log) span(ctx context.Context, log string, f Filter, now time.Time) (from, to time.Time, err error) {
	from, to = f.After, f.Before
	if to.IsZero() {
		to = now.Add(time.Microsecond)
		newest, ok, err := l.edge(ctx, log, false)
		if err != nil {
			return from, to, err
		}
		if ok && !newest.Before(to) { // of a clock that is ahead
			to = newest.Add(time.Microsecond)
		}
	}
	if from.IsZero() {
		oldest, ok, err := l.edge(ctx, log, true)
		if err != nil {
			return from, to, err
		}
		if from = oldest; !ok {
			from = to
		}
	}
	return from, to, nil
}

// newHistogram gives empty bars for a range.
func newHistogram(from, to time.Time, bars int) Histogram {
	h := Histogram{Width: width(from, to, bars)}
	for at := barStart(from, h.Width); at.Before(to); at = at.Add(h.Width) {
		b := Bar{From: at, To: at.Add(h.Width)}
		if b.From.Before(from) {
			b.From = from
		}
		if b.To.After(to) {
			b.To = to
		}
		h.Bars = append(h.Bars, b)
	}
	return h
}

// add counts events of one time.
func (h *Histogram) add(at time.Time, action string, events int64) {
	i := int(at.Sub(barStart(h.Bars[0].From, h.Width)) / h.Width)
	if i < 0 || i >= len(h.Bars) {
		return // after the last bar: it was recorded while we count
	}
	b := &h.Bars[i]
	if b.Events == nil {
		b.Events = map[string]int64{}
	}
	b.Events[action] += events
	h.Events += events
}

// tally counts event by event.
func (h *Histogram) tally(ctx context.Context, l *Log, log string, f Filter, limit time.Duration) error {
	t, err := l.tally(ctx, log, f, false)
	if err != nil {
		return err
	}
	r, err := t.run(ctx, limit, func(n int64, e *Event) { h.add(timeAt(n), e.Action, 1) })
	h.Complete = r.complete
	if !r.complete {
		h.Reached = t.reached(r)
	}
	return err
}
