package audit

import (
	"slices"
	"testing"
	"unicode/utf8"
)

// What quickImage reads is what slowImage reads.
func FuzzImage(f *testing.F) {
	for _, raw := range []string{
		`{}`, `{"a":null,"b":1,"c":"x","d":-7,"e":true,"f":false}`, `{"a": "x", "b": null}`, `{"a" : 1, "b" : "é\"\\\n"}`,
		`{"a":"\u00e9"}`, `{"a":"\u0000"}`, `{"a":1.5}`, `{"a":9007199254740992}`, `{"a":01}`, `{"a":-0}`, `{"a":-}`, `{"a":1e3}`, `{"a":{}}`, `{"a":[1]}`,
		`{"a":"x"`, `{"a":"x"}}`, `{"a":1,}`, `{,"a":1}`, `{"a":nul}`, `{"a"}`, `{"a":"\/"}`, "{\"a\":\"\t\"}", ``, `null`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		quick, ok := quickImage(raw)
		if !ok || !utf8.ValidString(raw) {
			return
		}
		slow, err := slowImage([]byte(raw))
		if err != nil {
			t.Fatalf("%q was read quickly: %v", raw, err)
		}
		if !slices.Equal(quick, slow) {
			t.Errorf("%q reads as %v, want %v", raw, quick, slow)
		}
	})
}

// What the databases write is read quickly.
func TestImagesAreReadQuickly(t *testing.T) {
	for _, raw := range []string{`{"status":"open","amount":null,"note":"Zoë said \"no\""}`, `{"status": "open", "amount": 12}`, `{"a" : 1, "b" : null}`} {
		if _, ok := quickImage(raw); !ok {
			t.Errorf("%s is read slowly", raw)
		}
	}
}
