package audit

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	jcsoracle "github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// nasty are texts that encoders get wrong.
var nasty = []string{
	"<script>alert('&')</script>", "line\u2028and\u2029paragraph", "nul\x00in\x1fside\x7f", "\b\t\n\f\r\"\\/",
	"surrogate pair 😀 𝒳", "שלום עולם \u202eabc", "e\u0301 is not é", "Z͑ͫ̓a̴l", "\ufeffbom\ufffd", "\U0010ffff\ue000", "\u0080\u009f", "Sam Roe",
}

// canonicalOf is what another implementation of RFC 8785 makes of it.
func canonicalOf(t interface{ Fatalf(string, ...any) }, raw []byte) string {
	out, err := jcsoracle.Transform(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return string(out)
}

func checkText(t interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
}, s string) {
	w := &jcs{}
	w.open('{')
	w.text("a", "x"+s)
	w.shut('}')
	if w.err != nil {
		if utf8.ValidString(s) {
			t.Errorf("%q was refused: %v", s, w.err)
		}
		if e, ok := errors.AsType[*Error](w.err); !ok || e.Code != CodeInvalid || e.Field != "a" {
			t.Errorf("%q: error %v does not name the member", s, w.err)
		}
		return
	}
	plain, err := json.Marshal(map[string]string{"a": "x" + s}) // escapes more than RFC 8785
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !utf8.ValidString(s) {
		t.Errorf("%q is not UTF-8 and was accepted", s)
	} else if want := canonicalOf(t, plain); string(w.b) != want {
		t.Errorf("%q is written %q, want %q", s, w.b, want)
	}
	r := &jcsReader{s: string(w.b)}
	r.open('{')
	got := r.text("a")
	r.shut('}')
	if r.fail || got != "x"+s {
		t.Errorf("%q reads back as %q", s, got)
	}
}

func TestCanonicalText(t *testing.T) {
	for _, s := range nasty {
		checkText(t, s)
	}
	for c := range 0x80 {
		checkText(t, string(rune(c)))
	}
	rapid.Check(t, func(t *rapid.T) { checkText(t, rapid.String().Draw(t, "text")) })
}

func FuzzCanonicalText(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Add("\xff\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, s string) { checkText(t, s) })
}

func TestCanonicalValues(t *testing.T) {
	for _, v := range []any{nil, "", "true", "0", true, false, int64(0), int64(-1), int64(maxInteger - 1), int64(1 - maxInteger)} {
		value, err := valueOf(v)
		if err != nil {
			t.Fatal(err)
		}
		w := &jcs{}
		w.open('{')
		w.value("a", value)
		w.int("b", 7)
		w.shut('}')
		r := &jcsReader{s: string(w.b)}
		r.open('{')
		if got := r.value("a"); got != value || r.int("b") != 7 || r.fail {
			t.Errorf("%v: %s reads as %v", v, w.b, got)
		}
		if got := canonicalOf(t, w.b); got != string(w.b) {
			t.Errorf("%v is written %s, want %s", v, w.b, got)
		}
		raw, err := json.Marshal(value)
		var again Value
		if err != nil || json.Unmarshal(raw, &again) != nil || again != value {
			t.Errorf("%v: JSON %s reads as %v, %v", v, raw, again, err)
		}
	}
	for _, v := range []any{int64(maxInteger), int64(-maxInteger), 1.5, json.Number("1.5"), json.Number("1e3"), []int{1}} {
		if value, err := valueOf(v); err == nil {
			t.Errorf("%v was accepted as %v", v, value)
		}
	}
}
