package audit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Stamps are exactly what package time reads and writes.
func TestStamps(t *testing.T) {
	same := func(t interface{ Fatalf(string, ...any) }, s string) {
		want, err := time.Parse(timeFormat, s)
		ok := err == nil && want.Format(timeFormat) == s
		got, err := readStamp(s)
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Fatalf("%q is read as %v, %v; package time says %v, %v", s, got, err, want, ok)
		}
	}
	for _, s := range []string{
		"", "2026-11-23T18:44:14.123456Z", "2026-02-29T00:00:00.000000Z", "2024-02-29T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z",
		"9999-12-31T23:59:59.999999Z", "2026-00-10T00:00:00.000000Z", "2026-13-10T00:00:00.000000Z", "2026-01-00T00:00:00.000000Z", "2026-01-32T00:00:00.000000Z",
		"2026-01-01T24:00:00.000000Z", "2026-01-01T23:60:00.000000Z", "2026-01-01T23:00:60.000000Z", "2026-01-01T23:00:00,000000Z", "2026-01-01T23:00:00.000000z",
		"2026-01-01T23:00:00.00000Z", "2026-01-01 23:00:00.000000Z", "+026-01-01T23:00:00.000000Z", "2026-01-01T23:00:00.0000000Z",
	} {
		same(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(-62_135_596_800_000_000+1, 253_402_300_799_999_999).Draw(t, "micros"))
		if got := stampOf(at); got != at.UTC().Format(timeFormat) {
			t.Fatalf("%v is written %s", at, got)
		}
		same(t, stampOf(at))
		s := []byte(stampOf(at))
		s[rapid.IntRange(0, len(s)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		same(t, string(s))
	})
}
