package seal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"onrecord/audit/seal"
)

func FuzzCheckpoint(f *testing.F) {
	s := newSample(f, team, 3)
	f.Add(s.checkpoint(f, 3))
	f.Add([]byte("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n\n— o AAAA\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if c, err := seal.ParseCheckpoint(string(msg)); err == nil && c.Text() != string(msg) {
			t.Errorf("%q is read, %q is written", msg, c.Text())
		}
		signed, err := seal.Open(msg, s.keys(), nil)
		if err == nil && signed.Origin != s.origin() {
			t.Errorf("%q passes", msg)
		}
	})
}

func FuzzKeys(f *testing.F) {
	k, _ := seal.NewKey()
	f.Add(k.LogKey("a/b").String())
	f.Add(k.Witness("a/b").String())
	f.Add("PRIVATE+KEY+a+00000000+AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := seal.ParseLogKey(text); err == nil && k.String() != text {
			t.Errorf("%q is read, %q is written", text, k)
		}
		if w, err := seal.ParseWitness(text); err == nil && w.String() != text {
			t.Errorf("%q is read, %q is written", text, w)
		}
	})
}

// FuzzExport changes exports. Whatever passes must hold the events of the log,
// each canonical JSON by another implementation's measure.
func FuzzExport(f *testing.F) {
	s := newSample(f, team, 6)
	f.Add([]byte(s.all(f)))
	f.Add([]byte(s.export(f, s.checkpoint(f, 6), "q", func(leaf int64) bool { return leaf%3 == 1 })))
	f.Add([]byte(`{"hashes":["CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="],"skip":[62]}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := seal.Verify(bytes.NewReader(file), seal.Options{Keys: s.keys(), Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() {
			return
		}
		for line := range strings.Lines(string(file)) {
			var l struct {
				Event json.RawMessage
				Leaf  int
			}
			if json.Unmarshal([]byte(line), &l) == nil && l.Event != nil && string(l.Event) != string(s.entries[l.Leaf].Body) {
				t.Errorf("leaf %d passes as %s", l.Leaf, l.Event)
			}
			canonical, err := jcs.Transform([]byte(line))
			if err != nil || string(canonical)+"\n" != line {
				t.Errorf("a line passes that is not canonical: %v\n%s", err, line)
			}
		}
	})
}

// FuzzCanonical: a header's query takes any text; what is written of it is
// canonical, by another implementation's measure.
func FuzzCanonical(f *testing.F) {
	s := newSample(f, team, 2)
	f.Add("actor:dana \"x\" \\ \x00\x1f\x7f é 𝄞 \u2028 <&>")
	f.Fuzz(func(t *testing.T, query string) {
		if query == "" {
			return
		}
		var out bytes.Buffer
		w, err := seal.NewExportWriter(&out, seal.Header{Checkpoint: s.checkpoint(t, 2), Log: s.log, Query: query}, s)
		if err != nil {
			return // not UTF-8
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(out.String(), "\n")
		if again, err := jcs.Transform([]byte(line)); err != nil || string(again) != line {
			t.Errorf("%v\n%s\n%s", err, line, again)
		}
		if r := s.verify(t, out.String()); !r.OK() || r.Header.Query != query {
			t.Errorf("%q: %q, %s", query, r.Header.Query, faults(r))
		}
	})
}
