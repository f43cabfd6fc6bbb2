package metric

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is what a metric's values count.
type Unit string

// The units.
const (
	Percent        Unit = "percent"
	WordsPerMinute Unit = "words per minute"
	Seconds        Unit = "seconds"
	Count          Unit = "count"
)

// units holds what differs between them. Every unit begins at 0.
var units = map[Unit]struct {
	symbol   string
	most     int64
	decimals uint8
	example  string
}{
	Percent:        {"%", 100, 1, "61.3"},
	WordsPerMinute: {"words/min", 1000, 0, "142"},
	Seconds:        {"s", 360_000, 1, "12.5"}, // the 100 hours of a transcript
	Count:          {"", 1_000_000, 0, "3"},
}

// Symbol is the unit as it stands behind a number: "%", "words/min", "s", "".
func (u Unit) Symbol() string { return units[u].symbol }

// Decimals is how many decimals a value of the unit has.
func (u Unit) Decimals() int { return int(units[u].decimals) }

// Bounds are the least and the greatest value: "0 to 100".
func (u Unit) Bounds() string { return "0 to " + strconv.FormatInt(units[u].most, 10) }

// holds tells whether an available value is one of the unit.
func (u Unit) holds(v Value) bool {
	return v.ok && v.decimals == units[u].decimals && v.n >= 0 && v.n <= units[u].most*scale(v.decimals)
}

// Value is a decimal number, or not available (the zero Value). Two values of
// one metric are equal if == says so.
type Value struct {
	n        int64 // in units of the last decimal
	decimals uint8
	ok       bool
}

// Available tells whether there is a value.
func (v Value) Available() bool { return v.ok }

// String is the canonical form, with all decimals of the unit: "61.3", "0.0";
// "" if it is not available.
func (v Value) String() string {
	if !v.ok {
		return ""
	}
	if v.decimals == 0 {
		return strconv.FormatInt(v.n, 10)
	}
	return fmt.Sprintf("%d.%0*d", v.n/scale(v.decimals), v.decimals, v.n%scale(v.decimals))
}

// Format is the value with its unit, "61.3 %"; "not available" without one.
func (m Metric) Format(v Value) string {
	if !v.ok {
		return "not available"
	}
	return strings.TrimSpace(v.String() + " " + m.Unit.Symbol())
}

// Compare orders values by size, those that are not available first. It gives
// -1, 0 or 1.
func (v Value) Compare(other Value) int {
	if !v.ok || !other.ok {
		switch {
		case v.ok:
			return 1
		case other.ok:
			return -1
		}
		return 0
	}
	if c := cmp.Compare(v.n/scale(v.decimals), other.n/scale(other.decimals)); c != 0 {
		return c
	}
	of := func(v Value) int64 { return v.n % scale(v.decimals) * scale(maxDecimals-v.decimals) }
	return cmp.Compare(of(v), of(other))
}

// ParseValue reads a value that a person or program gives for a metric: digits
// and, where the unit has decimals, a point and at most as many of them. No
// sign, exponent, white space or comma (which means thousands to some readers
// and decimals to others) is accepted. The error says what would be right.
func ParseValue(m Metric, text string) (Value, error) {
	refuse := func(why string) (Value, error) {
		return Value{}, fmt.Errorf("%s: %q %s; give a number from %s%s, such as %s", m.Name, clip(text), why, m.Unit.Bounds(), decimalsAllowed(m.Unit), units[m.Unit].example)
	}
	v, ok := parse(text)
	switch {
	case text == "":
		return refuse("is no number")
	case strings.Contains(text, ","):
		return refuse("has a comma, where only a point may stand")
	case strings.HasPrefix(text, "-"):
		return refuse("has a sign")
	case !ok:
		return refuse("is no plain decimal number")
	case v.decimals > units[m.Unit].decimals:
		return refuse("has too many decimals")
	}
	least := units[m.Unit].decimals
	if v.n > units[m.Unit].most*scale(v.decimals) {
		return refuse("is too large")
	}
	return Value{v.n * scale(least-v.decimals), least, true}, nil
}

// ParseStored reads what String gave, without asking for a metric's bounds,
// which may have been others when it was stored.
func ParseStored(text string) (Value, error) {
	v, ok := parse(text)
	if !ok {
		return Value{}, fmt.Errorf("%q is no stored value: expects digits, such as 61.3", clip(text))
	}
	return v, nil
}

const (
	maxDecimals = 4
	maxDigits   = 18 // an int64 holds them
)

// parse reads digits, and decimals behind a point.
func parse(text string) (Value, bool) {
	whole, fraction, point := strings.Cut(text, ".")
	digits := whole + fraction
	if whole == "" || point && fraction == "" || len(digits) > maxDigits || len(fraction) > maxDecimals ||
		strings.Trim(digits, "0123456789") != "" {
		return Value{}, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return Value{n, uint8(len(fraction)), true}, err == nil
}

func decimalsAllowed(u Unit) string {
	switch units[u].decimals {
	case 0:
		return " without decimals"
	case 1:
		return " with at most one decimal"
	}
	return fmt.Sprintf(" with at most %d decimals", units[u].decimals)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func scale(decimals uint8) int64 {
	n := int64(1)
	for range decimals {
		n *= 10
	}
	return n
}

// fraction gives num/den in a unit, rounded half up; not available if den is
// 0. Neither is negative.
func fraction(u Unit, num, den int64) Value {
	d := units[u].decimals
	if den == 0 || num > math.MaxInt64/2/scale(d)-den {
		return Value{}
	}
	return Value{(2*num*scale(d) + den) / (2 * den), d, true}
}

func count(n int) Value { return fraction(Count, int64(n), 1) }
