package web

import (
	"fmt"
	"slices"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// How long a page counts what no ready-made count answers: while its rows are
// looked up, and when the reader asks it to go on.
const (
	histogramTime = 150 * time.Millisecond
	longCount     = 5 * time.Second
)

// counting is a histogram on its way: it is made while the rows are read.
type counting struct {
	found chan audit.Histogram
	err   error // set before found is closed
}

// beginHistogram starts to count the present filter.
func (v *visit) beginHistogram(q logQuery) *counting {
	c := &counting{found: make(chan audit.Histogram, 1)}
	limit := histogramTime
	if v.r.URL.Query().Get("count") == "on" {
		limit = longCount
	}
	go func() {
		defer close(c.found)
		defer func() { // a fault here must not end the program
			if fault := recover(); fault != nil {
				c.err = fmt.Errorf("counting for the histogram: %v", fault)
			}
		}()
		h, err := v.portal.LogHistogram(v.ctx(), v.by(), v.team(), q.asked(), audit.HistogramQuery{Bars: 60, Limit: limit, Now: v.now()})
		if c.err = err; err == nil {
			c.found <- h
		}
	}()
	return c
}

// histogram waits for the count and puts it into the words of the page; nil
// where there is nothing to show.
func (v *visit) histogram(q logQuery, c *counting) (*view.Histogram, error) {
	h, ok := <-c.found
	if !ok {
		return nil, c.err
	}
	if len(h.Bars) == 0 || h.Events == 0 && h.Complete {
		return nil, nil
	}
	groups := groupsIn(h)
	shown := &view.Histogram{Title: countTitle(h), Groups: groups}
	for _, b := range h.Bars {
		bar := view.HistogramBar{From: b.From, To: b.To, Parts: byGroup(b.Events, groups), Unknown: !h.Complete && b.From.Before(h.Reached)}
		if len(b.Events) > 0 || bar.Unknown {
			f := q.filter
			f.After, f.Before = b.From, b.To
			if to := h.Bars[len(h.Bars)-1].To; q.filter.Before.IsZero() && b.To.Equal(to) {
				f.Before = time.Time{} // the newest bar stays open to what comes
			}
			bar.URL = q.link(f)
		}
		shown.Bars = append(shown.Bars, bar)
	}
	if !h.Complete {
		shown.Note = "Older events were not counted in time. From " + utc(h.Reached.Truncate(time.Second)) + " on every number is exact."
		if v.r.URL.Query().Get("count") == "" {
			shown.More = q.counted()
		}
	}
	return shown, nil
}

// countTitle says what the bars hold: "14,203 events by day".
func countTitle(h audit.Histogram) string {
	title := plural(int(h.Events), "event")
	if !h.Complete {
		title = "at least " + title
	}
	switch w := h.Width; {
	case w == 24*time.Hour:
		return title + " by day"
	case w == 7*24*time.Hour:
		return title + " by week"
	case w > 24*time.Hour:
		return title + ", " + plural(int(w/(24*time.Hour)), "day") + " a bar"
	case w == time.Hour:
		return title + " by hour"
	case w > time.Hour:
		return title + ", " + plural(int(w/time.Hour), "hour") + " a bar"
	case w == time.Minute:
		return title + " by minute"
	case w > time.Minute:
		return title + ", " + plural(int(w/time.Minute), "minute") + " a bar"
	}
	return title + ", " + plural(int(h.Width/time.Second), "second") + " a bar"
}

// maxGroups is how many parts of a bar can be told apart; what else there is
// is the last of them.
const maxGroups = 6

const otherGroups = "Others"

// groupsIn are the groups of the actions that were counted, in the catalogue's
// order: rarer ones are put together if they are too many.
func groupsIn(h audit.Histogram) []string {
	events := map[string]int64{}
	for _, b := range h.Bars {
		for action, n := range b.Events {
			events[groupOf(action)] += n
		}
	}
	var groups []string
	for _, g := range append(portal.Catalogue.Groups(), otherGroups) {
		if events[g] > 0 {
			groups = append(groups, g)
		}
	}
	if len(groups) <= maxGroups {
		return groups
	}
	rarest := slices.Clone(groups)
	slices.SortStableFunc(rarest, func(a, b string) int { return int(events[b] - events[a]) })
	kept := rarest[:maxGroups-1]
	return append(slices.DeleteFunc(groups, func(g string) bool { return g == otherGroups || !slices.Contains(kept, g) }), otherGroups)
}

func groupOf(action string) string {
	if a, ok := portal.Catalogue.Get(action); ok {
		return a.Group
	}
	return otherGroups
}

func byGroup(events map[string]int64, groups []string) []int64 {
	if len(events) == 0 {
		return nil
	}
	parts := make([]int64, len(groups))
	for action, n := range events {
		i := slices.Index(groups, groupOf(action))
		if i < 0 {
			i = slices.Index(groups, otherGroups)
		}
		parts[i] += n
	}
	return parts
}
