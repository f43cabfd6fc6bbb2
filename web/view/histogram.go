package view

import (
	"strconv"
	"time"
)

// Histogram is how many events there are over the range of the log, as bars
// that are split by the groups of actions. Each bar leads to its own stretch.
type Histogram struct {
	Title  string   // "14,203 events by day"
	Note   string   // that not all was counted, as a sentence; may be ""
	Groups []string // the parts of a bar, from the ground up; at most six
	Bars   []HistogramBar
	More   string // counts on for longer; "" when all is counted
}

// HistogramBar is one stretch of time.
type HistogramBar struct {
	From, To time.Time
	URL      string
	Parts    []int64 // events by Histogram.Groups; nil if none
	Unknown  bool    // not counted: there may be more
}

func (b HistogramBar) total() int64 {
	var n int64
	for _, p := range b.Parts {
		n += p
	}
	return n
}

// The drawing has bars of this width and height in units of its own; the style
// sheet stretches it to the page.
const (
	barUnit   = 10
	barHeight = 100
)

func (h Histogram) viewBox() string {
	return "0 0 " + strconv.Itoa(barUnit*len(h.Bars)) + " " + strconv.Itoa(barHeight)
}

func (h Histogram) max() int64 {
	most := int64(1)
	for _, b := range h.Bars {
		most = max(most, b.total())
	}
	return most
}

// paths draw the parts of all bars, one path for each group. A bar stands on
// those of the groups before, and the smallest can still be seen.
func (h Histogram) paths() []string {
	most := h.max()
	all := make([]string, len(h.Groups))
	for i, b := range h.Bars {
		total := b.total()
		if total == 0 {
			continue
		}
		whole := max(float64(total)/float64(most)*barHeight, 3)
		y := float64(barHeight)
		for g, n := range b.Parts {
			if n == 0 {
				continue
			}
			size := whole * float64(n) / float64(total)
			all[g] += "M" + strconv.Itoa(i*barUnit+1) + " " + decimal(y) + "h8v-" + decimal(size) + "h-8z"
			y -= size
		}
	}
	return all
}

// decimal is a number with at most one digit behind its point.
func decimal(f float64) string { return strconv.FormatFloat(float64(int(f*10+.5))/10, 'f', -1, 64) }

// span is a bar's stretch of time in words, no longer than needed.
func (b HistogramBar) span() string {
	from, to := b.From.UTC(), b.To.UTC()
	const day = 24 * time.Hour
	whole := func(t time.Time) bool { return t.Equal(t.Truncate(day)) }
	last := to.Add(-time.Microsecond)
	switch {
	case whole(from) && whole(to) && to.Sub(from) == day:
		return from.Format("Mon 2006-01-02")
	case whole(from) && whole(to):
		return from.Format("2006-01-02") + " to " + last.Format("2006-01-02")
	case from.Format(dayField) == last.Format(dayField):
		if begin, end := clockTime(from), clockTime(to); begin != end {
			return from.Format("Mon 2006-01-02 ") + begin + "–" + end
		}
		return from.Format("Mon 2006-01-02 15:04:05")
	}
	return from.Format("2006-01-02 ") + clockTime(from) + " to " + to.Format("2006-01-02 ") + clockTime(to)
}

// clockTime shows the time of the day, to the second if it has seconds.
func clockTime(t time.Time) string {
	if t.Equal(t.Truncate(time.Minute)) {
		return t.Format("15:04")
	}
	return t.Format("15:04:05")
}

// label says what a bar holds.
func (h Histogram) label(b HistogramBar) string {
	switch {
	case b.Unknown && b.total() == 0:
		return b.span() + ": not counted"
	case b.Unknown:
		return b.span() + ": at least " + number(int(b.total()))
	}
	return b.span() + ": " + number(int(b.total()))
}

// counted are the bars that hold something, for the table.
func (h Histogram) counted() []HistogramBar {
	var all []HistogramBar
	for _, b := range h.Bars {
		if b.total() > 0 || b.Unknown {
			all = append(all, b)
		}
	}
	return all
}

// ends are the times under the drawing: its beginning, its middle, its end.
func (h Histogram) ends() []string {
	first, middle, last := h.Bars[0], h.Bars[len(h.Bars)/2], h.Bars[len(h.Bars)-1]
	layout := "2006-01-02"
	if last.To.Sub(first.From) < 4*24*time.Hour {
		layout = "2006-01-02 15:04"
	}
	all := []string{first.From.UTC().Format(layout)}
	if len(h.Bars) > 4 {
		all = append(all, middle.From.UTC().Format(layout))
	}
	return append(all, last.To.Add(-time.Microsecond).UTC().Format(layout))
}
