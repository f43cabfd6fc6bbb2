package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hours is a value of the field hours: days of the week, a part of the day, or
// both, in UTC. A part that ends no later than it begins goes over midnight.
type hours struct {
	first, last time.Weekday // both included; after the last comes the first
	from, to    int          // minutes of the day; to is not included
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const minutesOfDay = 24 * 60

// holds tells whether a time is within the hours. The day is that of the time
// itself, also after midnight.
func (h hours) holds(t time.Time) bool {
	t = t.UTC()
	day := (t.Weekday()-h.first+7)%7 <= (h.last-h.first+7)%7
	minute := t.Hour()*60 + t.Minute()
	if h.from < h.to {
		return day && minute >= h.from && minute < h.to
	}
	return day && (minute >= h.from || minute < h.to)
}

// String writes the hours as parseHours reads them.
func (h hours) String() string {
	var parts []string
	whole := h.from == 0 && h.to == minutesOfDay
	if everyDay := (h.last-h.first+7)%7 == 6; !everyDay || whole {
		days := weekdays[h.first]
		if h.last != h.first {
			days += "-" + weekdays[h.last]
		}
		parts = append(parts, days)
	}
	if !whole {
		parts = append(parts, showMinute(h.from)+"-"+showMinute(h.to))
	}
	return strings.Join(parts, "/")
}

func showMinute(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

const hoursForm = "hours look like mon-fri/08:00-18:00, mon-fri, sat or 18:00-08:00 (UTC)"

// parseHours reads hours. The error is a sentence of what would be right.
func parseHours(s string) (h hours, wrong string) {
	h = hours{first: time.Sunday, last: time.Saturday, to: minutesOfDay}
	days, part, both := strings.Cut(strings.ToLower(s), "/")
	if !both && days != "" && days[0] >= '0' && days[0] <= '9' {
		days, part = "", days
	}
	if both && (days == "" || part == "") || days == "" && part == "" {
		return h, hoursForm
	}
	if days != "" {
		first, last, span := strings.Cut(days, "-")
		if !span {
			last = first
		}
		i, j := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if i < 0 || j < 0 {
			return h, "a day is one of mon, tue, wed, thu, fri, sat, sun; " + hoursForm
		}
		h.first, h.last = time.Weekday(i), time.Weekday(j)
	}
	if part != "" {
		from, to, span := strings.Cut(part, "-")
		var ok, too bool
		h.from, ok = minuteOf(from)
		h.to, too = minuteOf(to)
		switch {
		case !span || !ok || !too:
			return h, hoursForm
		case h.from == h.to || h.from == minutesOfDay:
			return h, "these hours would be none or all: they begin and end at different times"
		case h.to == 0:
			h.to = minutesOfDay
		}
	}
	return h, ""
}

// minuteOf reads 8, 08 or 08:30.
func minuteOf(s string) (int, bool) {
	hour, minute, exact := strings.Cut(s, ":")
	h, ok := digits(hour, 24)
	m := 0
	if exact {
		var too bool
		m, too = digits(minute, 59)
		ok = ok && too && len(minute) == 2
	}
	return h*60 + m, ok && h*60+m <= minutesOfDay
}

// digits reads one or two of them.
func digits(s string, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && len(s) <= 2 && s[0] >= '0' && s[0] <= '9' && n <= most
}

func checkHours(s string) (canonical, wrong string) {
	h, wrong := parseHours(s)
	if wrong != "" {
		return "", wrong
	}
	return h.String(), ""
}

// within are the values of the field hours as times are compared with them.
type within struct{ any, none []hours }

// readHours reads a filter's values of the field hours. Error: Invalid for one
// that ParseQuery would refuse.
func readHours(v Values) (w within, err error) {
	for _, list := range []struct {
		from []string
		to   *[]hours
	}{{v.Any, &w.any}, {v.None, &w.none}} {
		for _, s := range list.from {
			h, wrong := parseHours(s)
			if wrong != "" {
				return w, Invalid("hours", "%s is not right for hours: %s", quoted(s), wrong)
			}
			*list.to = append(*list.to, h)
		}
	}
	return w, nil
}

func (w within) admit(t time.Time) bool {
	holds := func(h hours) bool { return h.holds(t) }
	return (len(w.any) == 0 || slices.ContainsFunc(w.any, holds)) && !slices.ContainsFunc(w.none, holds)
}
