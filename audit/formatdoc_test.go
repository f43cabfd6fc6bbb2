package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFormatPage: the example of docs/event-format.md is what the program
// makes, and the page names every member that an event can have.
func TestFormatPage(t *testing.T) {
	raw, err := os.ReadFile("../docs/event-format.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, example := range []string{"created.txt", "created.json"} {
		golden, err := os.ReadFile(filepath.Join("testdata", "golden", example))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, "\n"+string(golden)+"```\n") {
			t.Errorf("the page does not show %s as it is", example)
		}
	}
	documented := map[string]bool{}
	for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(page, -1) {
		documented[name[1]] = true
	}
	var members func(v any, in string)
	members = func(v any, in string) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if !documented[name] && in != "data" {
					t.Errorf("the member %s is not documented", name)
				}
				members(member, name)
			}
		case []any:
			for _, each := range v {
				members(each, in)
			}
		}
	}
	for name, e := range goldenEvents() {
		s := sealGolden(t, name, e)
		shown, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range [][]byte{s.Body, s.Who.JSON, s.What.JSON, shown} {
			var v any
			if err := json.Unmarshal(j, &v); err != nil {
				t.Fatal(err)
			}
			members(v, "")
		}
	}
}

// TestClassesByAnOutsider finds the class and the values of every change in the
// golden files as docs/event-format.md says, with nothing of ours, and compares
// them with what the events were made of.
func TestClassesByAnOutsider(t *testing.T) {
	for name, e := range goldenEvents() {
		raw, err := os.ReadFile(filepath.Join("testdata", "golden", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		line := func(name string) string {
			return regexp.MustCompile("(?m)^" + name + " (.*)$").FindStringSubmatch(string(raw))[1]
		}
		var event, what struct{ Changes []map[string]any }
		if json.Unmarshal([]byte(line("event")), &event) != nil || json.Unmarshal([]byte(line("what")), &what) != nil {
			t.Fatalf("%s cannot be read", name)
		}
		salt, err := base64.StdEncoding.DecodeString(line("what-salt"))
		if err != nil || len(salt) != 32 {
			t.Fatalf("%s: salt %x, %v", name, salt, err)
		}
		digestOf := func(v Value) any {
			if v.IsZero() {
				return nil
			}
			sum := sha256.Sum256(slices.Concat([]byte("onrecord/v1/value\x00"), salt, []byte(v.String())))
			return base64.StdEncoding.EncodeToString(sum[:])
		}
		for i, c := range e.Changes {
			got, hidden := event.Changes[i], map[string]any{}
			for _, h := range what.Changes {
				if h["n"] == float64(i) {
					hidden = h
				}
			}
			class, from, to := Secret, any(nil), any(nil)
			switch {
			case got["field"] == nil || got["from"] != nil || got["to"] != nil:
				class, from, to = Plain, got["from"], got["to"]
			case hidden["from"] != nil || hidden["to"] != nil:
				class, from, to = Personal, hidden["from"], hidden["to"]
			case hidden["from_digest"] != nil || hidden["to_digest"] != nil:
				class, from, to = Digest, hidden["from_digest"], hidden["to_digest"]
			}
			wantFrom, wantTo := asAny(t, c.From), asAny(t, c.To)
			if c.Class == Digest {
				wantFrom, wantTo = digestOf(c.From), digestOf(c.To)
			}
			if class != c.Class || from != wantFrom || to != wantTo {
				t.Errorf("%s, change %d: %s %v → %v, want %s %v → %v", name, i, class, from, to, c.Class, wantFrom, wantTo)
			}
			if field := fmt.Sprint(got["field"]); c.Field != "" && field != c.Field {
				t.Errorf("%s, change %d: field %s, want %s", name, i, field, c.Field)
			}
		}
	}
}

// asAny is a value as a plain JSON reader gives it.
func asAny(t *testing.T, v Value) (out any) {
	raw, err := json.Marshal(v)
	if err != nil || json.Unmarshal(raw, &out) != nil {
		t.Fatalf("%v: %v", v, err)
	}
	return out
}
