package transcript_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"onrecord/portal/transcript"
)

const whole = `{"id":"c-1","started_at":"2026-11-23T18:44:14Z","agent":"Dana Cruz","customer":"+1 555 0142","direction":"inbound","turns":[{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"hello"}]}`

// with gives whole with one part of it replaced.
func with(old, new string) string {
	if !strings.Contains(whole, old) {
		panic(old)
	}
	return strings.Replace(whole, old, new, 1)
}

// turns gives whole with other turns.
func turns(list string) string {
	return with(`[{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"hello"}]`, list)
}

// readAll reads a text line by line until io.EOF.
func readAll(t *testing.T, text string, o transcript.Options) (calls []transcript.Call, refused []*transcript.Error) {
	t.Helper()
	r := transcript.NewReader(strings.NewReader(text), "calls.jsonl", o)
	for {
		c, line, err := r.Next()
		if err == io.EOF {
			return calls, refused
		}
		if e, ok := errors.AsType[*transcript.Error](err); ok {
			if e.Line != line {
				t.Fatalf("Next says line %d, its error line %d", line, e.Line)
			}
			refused = append(refused, e)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("calls.jsonl:%d", line); c.Place != want {
			t.Errorf("place %q, want %q", c.Place, want)
		}
		calls = append(calls, c)
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"no id", with(`"id":"c-1",`, ``), `calls.jsonl:1: id: missing; the file must say it`},
		{"blank id", with(`"c-1"`, `"  "`), `calls.jsonl:1: id: missing; the file must say it`},
		{"number as id", with(`"c-1"`, `7`), `calls.jsonl:1: id: must be a text in quotes, "…"`},
		{"no start, no agent", with(`"started_at":"2026-11-23T18:44:14Z","agent":"Dana Cruz"`, `"started_at":null,"agent":null`),
			`calls.jsonl:1: started_at, agent: missing; the file must say it, or --started-at and --agent for all calls that do not`},
		{"no start", with(`"started_at":"2026-11-23T18:44:14Z",`, ``), `calls.jsonl:1: started_at: missing; the file must say it, or --started-at for all calls that do not`},
		{"no customer", with(`"+1 555 0142"`, `""`), `calls.jsonl:1: customer: missing; the file must say it, or --customer for all calls that do not`},
		{"no direction", with(`"direction":"inbound",`, ``), `calls.jsonl:1: direction: missing; the file must say it, or --direction for all calls that do not`},
		{"no turns", turns(`null`), `calls.jsonl:1: turns: missing; the file must say it`},
		{"unknown direction", with(`inbound`, `sideways`), `calls.jsonl:1: direction "sideways": must be inbound or outbound`},
		{"a day alone", with(`2026-11-23T18:44:14Z`, `2026-11-23`), `calls.jsonl:1: started_at "2026-11-23": must be a date and time such as 2026-11-23T18:44:14Z or 2026-11-23T18:44:14`},
		{"a day that is none", with(`11-23`, `02-30`), `calls.jsonl:1: started_at "2026-02-30T18:44:14Z": must be a date and time such as 2026-11-23T18:44:14Z or 2026-11-23T18:44:14`},
		{"before 1970", with(`2026`, `1026`), `calls.jsonl:1: started_at "1026-11-23T18:44:14Z": must lie in the years 1970 to 9999`},
		{"ends before it starts", with(`"agent":`, `"ended_at":"2026-11-23T18:44:13Z","agent":`), `calls.jsonl:1: ended_at "2026-11-23T18:44:13Z": is before started_at, which is 2026-11-23T18:44:14Z`},
		{"line break in a name", with(`Dana Cruz`, `Dana\nCruz`), "calls.jsonl:1: agent \"Dana\\nCruz\": holds the control character U+000A; a name is plain text on one line"},
		{"long name", with(`Dana Cruz`, strings.Repeat("é", 501)), `calls.jsonl:1: agent "` + strings.Repeat("é", 60) + `…": has 501 characters; at most 500 may stand there`},
		{"turns that are none", turns(`"hello"`), `calls.jsonl:1: turns: must be a list of turns, [ … ]`},
		{"a turn that is none", turns(`[{"speaker":"agent","text":"a"},"b"]`), `calls.jsonl:1: turn 2: must be an object, { … }`},
		{"null turn", turns(`[null]`), `calls.jsonl:1: turn 1, speaker: missing; it is agent, customer, action or a name`},
		{"turn without text", turns(`[{"speaker":"agent"}]`), `calls.jsonl:1: turn 1, text: missing; it is what was said, "" if nothing`},
		{"text of another type", turns(`[{"speaker":"agent","text":12345}]`), `calls.jsonl:1: turn 1, text: must be a text in quotes, "…"`},
		{"NUL in a text", turns(`[{"speaker":"agent","text":"a\u0000b"}]`), `calls.jsonl:1: turn 1, text: holds the control character U+0000; only tab and line break may stand in a text`},
		{"half a surrogate pair", turns(`[{"speaker":"agent","text":"\ud800"}]`), "calls.jsonl:1: turn 1, text: is no valid JSON after byte 151 of the line: invalid surrogate pair"},
		{"negative time", turns(`[{"speaker":"agent","text":"a"},{"speaker":"agent","start_ms":-5,"text":"b"}]`), `calls.jsonl:1: turn 2, start_ms "-5": must be 0 to 359999999: it counts milliseconds from the start of the call`},
		{"time of day", turns(`[{"speaker":"agent","start_ms":1795459454000,"text":"b"}]`), `calls.jsonl:1: turn 1, start_ms "1795459454000": must be 0 to 359999999: it counts milliseconds from the start of the call`},
		{"huge time", turns(`[{"speaker":"agent","start_ms":99999999999999999999,"text":"b"}]`), `calls.jsonl:1: turn 1, start_ms "99999999999999999999": must be a whole number of milliseconds, 0 to 359999999`},
		{"part of a millisecond", turns(`[{"speaker":"agent","start_ms":1.5,"text":"b"}]`), `calls.jsonl:1: turn 1, start_ms "1.5": must be a whole number of milliseconds, 0 to 359999999`},
		{"ends before it begins", turns(`[{"speaker":"agent","start_ms":2000,"end_ms":1999,"text":"b"}]`), `calls.jsonl:1: turn 1, end_ms "1999": is before start_ms, which is 2000`},
		{"end alone", turns(`[{"speaker":"agent","end_ms":1999,"text":"b"}]`), `calls.jsonl:1: turn 1, start_ms: missing, but there is an end_ms; give both, start_ms alone, or none`},
		{"member twice", with(`"agent":`, `"agent":"Sam Roe","agent":`), `calls.jsonl:1: agent: stands twice in one object; only one can be meant`},
		{"member of a turn twice", turns(`[{"speaker":"agent","text":"a","text":"b"}]`), `calls.jsonl:1: turn 1, text: stands twice in one object; only one can be meant`},
		{"unknown member twice", with(`"agent":`, `"extra":{"a":1,"a":2},"agent":`), `calls.jsonl:1: extra.a: stands twice in one object; only one can be meant`},
		{"list", `[` + whole + `]`, `calls.jsonl:1: expects a JSON object, { … }, on each line`},
		{"two objects", whole + whole, `calls.jsonl:1: is no valid JSON after byte 187 of the line: invalid character '{' after top-level value`},
		{"invalid UTF-8", with(`hello`, "h\xffllo"), `calls.jsonl:1: byte 180 of the line is no valid UTF-8; save the file as UTF-8`},
		{"cut off", whole[:100], `calls.jsonl:1: the file ends within this line: it was cut off; fetch it again`},
		{"cut off in a text", whole[:len(whole)-6], `calls.jsonl:1: the file ends within this line: it was cut off; fetch it again`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls, refused := readAll(t, tt.line, transcript.Options{})
			if len(calls) != 0 || len(refused) != 1 || refused[0].Error() != tt.want {
				t.Errorf("got %d calls, refused %v\nwant %s", len(calls), refused, tt.want)
			}
		})
	}
}

func TestReaderGoesOnAfterABadLine(t *testing.T) {
	text := "\ufeff" + with("c-1", "a") + "\r\n\n" + whole[:50] + "\n" + with("hello", "\xc3\x28") + "\n" + with("c-1", "b") + "\n" + strings.Repeat("x", 400) + "\n" + with("c-1", "c")
	calls, refused := readAll(t, text, transcript.Options{MaxLine: 300})
	if len(calls) != 3 || calls[0].SourceID != "a" || calls[1].SourceID != "b" || calls[2].SourceID != "c" {
		t.Fatalf("calls %+v", calls)
	}
	var got []string
	for _, e := range refused {
		got = append(got, e.Error())
	}
	want := []string{
		"calls.jsonl:3: the line ends before its JSON object does; an object must stand on one line",
		"calls.jsonl:4: byte 179 of the line is no valid UTF-8; save the file as UTF-8",
		"calls.jsonl:6: the line has 400 bytes; at most 300 are read",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("refused\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReaderTakesFromOptionsWhatALineLacks(t *testing.T) {
	chat := `{"id":"s-1","started_at":null,"agent":null,"customer":"Al","direction":"inbound","turns":[{"speaker":"agent","text":"Hi!"},{"speaker":"action","text":"Account pulled up."}]}`
	_, refused := readAll(t, chat, transcript.Options{})
	if len(refused) != 1 || refused[0].Field != "started_at, agent" || refused[0].Flag != "--started-at, --agent" {
		t.Fatalf("refused %+v", refused)
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("", 3600))
	calls, refused := readAll(t, chat+"\n"+whole, transcript.Options{StartedAt: &at, Agent: "Chat desk"})
	if len(refused) != 0 || len(calls) != 2 {
		t.Fatalf("calls %+v, refused %v", calls, refused)
	}
	c := calls[0]
	if c.Agent != "Chat desk" || !c.StartedAt.Equal(at) || c.StartedAt.Location() != time.UTC || c.Turns[1].Speaker != transcript.Action {
		t.Errorf("got %+v", c)
	}
	if calls[1].Agent != "Dana Cruz" || calls[1].StartedAt.Equal(at) {
		t.Errorf("options replaced what the line says: %+v", calls[1])
	}
}

func TestReaderKeepsWhatWasSaid(t *testing.T) {
	calls, refused := readAll(t, turns(`[{"speaker":"Agent","text":"<script>alert(1)</script> & \" \u2028 \ud83d\ude00\ttab\nline"},`+
		`{"speaker":"dana  cruz","text":" "},{"speaker":"+1 555 0142","text":""},`+
		`{"speaker":"Supervisor","text":"x","mood":"good"},{"speaker":"ACTION","text":"y"}]`), transcript.Options{})
	if len(refused) != 0 || len(calls) != 1 {
		t.Fatal(refused)
	}
	got := calls[0].Turns
	want := []transcript.Turn{
		{Speaker: "agent", Text: "<script>alert(1)</script> & \" \u2028 😀\ttab\nline"},
		{Speaker: "agent", Text: " "}, {Speaker: "customer", Text: ""}, {Speaker: "Supervisor", Text: "x"}, {Speaker: "action", Text: "y"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestReaderOrdersTurnsByStart(t *testing.T) {
	texts := func(line string) string {
		calls, refused := readAll(t, line, transcript.Options{})
		if len(refused) > 0 {
			t.Fatal(refused[0])
		}
		var all []string
		for _, turn := range calls[0].Turns {
			all = append(all, turn.Text)
		}
		return strings.Join(all, " ")
	}
	all := `[{"speaker":"agent","start_ms":900,"end_ms":2000,"text":"c"},{"speaker":"customer","start_ms":500,"end_ms":1500,"text":"a"},{"speaker":"agent","start_ms":500,"end_ms":600,"text":"b"}]`
	if got := texts(turns(all)); got != "a b c" {
		t.Errorf("all have a start: %s", got)
	}
	if got := texts(turns(strings.Replace(all, `"start_ms":500,"end_ms":600,`, ``, 1))); got != "c a b" {
		t.Errorf("one has none: %s", got)
	}
	if got := texts(turns(`[]`)); got != "" {
		t.Errorf("no turns: %s", got)
	}
}

func TestReaderReadsClocksInTheTimeZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text string
		zone *time.Location
		want string
	}{
		{"2013-03-22T21:47:49", nil, "2013-03-22T21:47:49Z"},
		{"2013-03-22T21:47:49", berlin, "2013-03-22T20:47:49Z"},
		{"2013-07-22 21:47:49.25", berlin, "2013-07-22T19:47:49.25Z"},
		{"2013-07-22T21:47:49.1234567Z", berlin, "2013-07-22T21:47:49.123456Z"},
		{"2013-07-22 21:47:49-05:00", berlin, "2013-07-23T02:47:49Z"},
		{"2026-10-25T02:30:00", berlin, "2026-10-25T00:30:00Z"}, // the first of two
		{"2026-10-25T03:00:00", berlin, "2026-10-25T02:00:00Z"},
		{"2026-03-29T02:30:00", berlin, "refused"}, // skipped by the clock
	} {
		got := "refused"
		if calls, _ := readAll(t, with("2026-11-23T18:44:14Z", tt.text), transcript.Options{TimeZone: tt.zone}); len(calls) == 1 {
			got = calls[0].StartedAt.Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("%s in %v: got %s, want %s", tt.text, tt.zone, got, tt.want)
		}
	}
}

func TestReaderTakesALineOf50MB(t *testing.T) {
	said := strings.Repeat("all of this was said in one breath ", 50<<20/35)
	r := transcript.NewReader(io.MultiReader(strings.NewReader(whole[:len(whole)-8]), strings.NewReader(said), strings.NewReader("\"}]}\n"+whole)), "long.jsonl", transcript.Options{})
	c, _, err := r.Next()
	if err != nil || !strings.HasSuffix(c.Turns[0].Text, said) {
		t.Fatalf("a line of %d bytes: %v", len(said), err)
	}
	if c, line, err := r.Next(); err != nil || line != 2 || c.SourceID != "c-1" {
		t.Errorf("the line after it: %v", err)
	}
}

func TestReaderDoesNotHoldALineThatIsTooLong(t *testing.T) {
	const size = 200 << 20
	r := transcript.NewReader(io.MultiReader(io.LimitReader(endless{}, size), strings.NewReader("\n"+whole)), "long.jsonl", transcript.Options{MaxLine: 1 << 20})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := r.Next()
	runtime.ReadMemStats(&after)
	want := "long.jsonl:1: the line has 209715200 bytes; at most 1048576 are read"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("a line of %d bytes took %d bytes of memory", size, took)
	}
	if c, line, err := r.Next(); err != nil || line != 2 || c.SourceID != "c-1" {
		t.Errorf("the line after it: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestReaderTakes10000Turns(t *testing.T) {
	one := `{"speaker":"agent","start_ms":%d,"end_ms":%d,"text":"turn %d"},`
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, one, i*10, i*10+15, i)
	}
	calls, refused := readAll(t, turns("["+strings.TrimSuffix(b.String(), ",")+"]"), transcript.Options{})
	if len(refused) != 0 || len(calls[0].Turns) != 10_000 || calls[0].Turns[9_999].Text != "turn 9999" {
		t.Fatal(refused)
	}
	if got, want := calls[0].Duration(), 100_005*time.Millisecond; got != want {
		t.Errorf("duration %s, want %s", got, want)
	}
}

func TestReaderEndsWithItsStream(t *testing.T) {
	broken := errors.New("the disk is gone")
	r := transcript.NewReader(io.MultiReader(strings.NewReader(whole+"\n"+whole[:20]), iotest.ErrReader(broken)), "calls.jsonl", transcript.Options{})
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := r.Next(); !errors.Is(err, broken) || err.Error() != "reading calls.jsonl after line 1: the disk is gone" {
			t.Errorf("got %v", err)
		}
	}
}
