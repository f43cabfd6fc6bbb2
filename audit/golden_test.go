package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixedID gives ids that are the same in every run.
func fixedID(prefix, name string) string {
	return ForeignID(prefix, benchTime, "golden", "test", name)
}

func goldenEvent(action string) Event {
	return Event{
		ID: fixedID("evt", action), Log: fixedID("team", "alpha"), Time: benchTime, Recorded: benchTime, Version: bodyVersion,
		Actor:  &Actor{Type: ActorUser, ID: fixedID("user", "dana"), Name: "Dana Cruz", Email: "dana@example.com"},
		Action: action, Outcome: OutcomeOK,
		Context: Context{IP: "203.0.113.7", UserAgent: "Mozilla/5.0", Session: fixedID("ses", "1"), Request: fixedID("req", "1"), Via: "web"},
	}
}

// goldenEvents hold each rule of the format at least once. Their bytes can
// never change; new events are added under new names.
func goldenEvents() map[string]*Event {
	user := Ref{Type: "user", ID: fixedID("user", "sam")}
	events := map[string]*Event{}
	add := func(name, action string, change func(*Event)) {
		e := goldenEvent(action)
		change(&e)
		events[name] = &e
	}
	add("plain", "user.role_changed", func(e *Event) {
		e.Object = &Ref{user.Type, user.ID, "Sam Roe"}
		e.Reason = "covers for Dana"
		e.Changes = []Change{{On: user, Prev: fixedID("evt", "created"), Field: "role", Class: Plain, From: stringValue("agent"), To: stringValue("admin")}}
	})
	add("created", "user.created", func(e *Event) {
		e.Object = &Ref{user.Type, user.ID, "Sam Roe"}
		e.Changes = []Change{
			{On: user, Field: "blocked", Class: Plain, To: Value{kind: 'b'}},
			{On: user, Field: "email", Class: Personal, To: stringValue("sam@example.com")},
			{On: user, Field: "password_hash", Class: Secret},
			{On: user, Field: "role", Class: Plain, To: stringValue("agent")},
			{On: user, Field: "seat", Class: Plain, To: Value{kind: 'n', n: maxInteger - 1}},
		}
	})
	add("untouched", "call.restored", func(e *Event) {
		e.Changes = []Change{{On: Ref{Type: "call", ID: fixedID("call", "1")}, Prev: fixedID("evt", "p"), Class: Plain}}
	})
	add("personal", "user.renamed", func(e *Event) {
		e.Changes = []Change{
			{On: user, Prev: fixedID("evt", "created"), Field: "role", Class: Plain, From: stringValue(""), To: stringValue("agent")},
			{On: user, Prev: fixedID("evt", "created"), Field: "name", Class: Personal, From: stringValue("Sam Roe"), To: Value{}},
			{On: user, Prev: fixedID("evt", "created"), Field: "age", Class: Personal, From: Value{kind: 'n', n: -1}, To: Value{kind: 'n', n: 41}},
		}
	})
	add("digest", "call.imported", func(e *Event) {
		call := Ref{Type: "call", ID: fixedID("call", "1")}
		e.Object = &call
		e.Changes = []Change{
			{On: call, Field: "started_at", Class: Plain, To: stringValue("2026-11-01T09:00:00Z")},
			{On: call, Field: "transcript", Class: Digest, From: stringValue("old words"), To: stringValue("Hello. <b>Hi!</b>")},
		}
	})
	add("moved", "device.moved", func(e *Event) {
		e.Object = &Ref{"device", fixedID("dev", "1"), "desk-7"}
		e.Related = []Ref{{"team", fixedID("team", "alpha"), "Alpha"}, {"team", fixedID("team", "nameless"), ""}, {"team", fixedID("team", "beta"), "Beta"}}
		e.Links = []Link{{Rel: "pair", Log: fixedID("team", "beta"), ID: fixedID("evt", "pair")}, {Rel: "caused_by", Log: fixedID("team", "alpha"), ID: fixedID("evt", "cause")}}
	})
	add("denied", "call.viewed", func(e *Event) {
		e.Outcome = OutcomeDenied
		e.Object = &Ref{Type: "call", ID: fixedID("call", "2")}
		e.Data = map[string]string{"refusal": "An Agent opens no calls.", "a_count": "3"}
	})
	add("failed", "user.deleted", func(e *Event) { e.Outcome, e.Error = OutcomeFailed, "conflict" })
	add("system", "call.purged", func(e *Event) { e.Actor, e.Context = &Actor{Type: ActorSystem}, Context{Via: "system"} })
	add("nobody", "session.sign_in_failed", func(e *Event) {
		e.Actor, e.Outcome, e.Context = nil, OutcomeDenied, Context{IP: "2001:db8::7"}
	})
	add("key", "call.created", func(e *Event) {
		e.Actor = &Actor{Type: ActorAPIKey, ID: fixedID("key", "1"), For: fixedID("user", "dana"), Name: "nightly"}
		e.Context.Via = "api"
	})
	add("foreign", "session.signed_in", func(e *Event) {
		e.Source, e.Time = "cloudtrail", time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC)
		e.ID = ForeignID("evt", e.Time, e.Log, e.Source, "its id there") // an id holds its event's time
	})
	add("nasty", "metric.value_edited", func(e *Event) {
		e.Reason = strings.Join(nasty, "|")
		e.Actor.Name, e.Context.UserAgent = nasty[5], nasty[2]
		e.Data = map[string]string{}
		for i, s := range nasty {
			e.Data[fmt.Sprintf("n%02d", i)] = s
			e.Changes = append(e.Changes, Change{On: Ref{Type: "score", ID: s}, Field: "value", Class: []Class{Plain, Personal}[i%2], From: stringValue(s), To: stringValue("true")})
		}
		e.Object = &Ref{"call", nasty[4], nasty[0]}
	})
	return events
}

func sealGolden(t testing.TB, name string, e *Event) sealed {
	s, err := encode(e, sha256.Sum256([]byte("who "+name)), sha256.Sum256([]byte("what "+name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestGolden(t *testing.T) {
	for name, e := range goldenEvents() {
		s := sealGolden(t, name, e)
		d, err := decode(s.Body, &s.Who, &s.What)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rendered, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.StdEncoding.EncodeToString
		leaf := sha256.Sum256(append([]byte{0}, s.Body...)) // RFC 6962 section 2.1
		compareGolden(t, name+".txt", fmt.Appendf(nil, "event %s\nleaf-hash %s\nwho-salt %s\nwho %s\nwhat-salt %s\nwhat %s\n",
			s.Body, b64(leaf[:]), b64(s.Who.Salt), s.Who.JSON, b64(s.What.Salt), s.What.JSON))
		compareGolden(t, name+".json", append(rendered, '\n'))
	}
}

func compareGolden(t *testing.T, file string, got []byte) {
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./audit -run Golden -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", file, got, want)
	}
}

// TestGoldenByAnOutsider reads the golden files as docs/event-format.md tells
// others to: with a JSON library, RFC 8785 and SHA-256, and nothing of ours.
func TestGoldenByAnOutsider(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) < len(goldenEvents()) {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		field := map[string]string{}
		for line := range strings.Lines(string(raw)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			field[name] = value
		}
		for _, name := range []string{"event", "who", "what"} {
			if got := canonicalOf(t, []byte(field[name])); got != field[name] {
				t.Errorf("%s: %s is not canonical:\n%s\n%s", file, name, field[name], got)
			}
		}
		var event map[string]any
		if err := json.Unmarshal([]byte(field["event"]), &event); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"who", "what"} {
			salt, err := base64.StdEncoding.DecodeString(field[name+"-salt"])
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256([]byte("onrecord/v1/" + name + "\x00" + string(salt) + field[name]))
			if event[name] != base64.StdEncoding.EncodeToString(sum[:]) {
				t.Errorf("%s: the commitment of %s does not match", file, name)
			}
		}
		leaf := sha256.Sum256([]byte("\x00" + field["event"]))
		if field["leaf-hash"] != base64.StdEncoding.EncodeToString(leaf[:]) {
			t.Errorf("%s: the leaf hash does not match", file)
		}
	}
}
