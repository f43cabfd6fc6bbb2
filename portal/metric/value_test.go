package metric_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"onrecord/portal/metric"
)

func TestParseValue(t *testing.T) {
	const share, pace = "talk_share", "words_per_minute"
	for _, tt := range []struct{ key, text, want string }{
		{share, "61.3", "61.3"}, {share, "61", "61.0"}, {share, "0", "0.0"}, {share, "0.0", "0.0"}, {share, "100", "100.0"}, {share, "007.5", "7.5"},
		{pace, "142", "142"}, {"response_delay", "0.8", "0.8"}, {"interruptions", "3", "3"},
		{share, "100.1", `Talk share: "100.1" is too large; give a number from 0 to 100 with at most one decimal, such as 61.3`},
		{share, "61,3", `Talk share: "61,3" has a comma, where only a point may stand; give a number from 0 to 100 with at most one decimal, such as 61.3`},
		{share, "61.34", `Talk share: "61.34" has too many decimals; give a number from 0 to 100 with at most one decimal, such as 61.3`},
		{share, "-1", `Talk share: "-1" has a sign; give a number from 0 to 100 with at most one decimal, such as 61.3`},
		{share, "", `Talk share: "" is no number; give a number from 0 to 100 with at most one decimal, such as 61.3`},
		{pace, "142.0", `Words a minute: "142.0" has too many decimals; give a number from 0 to 1000 without decimals, such as 142`},
		{pace, "1001", `Words a minute: "1001" is too large; give a number from 0 to 1000 without decimals, such as 142`},
		{"filler_words", "1000001", `Filler words: "1000001" is too large; give a number from 0 to 1000000 without decimals, such as 3`},
		{"response_delay", "360000.1", `Response delay: "360000.1" is too large; give a number from 0 to 360000 with at most one decimal, such as 12.5`},
	} {
		m, _ := metric.Get(tt.key)
		v, err := metric.ParseValue(m, tt.text)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != tt.want || v.Available() == (err != nil) {
			t.Errorf("%s %q\ngot  %s\nwant %s", tt.key, tt.text, got, tt.want)
		}
	}
	m, _ := metric.Get(share)
	for _, junk := range []string{"NaN", "inf", "1e1", "0x1", "+5", " 5", "5 ", "5\n", "5 0", ".5", "5.", "5.0.0", "1_0", "٣", "５", "5%", strings.Repeat("9", 100), "0." + strings.Repeat("0", 100), "\xff", "1'000"} {
		if v, err := metric.ParseValue(m, junk); err == nil {
			t.Errorf("%q was read as %s", junk, v)
		}
		if v, err := metric.ParseStored(junk); err == nil {
			t.Errorf("stored %q was read as %s", junk, v)
		}
	}
}

func TestValueCompares(t *testing.T) {
	order := []string{"", "0", "0.05", "0.1", "1", "9.9", "10.00", "100.0001", "99999999999999"}
	for i, a := range order {
		for j, b := range order {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := stored(t, a).Compare(stored(t, b)); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if stored(t, "1.50").Compare(stored(t, "1.5")) != 0 {
		t.Error("1.50 is not 1.5")
	}
}

func stored(t *testing.T, text string) metric.Value {
	t.Helper()
	if text == "" {
		return metric.Value{}
	}
	v, err := metric.ParseStored(text)
	if err != nil || v.String() != text {
		t.Fatalf("%q was read as %s: %v", text, v, err)
	}
	return v
}

func TestValueIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(metric.All()).Draw(t, "metric")
		text := rapid.StringMatching(`[0-9]{1,7}(\.[0-9]{1,2})?`).Draw(t, "text")
		v, err := metric.ParseValue(m, text)
		if err != nil {
			return
		}
		if again, err := metric.ParseValue(m, v.String()); err != nil || again != v {
			t.Fatalf("%s %q: %s, again %s, %v", m.Key, text, v, again, err)
		}
		if again, err := metric.ParseStored(v.String()); err != nil || again != v {
			t.Fatalf("%s %q: %s, stored %s, %v", m.Key, text, v, again, err)
		}
	})
}

func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"61.3", "61,3", "1e3", "NaN", "", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range metric.All() {
			v, err := metric.ParseValue(m, text)
			if (err == nil) != v.Available() {
				t.Fatalf("%q: %v, %v", text, v, err)
			}
			if err != nil {
				continue
			}
			want, ok := new(big.Rat).SetString(text)
			got, _ := new(big.Rat).SetString(v.String())
			if !ok || got.Cmp(want) != 0 {
				t.Fatalf("%q was read as %s", text, v)
			}
		}
	})
}
