package audit

import (
	"fmt"
	"time"
)

// timeFormat is how times stand in the sealed bytes and in JSON. They are read
// and written by hand, since package time takes a good part of what an event
// costs otherwise.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// stampOf writes a time, "" for none.
func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return showStamp(t)
}

func showStamp(t time.Time) string {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.Format(timeFormat)
	}
	hour, minute, second := t.Clock()
	b := [len(timeFormat)]byte([]byte(timeFormat))
	for _, part := range [...]struct{ from, to, n int }{
		{0, 4, year}, {5, 7, int(month)}, {8, 10, day}, {11, 13, hour}, {14, 16, minute}, {17, 19, second}, {20, 26, t.Nanosecond() / 1000},
	} {
		n := part.n
		for i := part.to - 1; i >= part.from; i-- {
			b[i] = '0' + byte(n%10)
			n /= 10
		}
	}
	return string(b[:])
}

// readStamp reads what stampOf wrote, and nothing else.
func readStamp(s string) (time.Time, error) {
	if len(s) != len(timeFormat) {
		return time.Time{}, noStamp(s)
	}
	for i := range len(s) {
		separator := timeFormat[i] < '0' || timeFormat[i] > '9'
		if separator && s[i] != timeFormat[i] || !separator && (s[i] < '0' || s[i] > '9') {
			return time.Time{}, noStamp(s)
		}
	}
	number := func(from, to int) (n int) {
		for _, digit := range []byte(s[from:to]) {
			n = n*10 + int(digit-'0')
		}
		return n
	}
	day, hour, minute, second := number(8, 10), number(11, 13), number(14, 16), number(17, 19)
	t := time.Date(number(0, 4), time.Month(number(5, 7)), day, hour, minute, second, number(20, 26)*1000, time.UTC)
	// A day or an hour that there is not moved to another one.
	if t.Month() != time.Month(number(5, 7)) || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second {
		return time.Time{}, noStamp(s)
	}
	return t, nil
}

func noStamp(s string) error {
	return fmt.Errorf("%q is no time to the microsecond between the years 0 and 9999", s)
}
