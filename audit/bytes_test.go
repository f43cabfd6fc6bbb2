package audit

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	testWho  = sha256.Sum256([]byte("who"))
	testWhat = sha256.Sum256([]byte("what"))
)

// drawEvent gives any event that can be sealed.
func drawEvent(t *rapid.T) *Event {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom(append(nasty, "")))
	some := rapid.StringN(1, 20, -1)
	word := rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`)
	value := rapid.Custom(func(t *rapid.T) Value {
		return rapid.OneOf(
			rapid.Just(Value{}),
			rapid.Map(text, stringValue),
			rapid.Map(rapid.Int64Range(1-maxInteger, maxInteger-1), func(n int64) Value { return Value{kind: 'n', n: n} }),
			rapid.Map(rapid.Int64Range(0, 1), func(n int64) Value { return Value{kind: 'b', n: n} }),
		).Draw(t, "value")
	})
	change := rapid.Custom(func(t *rapid.T) Change {
		c := Change{On: Ref{Type: word.Draw(t, "type"), ID: some.Draw(t, "id")}, Prev: text.Draw(t, "prev")}
		c.Class = rapid.SampledFrom([]Class{Plain, Personal, Secret, Digest}).Draw(t, "class")
		if c.Class == Plain && rapid.Bool().Draw(t, "untouched") {
			return c
		}
		c.Field = some.Draw(t, "field")
		if c.Class != Secret {
			c.From, c.To = value.Draw(t, "from"), value.Draw(t, "to")
			if c.From.IsZero() && c.To.IsZero() {
				c.To = stringValue("")
			}
		}
		return c
	})
	ref := rapid.Custom(func(t *rapid.T) Ref {
		return Ref{word.Draw(t, "type"), text.Draw(t, "id"), text.Draw(t, "name")}
	})
	instant := rapid.Map(rapid.Int64Range(0, 4102444800_000000), func(n int64) time.Time { return time.UnixMicro(n).UTC() })
	at := instant.Draw(t, "time")
	e := &Event{
		ID: NewID("evt", at), Log: some.Draw(t, "log"), Time: at, Recorded: at, Version: 1, Action: some.Draw(t, "action"),
		Outcome: rapid.SampledFrom([]Outcome{OutcomeOK, OutcomeDenied, OutcomeFailed}).Draw(t, "outcome"),
		Reason:  text.Draw(t, "reason"), Source: text.Draw(t, "source"),
		Related: rapid.SliceOfN(ref, 0, 4).Draw(t, "related"),
		Changes: rapid.SliceOfN(change, 0, 5).Draw(t, "changes"),
		Links:   rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Link { return Link{word.Draw(t, "rel"), text.Draw(t, "log"), some.Draw(t, "id")} }), 0, 3).Draw(t, "links"),
		Data:    rapid.MapOfN(word, text, 0, 4).Draw(t, "data"),
		Context: Context{text.Draw(t, "ip"), text.Draw(t, "agent"), text.Draw(t, "session"), text.Draw(t, "request"), word.Draw(t, "via")},
	}
	if e.Outcome == OutcomeFailed {
		e.Error = text.Draw(t, "error")
	}
	if e.Source != "" {
		e.Recorded = instant.Draw(t, "recorded")
	}
	if rapid.Bool().Draw(t, "has actor") {
		e.Actor = &Actor{rapid.SampledFrom([]ActorType{ActorUser, ActorAPIKey, ActorOperator, ActorSystem}).Draw(t, "actor"), text.Draw(t, "id"), text.Draw(t, "for"), text.Draw(t, "name"), text.Draw(t, "email")}
	}
	if rapid.Bool().Draw(t, "has object") {
		o := ref.Draw(t, "object")
		e.Object = &o
	}
	return e
}

// remembered is what decode gives for an event that was encoded: empty lists
// are nil, digests stand for their values.
func remembered(e *Event, salt []byte) Event {
	r := *e
	r.Changes = nil
	for _, c := range e.Changes {
		if c.Class == Digest {
			for _, v := range []*Value{&c.From, &c.To} {
				if !v.IsZero() {
					*v = stringValue(digest(salt, v.String()))
				}
			}
		}
		r.Changes = append(r.Changes, c)
	}
	if len(e.Related) == 0 {
		r.Related = nil
	}
	if len(e.Links) == 0 {
		r.Links = nil
	}
	if len(e.Data) == 0 {
		r.Data = nil
	}
	return r
}

// forgotten is what decode gives when both parts are erased.
func forgotten(e Event) Event {
	e.WhoErased, e.WhatErased = true, true
	e.Context.IP, e.Context.UserAgent = "", ""
	if e.Actor != nil {
		e.Actor = &Actor{Type: e.Actor.Type, ID: e.Actor.ID, For: e.Actor.For}
	}
	if e.Object != nil {
		e.Object = &Ref{Type: e.Object.Type, ID: e.Object.ID}
	}
	e.Reason, e.Data = "", nil
	related, changes := e.Related, e.Changes
	e.Related, e.Changes = nil, nil
	for _, r := range related {
		e.Related = append(e.Related, Ref{Type: r.Type, ID: r.ID})
	}
	for _, c := range changes {
		if c.Class != Plain {
			c.Class, c.From, c.To = Erased, Value{}, Value{}
		}
		e.Changes = append(e.Changes, c)
	}
	return e
}

func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		s, err := encode(e, testWho, testWhat)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range [][]byte{s.Body, s.Who.JSON, s.What.JSON} {
			if want := canonicalOf(t, raw); string(raw) != want {
				t.Fatalf("%s is not canonical, want %s", raw, want)
			}
		}
		want := remembered(e, testWhat[:])
		if got, err := decode(s.Body, &s.Who, &s.What); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v\nwant %+v", got, err, want)
		}
		if got, err := decode(s.Body, nil, nil); err != nil || !reflect.DeepEqual(got, forgotten(want)) {
			t.Fatalf("erased: %+v, %v\nwant %+v", got, err, forgotten(want))
		}
	})
}

// TestEveryByteCounts changes each byte of the golden events. A changed part or
// salt is refused. Changed bytes are refused or say something else: no two
// spellings mean the same, so that the hash of the bytes is the event's.
func TestEveryByteCounts(t *testing.T) {
	for name, e := range goldenEvents() {
		s := sealGolden(t, name, e)
		same, err := decode(s.Body, &s.Who, &s.What)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range []struct {
			what  string
			bytes []byte
		}{{"body", s.Body}, {"who", s.Who.JSON}, {"what", s.What.JSON}, {"who salt", s.Who.Salt}, {"what salt", s.What.Salt}} {
			for i, was := range raw.bytes {
				for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
					raw.bytes[i] = was ^ bit
					got, err := decode(s.Body, &s.Who, &s.What)
					if err == nil && (raw.what != "body" || reflect.DeepEqual(got, same)) {
						t.Errorf("%s: byte %d of %s changed from %q to %q unnoticed", name, i, raw.what, was, was^bit)
					}
				}
				raw.bytes[i] = was
			}
		}
	}
}

func TestOtherSpellingsAreRefused(t *testing.T) {
	s, err := encode(usualEvent(), testWho, testWhat)
	if err != nil {
		t.Fatal(err)
	}
	good := string(s.Body)
	for _, c := range []struct{ from, to string }{
		{`{"action"`, `{ "action"`}, {`"v":1`, `"v":1.0`}, {`"v":1`, `"v":01`}, {`"v":1`, `"v":0`}, {`"v":1`, `"v":-1`}, {`"v":1,`, ``}, {`"v":1`, `"v":"1"`},
		{`"role"`, `"\u0072ole"`}, {`"role"`, `"r\/ole"`}, {`"role"`, "\"r\xffole\""}, {`"role"`, "\"r\nole\""},
		{`"outcome":"ok"`, `"outcome":"maybe"`}, {`"outcome":"ok"`, `"error":"x","outcome":"ok"`}, {`"via"`, `"later":1,"via"`},
		{`"what":"`, `"what":"A`}, {`"what":"`, `"what":"","x":"`}, {`"recorded":"2026-11-23T18:44:14.123456Z"`, `"recorded":"2026-11-23T18:44:14.123457Z","source":"x"`},
		{`"outcome":"ok"`, `"outcome":"ok","outcome":"ok"`}, {`"action"`, `"Action"`}, {`"type":"user"`, `"type":"dog"`},
		{`"request"`, `"related":[],"request"`}, {`14.123456Z`, `14,123456Z`}, {`.123456Z`, `.123457Z`}, {`2026-11-23T`, `2026-02-30T`},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Fatalf("%q is not in the bytes", c.from)
		}
		if e, err := decode([]byte(bad), &s.Who, &s.What); err == nil {
			t.Errorf("%s was accepted as %+v", bad, e)
		}
	}
	for _, bad := range []string{"", "{}", "null", "[]", good + "\n", good + "{}", good[:len(good)-1], strings.Repeat("[", 1e5)} {
		if _, err := decode([]byte(bad), nil, nil); err == nil {
			t.Errorf("%.40q was accepted", bad)
		}
	}
}

// TestWrongParts gives parts that match their commitments and still say what
// no event can.
func TestWrongParts(t *testing.T) {
	e := usualEvent()
	e.Related = []Ref{{Type: "team", ID: "t1"}, {Type: "team", ID: "t2"}}
	e.Changes = append(e.Changes, Change{On: Ref{Type: "user", ID: "u1"}, Field: "pin", Class: Secret})
	s, err := encode(e, testWho, testWhat)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ who, what string }{
		{`{ }`, `{}`}, {`{"name":"a","email":"b"}`, `{}`}, {`{"name":""}`, `{}`}, {`{"phone":"1"}`, `{}`}, {`{`, `{}`}, {``, `{}`},
		{`{}`, `{"changes":[]}`}, {`{}`, `{"changes":[{"n":1}]}`}, {`{}`, `{"changes":[{"n":0,"to":"plain"}]}`}, {`{}`, `{"changes":[{"n":3,"to":"x"}]}`}, {`{}`, `{"changes":[{"n":2,"to":"x"},{"n":1,"to":"y"}]}`},
		{`{}`, `{"changes":[{"n":-1,"to":"x"}]}`}, {`{}`, `{"changes":[{"n":1,"to":"x"},{"n":1,"to":"y"}]}`}, {`{}`, `{"changes":[{"n":1,"to":"x","to_digest":"y"}]}`},
		{`{}`, `{"changes":[{"n":1,"to":1.5}]}`}, {`{}`, `{"changes":[{"n":1,"to":9007199254740992}]}`}, {`{}`, `{"changes":[{"n":1,"to":null}]}`},
		{`{}`, `{"data":{"b":"1","a":"2"}}`}, {`{}`, `{"data":{"A":"1"}}`}, {`{}`, `{"data":{"a":"1","a":"2"}}`}, {`{}`, `{"data":{}}`}, {`{}`, `{"data":{"a":1}}`},
		{`{}`, `{"related":[{"n":2,"name":"x"}]}`}, {`{}`, `{"related":[{"n":1,"name":"x"},{"n":0,"name":"y"}]}`}, {`{}`, `{"related":[{"n":0}]}`}, {`{}`, `{"object":{}}`}, {`{}`, `{"reason":"a\u0041"}`},
	} {
		who, what := part{s.Who.Salt, []byte(c.who)}, part{s.What.Salt, []byte(c.what)}
		body := strings.NewReplacer(s.Who.commitment(whoDomain), who.commitment(whoDomain), s.What.commitment(whatDomain), what.commitment(whatDomain)).Replace(string(s.Body))
		if got, err := decode([]byte(body), &who, &what); err == nil {
			t.Errorf("who %s, what %s were accepted: %+v", c.who, c.what, got)
		}
	}
	swapped := sealed{Who: part{s.What.Salt, s.Who.JSON}, What: s.What}
	if _, err := decode(s.Body, &swapped.Who, &swapped.What); err == nil {
		t.Error("a part with another salt was accepted")
	}
}

// TestBodyWithoutCommitments: who and what stand in every event, also in one
// whose parts are erased.
func TestBodyWithoutCommitments(t *testing.T) {
	s, err := encode(usualEvent(), testWho, testWhat)
	if err != nil {
		t.Fatal(err)
	}
	good := s.Who.commitment(whoDomain)
	for _, bad := range []string{"", "A", good[:43], good[:42] + "==", good + "A", good[:20] + `\n` + good[20:], strings.Repeat("-", 43) + "="} {
		raw := strings.Replace(string(s.Body), good, bad, 1)
		if bad == "" {
			raw = strings.Replace(string(s.Body), `,"who":"`+good+`"`, "", 1)
		}
		if _, err := decode([]byte(raw), nil, nil); err == nil {
			t.Errorf("the commitment %q was accepted", bad)
		}
	}
}

func TestUnknownVersion(t *testing.T) {
	raw := []byte(`{"id":"evt_1","later":[1.5,null],"log":"team_1","v":2}`)
	e, err := decode(raw, nil, nil)
	if want := (Event{ID: "evt_1", Log: "team_1", Version: 2}); err != nil || !reflect.DeepEqual(e, want) {
		t.Fatalf("%+v, %v; want %+v", e, err, want)
	}
	rendered, err := e.MarshalJSON()
	want := `{"id":"evt_1","team":"team_1","version":2,"unread":true,"changes":[],"related":[],"context":{}}`
	if err != nil || string(rendered) != want {
		t.Errorf("%s, %v; want %s", rendered, err, want)
	}
	for _, bad := range []string{
		`{"v":2}`, `{"id":"evt_1","v":2}`, `{"log":"team_1","v":2}`, `{"id":"evt_1","log":"team_1","V":2}`, `{"id":"evt_1","log":"team_1","v":"2"}`,
		`{"ID":"evt_1","log":"team_1","v":2}`, `{"id":1,"log":"team_1","v":2}`, `{"id":"evt_1","log":"team_1","v":2.5}`, `{"id":"evt_1","log":"team_1","v":0}`,
		"{\"id\":\"evt_\xff\",\"log\":\"team_1\",\"v\":2}", `[2]`,
	} {
		if e, err := decode([]byte(bad), nil, nil); err == nil {
			t.Errorf("%s was accepted as %+v", bad, e)
		}
	}
}

func TestErasedJSON(t *testing.T) {
	s := sealGolden(t, "nasty", goldenEvents()["personal"])
	e, err := decode(s.Body, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "erased.json", append(rendered, '\n'))
	for _, gone := range []string{"Dana", "dana@", "203.0.113.7", "Mozilla", "Sam Roe", "41"} {
		if strings.Contains(string(rendered), `"`+gone) || strings.Contains(string(s.Body), `"`+gone) {
			t.Errorf("%q is still there: %s", gone, rendered)
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	on := Ref{Type: "user", ID: "u1"}
	for _, c := range []struct {
		name, field string // field "" and name of a fault: no Error for people
		invalid     bool
		spoil       func(*Event)
	}{
		{"reason", "reason", true, func(e *Event) { e.Reason = "a\xff" }},
		{"name", "name", true, func(e *Event) { e.Actor.Name = "\xed\xa0\x80" }},
		{"personal value", "nickname", true, func(e *Event) {
			e.Changes = []Change{{On: on, Field: "nickname", Class: Personal, To: stringValue("\xc3(")}}
		}},
		{"plain value", "role", true, func(e *Event) { e.Changes = []Change{{On: on, Field: "role", Class: Plain, To: stringValue("\xff")}} }},
		{"data", "note", true, func(e *Event) { e.Data = map[string]string{"note": "\xff"} }},
		{"key of data", "data", true, func(e *Event) { e.Data = map[string]string{"Größe": "1"} }},
		{"body", "", true, func(e *Event) {
			for range 200 {
				e.Related = append(e.Related, Ref{Type: "call", ID: NewID("call", benchTime), Name: strings.Repeat("x", 60)})
			}
			e.Related = append(e.Related, Ref{Type: "call", ID: strings.Repeat("x", 8000)})
		}},
		{"part", "", true, func(e *Event) { e.Reason = strings.Repeat("x", maxPart) }},
		{"year", "time", true, func(e *Event) { e.Time, e.Source = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), "x" }},
		{"id", "", false, func(e *Event) { e.ID = "evt_1" }},
		{"log", "", false, func(e *Event) { e.Log = "" }},
		{"action", "", false, func(e *Event) { e.Action = "" }},
		{"outcome", "", false, func(e *Event) { e.Outcome = "maybe" }},
		{"error beside ok", "", false, func(e *Event) { e.Error = "conflict" }},
		{"time without source", "", false, func(e *Event) { e.Recorded = e.Recorded.Add(time.Second) }},
		{"time of another id", "", false, func(e *Event) { e.Time, e.Source = e.Time.Add(time.Microsecond), "x" }},
		{"type of actor", "", false, func(e *Event) { e.Actor.Type = "robot" }},
		{"plain that says nothing", "", false, func(e *Event) { e.Changes = []Change{{On: on, Field: "role", Class: Plain}} }},
		{"personal that says nothing", "", false, func(e *Event) { e.Changes = []Change{{On: on, Field: "name", Class: Personal}} }},
		{"class", "", false, func(e *Event) {
			e.Changes = []Change{{On: on, Field: "name", Class: Erased, To: stringValue("x")}}
		}},
		{"object without a type", "", false, func(e *Event) { e.Object = &Ref{} }},
		{"related without a type", "", false, func(e *Event) { e.Related = []Ref{{ID: "x"}} }},
		{"change of a row without a type", "", false, func(e *Event) {
			e.Changes = []Change{{On: Ref{ID: "x"}, Field: "role", Class: Secret}}
		}},
		{"secret without a field", "", false, func(e *Event) { e.Changes = []Change{{On: on, Class: Secret}} }},
	} {
		e := usualEvent()
		c.spoil(e)
		_, err := encode(e, testWho, testWhat)
		known, isInvalid := errors.AsType[*Error](err)
		if err == nil || isInvalid != c.invalid || isInvalid && (known.Code != CodeInvalid || known.Field != c.field) {
			t.Errorf("%s: error %v (%#v)", c.name, err, known)
		}
	}
}

func TestLargestEvent(t *testing.T) {
	e := usualEvent()
	s, err := encode(e, testWho, testWhat)
	if err != nil {
		t.Fatal(err)
	}
	e.Context.Session += strings.Repeat("x", maxBody-len(s.Body))
	if s, err = encode(e, testWho, testWhat); err != nil || len(s.Body) != maxBody {
		t.Fatalf("%d bytes, %v", len(s.Body), err)
	}
	if _, err := decode(s.Body, &s.Who, &s.What); err != nil {
		t.Error(err)
	}
	e.Context.Session += "x"
	if _, err := encode(e, testWho, testWhat); CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), "16385 bytes") {
		t.Error(err)
	}
}

// TestDigestHidesItsValue checks that a transcript is in neither bytes nor part.
func TestDigestHidesItsValue(t *testing.T) {
	s := sealGolden(t, "digest", goldenEvents()["digest"])
	all := string(s.Body) + string(s.What.JSON) + string(s.Who.JSON)
	if strings.Contains(all, "Hello") || strings.Contains(all, "old words") {
		t.Error(all)
	}
	if !strings.Contains(string(s.What.JSON), digest(s.What.Salt, "old words")) {
		t.Errorf("the digest is not in %s", s.What.JSON)
	}
}

func FuzzDecode(f *testing.F) {
	for name, e := range goldenEvents() {
		s, err := encode(e, sha256.Sum256([]byte(name)), testWhat)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Body, s.Who.JSON, s.What.JSON)
	}
	f.Add([]byte(`{"v":2}`), []byte(`{}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, raw, whoJSON, whatJSON []byte) {
		if p, ok := readWho(string(whoJSON)); ok {
			if again, err := p.encode(); err == nil && string(again) == string(whoJSON) && canonicalOf(t, whoJSON) != string(whoJSON) {
				t.Errorf("who %s is not canonical", whoJSON)
			}
		}
		e, err := decode(raw, nil, nil)
		if err != nil || e.Version != bodyVersion {
			return
		}
		// The same bytes with the commitments of these parts, which may be anything.
		b, _ := readBody(string(raw))
		who, what := part{testWho[:], whoJSON}, part{testWhat[:], whatJSON}
		b.Who, b.What = who.commitment(whoDomain), what.commitment(whatDomain)
		if raw, err = b.encode(); err != nil {
			t.Fatal(err)
		}
		if e, err = decode(raw, &who, &what); err != nil {
			return
		}
		for _, j := range [][]byte{raw, whoJSON, whatJSON} {
			if want := canonicalOf(t, j); string(j) != want {
				t.Errorf("%s was accepted; canonical is %s", j, want)
			}
		}
		hasDigest := false
		for _, c := range e.Changes {
			hasDigest = hasDigest || c.Class == Digest
		}
		if hasDigest { // its value is not there to be digested again
			return
		}
		s, err := encode(&e, testWho, testWhat)
		if err != nil || string(s.Body) != string(raw) || string(s.Who.JSON) != string(whoJSON) || string(s.What.JSON) != string(whatJSON) {
			t.Errorf("accepted, but encodes again as\n%s\n%s\n%s\n%v, not\n%s\n%s\n%s", s.Body, s.Who.JSON, s.What.JSON, err, raw, whoJSON, whatJSON)
		}
	})
}

// TestGoldenFilesAreAllUsed finds files whose event was dropped or renamed.
func TestGoldenFilesAreAllUsed(t *testing.T) {
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(f.Name(), ".json"), ".txt")
		if goldenEvents()[name] == nil && f.Name() != "erased.json" {
			t.Errorf("testdata/golden/%s belongs to no event", f.Name())
		}
	}
}
