package transcript

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads a date and clock. One without a zone is in zone (nil is
// UTC); of a clock that a change to winter time shows twice, the first is
// meant. The result is UTC, to the microsecond.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		wall, err := time.Parse("2006-01-02T15:04:05", s)
		if err != nil {
			return time.Time{}, errors.New("must be a date and time such as 2026-11-23T18:44:14Z or 2026-11-23T18:44:14")
		}
		at = time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
		if !sameClock(at, wall) {
			return time.Time{}, fmt.Errorf("does not exist in the time zone %s: the clock is put forward over it", zone)
		}
		at = firstOf(at)
	}
	if at = at.UTC().Truncate(time.Microsecond); at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, errors.New("must lie in the years 1970 to 9999")
	}
	return at, nil
}

// firstOf gives the earlier instant with the same clock, if there are two.
func firstOf(at time.Time) time.Time {
	began, _ := at.ZoneBounds()
	if began.IsZero() {
		return at
	}
	_, now := at.Zone()
	_, before := began.Add(-1).Zone()
	if earlier := at.Add(time.Duration(now-before) * time.Second); earlier.Before(began) && sameClock(earlier, at) {
		return earlier
	}
	return at
}

func sameClock(a, b time.Time) bool {
	const clock = "2006-01-02T15:04:05"
	return a.Format(clock) == b.Format(clock)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// milliseconds gives a turn's time as files hold it.
func milliseconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}
