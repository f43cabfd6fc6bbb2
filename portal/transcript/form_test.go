package transcript_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/portal/transcript"
)

// The stored form and the digest are in databases: these bytes never change.
func TestStoredForm(t *testing.T) {
	got, err := transcript.MarshalTurns(sample().Turns)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"end_ms":1800,"speaker":"agent","start_ms":0,"text":"hello"},{"speaker":"action","text":"Account <b>pulled</b> up."},` +
		`{"speaker":"customer","start_ms":1500,"text":"hi\nthere\n\n00:01.000 --> 00:02.000"},` +
		`{"end_ms":9000,"speaker":"Bob > Al","start_ms":9000,"text":"<script>alert(1)</script> &amp; \r\n"}]`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	digest := transcript.Digest(sample())
	if got, want := hex.EncodeToString(digest[:]), "2017a8f67df2809d1427cbe14304995ca34f273b29eac24c7f555be5a0feb915"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	if none, err := transcript.MarshalTurns(nil); err != nil || string(none) != "[]" {
		t.Errorf("no turns: %s, %v", none, err)
	}
	if _, err := transcript.MarshalTurns([]transcript.Turn{{Speaker: "agent", Text: "\xff"}}); err == nil {
		t.Error("invalid UTF-8 was stored")
	}
	for _, bad := range []string{``, `{}`, `[{}]`, `[{"speaker":"agent"}]`, `[{"speaker":"agent","text":"a","x":1}]`, `[{"speaker":"agent","text":"a"}] `[:20]} {
		if turns, err := transcript.UnmarshalTurns([]byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, turns)
		}
	}
}

func TestDigestTellsEveryDifference(t *testing.T) {
	seen := map[[32]byte]string{transcript.Digest(sample()): "the call itself"}
	later := 17 * time.Millisecond
	for name, change := range map[string]func(*transcript.Call){
		"id":        func(c *transcript.Call) { c.SourceID += "x" },
		"start":     func(c *transcript.Call) { c.StartedAt = c.StartedAt.Add(time.Microsecond) },
		"end":       func(c *transcript.Call) { c.EndedAt = c.StartedAt },
		"agent":     func(c *transcript.Call) { c.Agent = "" },
		"customer":  func(c *transcript.Call) { c.Customer += " " },
		"direction": func(c *transcript.Call) { c.Direction = "outbound" },
		"device":    func(c *transcript.Call) { c.Device = c.Topic; c.Topic = "" },
		"topic":     func(c *transcript.Call) { c.Topic = c.Device; c.Device = "" },
		"no turns":  func(c *transcript.Call) { c.Turns = nil },
		"speaker":   func(c *transcript.Call) { c.Turns[0].Speaker = "customer" },
		"began":     func(c *transcript.Call) { c.Turns[0].Start = &later },
		"untimed":   func(c *transcript.Call) { c.Turns[0].Start, c.Turns[0].End = nil, nil },
		"text":      func(c *transcript.Call) { c.Turns[3].Text += " " },
		"order":     func(c *transcript.Call) { c.Turns[0], c.Turns[1] = c.Turns[1], c.Turns[0] },
	} {
		c := sample()
		change(&c)
		d := transcript.Digest(c)
		if other, same := seen[d]; same {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
	c := sample()
	c.Place = "elsewhere:3"
	c.StartedAt = c.StartedAt.In(time.FixedZone("", 3600))
	if transcript.Digest(c) != transcript.Digest(sample()) {
		t.Error("the same call has another digest")
	}
}

// anyCall draws a call as a reader gives it.
func anyCall(t *rapid.T) transcript.Call {
	name := rapid.StringMatching(`[A-Za-z0-9<>&;:é#-]{1,12}( [A-Za-z<>&.é-]{1,8}){0,2}`)
	text := rapid.StringOf(rapid.OneOf(rapid.Rune().Filter(printable), rapid.SampledFrom([]rune("<>&;#/v\n\r\t -"))))
	c := transcript.Call{
		SourceID:  name.Draw(t, "id"),
		StartedAt: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "started")).UTC(),
		Agent:     name.Draw(t, "agent"), Customer: name.Draw(t, "customer"),
		Direction: rapid.SampledFrom([]string{"inbound", "outbound"}).Draw(t, "direction"),
		Device:    rapid.SampledFrom([]string{"", "desk-7"}).Draw(t, "device"),
		Topic:     rapid.SampledFrom([]string{"", "cards & loans"}).Draw(t, "topic"),
		Turns:     []transcript.Turn{},
	}
	if rapid.Bool().Draw(t, "ended") {
		c.EndedAt = c.StartedAt.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "took")) * time.Microsecond)
	}
	var start, end time.Duration
	for range rapid.IntRange(0, 8).Draw(t, "turns") {
		turn := transcript.Turn{Speaker: rapid.SampledFrom([]string{"agent", "customer", "action", "Third & <Party>"}).Draw(t, "speaker"), Text: text.Draw(t, "text")}
		start += time.Duration(rapid.IntRange(0, 9_000).Draw(t, "after")) * time.Millisecond
		end = start + time.Duration(rapid.IntRange(0, 20_000).Draw(t, "long"))*time.Millisecond
		began, stopped := start, end
		switch rapid.IntRange(0, 5).Draw(t, "times") {
		case 0:
		case 1:
			turn.Start = &began
		default:
			turn.Start, turn.End = &began, &stopped
		}
		c.Turns = append(c.Turns, turn)
	}
	return c
}

func printable(r rune) bool { return r >= ' ' && (r < 0x7f || r > 0x9f) && r != '\ufeff' }

// Each form that can be read again gives the same call.
func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCall(t)
		checkRoundTrips(t, c)
	})
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func checkRoundTrips(t failer, c transcript.Call) {
	t.Helper()
	var vtt, line bytes.Buffer
	if err := errors.Join(transcript.WriteWebVTT(&vtt, c), transcript.WriteJSON(&line, c), transcript.WriteText(io.Discard, c)); err != nil {
		t.Fatalf("writing: %v", err)
	}
	again, err := transcript.ReadWebVTT(bytes.NewReader(vtt.Bytes()), "x.vtt", transcript.Options{})
	if err != nil {
		t.Fatalf("reading WebVTT: %v\n%s", err, vtt.String())
	}
	checkSame(t, c, again)
	again, _, err = transcript.NewReader(&line, "x.jsonl", transcript.Options{}).Next()
	if err != nil {
		t.Fatalf("reading JSON: %v", err)
	}
	checkSame(t, c, again)
	stored, err := transcript.MarshalTurns(c.Turns)
	if err != nil {
		t.Fatalf("storing: %v", err)
	}
	if again.Turns, err = transcript.UnmarshalTurns(stored); err != nil {
		t.Fatalf("reading stored turns: %v", err)
	}
	checkSame(t, c, again)
}

func checkSame(t failer, want, got transcript.Call) {
	t.Helper()
	want.Place, got.Place = "", ""
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("got  %+v %q\nwant %+v %q", got, got.Turns, want, want.Turns)
	}
	if transcript.Digest(want) != transcript.Digest(got) {
		t.Fatalf("the digests differ: %+v", got)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(whole + "\n" + whole[:60]))
	f.Add([]byte(turns(`[{"speaker":"agent","text":"\u0000"},{"speaker":"agent","start_ms":-1,"text":"<script>"}]`)))
	f.Add([]byte("\ufeff\r\n[]\n{}\nnull\n" + strings.Repeat(`{"a":`, 50)))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 0
		for c, err := range transcript.Open(bytes.NewReader(data), "x.jsonl", transcript.Options{MaxLine: 4096, Agent: "A"}) {
			lines++
			if err == nil {
				checkRoundTrips(t, c)
			} else if e, ok := errors.AsType[*transcript.Error](err); !ok || e.File != "x.jsonl" || e.Line == 0 || e.Message == "" {
				t.Fatalf("got %#v", err)
			}
		}
		if most := bytes.Count(data, []byte("\n")) + 1; lines > most {
			t.Fatalf("%d answers from %d lines", lines, most)
		}
	})
}

func FuzzReadWebVTT(f *testing.F) {
	var b bytes.Buffer
	if err := transcript.WriteWebVTT(&b, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(head + "\n1 no-end\n00:01.000 --> 00:02.000\n<v A>a<b>&lt;</b>&amp;lt;<v B> b </v>\n<v.x y>\n<00:00:01.000>c</c>"))
	at := time.Unix(0, 0)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := transcript.ReadWebVTT(bytes.NewReader(data), "x.vtt", transcript.Options{StartedAt: &at, Agent: "A", Customer: "B", Direction: "inbound"})
		if err == nil {
			checkRoundTrips(t, c)
		} else if e, ok := errors.AsType[*transcript.Error](err); !ok || e.File != "x.vtt" || e.Message == "" {
			t.Fatalf("got %#v", err)
		}
	})
}

// Where a folder of real calls lies beside the repository, they are all read.
func TestRealCalls(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/calls/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, file := range files {
		name := filepath.Base(file)
		read, refused := readFile(t, file, transcript.Options{})
		full, _ := readFile(t, file, transcript.Options{StartedAt: &at, Agent: "Chat desk"})
		t.Logf("%s: %d calls, %d refused; %d with all flags", name, read, refused, full)
		want, known := map[string][3]int{"phone-calls.jsonl": {2588, 0, 2588}, "timed-calls.jsonl": {5, 0, 5}, "service-chats.jsonl": {0, 5, 5}}[name]
		if got := [3]int{read, refused, full}; known && got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// readFile counts the calls of a file and takes every tenth through all forms;
// those refused must lack what a flag supplies.
func readFile(t *testing.T, file string, o transcript.Options) (calls, refused int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for c, err := range transcript.Open(f, filepath.Base(file), o) {
		if err == nil {
			if calls++; calls%10 == 1 {
				checkRoundTrips(t, c)
			}
			continue
		}
		refused++
		if e, ok := errors.AsType[*transcript.Error](err); !ok || e.Flag != "--started-at, --agent" {
			t.Errorf("got %v", err)
		}
	}
	return calls, refused
}
