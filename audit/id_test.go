package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDsCarryTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(0, maxMicros).Draw(t, "micros")
		at := time.UnixMicro(micros).UTC()
		for _, id := range []string{NewID("evt", at), ForeignID("evt", at, "team_1", "cloudtrail", "a1")} {
			got, err := IDTime(id)
			if err != nil || !got.Equal(at) {
				t.Fatalf("%s: time %v, %v; want %v", id, got, err, at)
			}
			if !ValidID("evt", id) || ValidID("team", id) || ValidID("evt", strings.ToUpper(id)) || ValidID("evt", id+"0") {
				t.Fatalf("%s: ValidID is wrong", id)
			}
			prefix, u, err := ParseID(id)
			if err != nil || prefix != "evt" || u[6]>>4 != 7 || u[7]&3 != 0 || u[8]>>6 != 2 {
				t.Fatalf("%s: prefix %q, bits %x, %v", id, prefix, u, err)
			}
		}
		later := time.UnixMicro(micros + rapid.Int64Range(1, 1e9).Draw(t, "step"))
		if micros+1e9 < maxMicros && NewID("evt", at) >= NewID("evt", later) {
			t.Fatalf("ids do not sort by time: %v, %v", at, later)
		}
	})
}

// TestIDLayout spells docs/event-format.md out bit by bit, with nothing of ours
// but the id itself.
func TestIDLayout(t *testing.T) {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	at := time.Date(2026, 11, 23, 18, 44, 14, 123456789, time.UTC)
	sum := sha256.Sum256([]byte("team_1\x00cloudtrail\x00a1"))
	id := ForeignID("evt", at, "team_1", "cloudtrail", "a1")
	u := new(big.Int)
	for _, c := range strings.TrimPrefix(id, "evt_") {
		u.Lsh(u, 5).Or(u, big.NewInt(int64(strings.IndexRune(alphabet, c))))
	}
	bits := func(from, n int) uint64 { // counted from the left of 128
		return new(big.Int).And(new(big.Int).Rsh(u, uint(128-from-n)), new(big.Int).SetUint64(1<<n-1)).Uint64()
	}
	for _, part := range []struct {
		what      string
		got, want uint64
	}{
		{"more than 128 bits", uint64(max(0, u.BitLen()-128)), 0},
		{"milliseconds", bits(0, 48), uint64(at.UnixMilli())},
		{"version", bits(48, 4), 7},
		{"microseconds", bits(52, 10), 456},
		{"zeros", bits(62, 2), 0},
		{"variant", bits(64, 2), 2},
		{"hash", bits(66, 62), binary.BigEndian.Uint64(sum[:8]) & (1<<62 - 1)},
	} {
		if part.got != part.want {
			t.Errorf("%s: %s is %d, want %d", id, part.what, part.got, part.want)
		}
	}
}

func TestNewIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		seen[NewID("evt", benchTime)] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d different ids of 10,000", len(seen))
	}
}

func TestIDsOfTimesThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ at, want time.Time }{
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(0, 0)},
		{time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.UnixMicro(maxMicros)},
	} {
		id := NewID("evt", c.at)
		if got, err := IDTime(id); err != nil || !got.Equal(c.want) || !ValidID("evt", id) {
			t.Errorf("%v: %s has time %v, %v", c.at, id, got, err)
		}
	}
}

// TestForeignID holds the id still: another would import everything twice.
func TestForeignID(t *testing.T) {
	id := func(log, source, foreign string) string { return ForeignID("evt", benchTime, log, source, foreign) }
	if got, want := id("team_1", "cloudtrail", "a1"), "evt_01m84vj55bewga9pypbjxcs7cw"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	one := id("a", "b", "c")
	if one != id("a", "b", "c") {
		t.Error("the same thing has two ids")
	}
	for _, other := range []string{id("ab", "", "c"), id("a", "bc", ""), id("a", "b", "d"), id("x", "b", "c")} {
		if one == other {
			t.Errorf("two things have the id %s", one)
		}
	}
}

func TestWrongIDs(t *testing.T) {
	good := NewID("evt", benchTime)
	for _, s := range []string{"", "evt", "evt_", "_" + good[4:], good[:len(good)-1], good + "x", "evt_8" + good[5:], "EVT" + good[3:], strings.Replace(good, "0", "O", 1), good[:29] + "\x00", good[:8] + "ü" + good[10:]} {
		if _, _, err := ParseID(s); err == nil {
			t.Errorf("ParseID(%q) was accepted", s)
		}
		if _, err := IDTime(s); err == nil {
			t.Errorf("IDTime(%q) was accepted", s)
		}
		if ValidID("evt", s) {
			t.Errorf("ValidID(%q) is true", s)
		}
	}
	if ValidID("evt", "evt_00041061050r3gg28a1c60t3gf") {
		t.Error("an id that is no UUIDv7 of ours is valid")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(NewID("evt", benchTime))
	f.Add("a_b_00041061050r3gg28a1c60t3gf")
	f.Add("8zzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, s string) {
		prefix, u, err := ParseID(s)
		if err == nil && format(prefix, u) != s {
			t.Errorf("%q reads as %q, %x, which is written %q", s, prefix, u, format(prefix, u))
		}
	})
}

// TestPlacesKeepOrder: a place orders events as their ids do and stays in the
// microsecond of the id.
func TestPlacesKeepOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, 4102444800_000000).Draw(t, "micros")).UTC()
		a, b := NewID("evt", at), NewID("evt", at.Add(time.Duration(rapid.Int64Range(0, 3).Draw(t, "step"))*time.Microsecond))
		_, ua, _ := ParseID(a)
		_, ub, _ := ParseID(b)
		if na, nb := place(ua), place(ub); na != nb && (na < nb) != (a < b) {
			t.Fatalf("%s has place %d, %s has %d", a, na, b, nb)
		}
		first, last, err := placesOf(a)
		if n := place(ua); err != nil || n < first || n > last || first != placeAt(at) || last != placeAt(at.Add(time.Microsecond))-1 || !timeAt(n).Equal(at) {
			t.Fatalf("%s at %v: place %d of %d to %d, %v", a, at, n, first, last, err)
		}
	})
	if placeAt(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 || placeAt(time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)) < placeAt(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("times that fit no place are out of order")
	}
}
