package transcript_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"onrecord/portal/transcript"
)

const head = "WEBVTT\n\nNOTE id: c-1\n\nNOTE started-at: 2026-11-23T18:44:14Z\n\nNOTE agent: Dana Cruz\n\nNOTE customer: Al &amp; Co\n\nNOTE direction: inbound\n"

func TestReadWebVTT(t *testing.T) {
	file := "\ufeffWEBVTT - a call\r\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\r\n\r\n" +
		"NOTE\r\nMade by a recorder.\r\nid: c-9\r\nstarted-at: 2026-11-23 18:44:14\r\nagent: Dana Cruz\r\ncustomer: Al &amp; Co\r\n\r\n" +
		"NOTE direction: outbound\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nREGION\r\nid:left\r\n\r\n" +
		"1\r\n00:01.000 --> 00:02.500 align:start line:0\r\n<v.loud Dana Cruz>hello &lt;<i>you</i>&gt; R&D\r\nsecond <script>line</script></v>\r\n\r\n" +
		"NOTE agent: not a header any more\r\n\r\n" +
		"01:00:00.000 --> 01:00:01.000\r\n<v Al &amp; Co>one \r\n<v Bob>two\r\n\r\n" +
		"3 no-time\r\n00:03.000 --> 00:04.000\r\n<v Action><00:03.500>done</v>"
	zone := time.FixedZone("", -3600)
	c, err := transcript.ReadWebVTT(strings.NewReader(file), "x.vtt", transcript.Options{TimeZone: zone})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	fmt.Fprintf(&got, "%s|%s|%s|%s|%s|%s\n", c.Place, c.SourceID, c.StartedAt.Format(time.RFC3339), c.Agent, c.Customer, c.Direction)
	for _, turn := range c.Turns {
		fmt.Fprintf(&got, "%s %s %s %q\n", show(turn.Start), show(turn.End), turn.Speaker, turn.Text)
	}
	want := `x.vtt|c-9|2026-11-23T19:44:14Z|Dana Cruz|Al & Co|outbound
1s 2.5s agent "hello <you> R&D\nsecond <script>line</script>"
1h0m0s 1h0m1s customer "one"
1h0m0s 1h0m1s Bob "two"
- - action "done"
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// The time to read a file grows with its size alone, whatever stands in it.
func TestReadWebVTTIsLinear(t *testing.T) {
	const size = 1 << 20
	for _, part := range []string{"<v ", "<b>a", "<", "&lt;", "<v A>a</v>", "</v>", "a\n"} {
		file := head + "\n00:01.000 --> 00:02.000\n<v A>" + strings.Repeat(part, size/len(part))
		began := time.Now()
		if _, err := transcript.ReadWebVTT(strings.NewReader(file), "x.vtt", transcript.Options{}); err != nil {
			t.Errorf("%q: %v", part, err)
		}
		if took := time.Since(began); took > 20*time.Second { // quadratic takes minutes
			t.Errorf("%q: %s for %d bytes", part, took, size)
		}
	}
}

func show(d *time.Duration) string {
	if d == nil {
		return "-"
	}
	return d.String()
}

func TestReadWebVTTTakesTheRestFromOptionsAndFileName(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	o := transcript.Options{StartedAt: &at, Agent: "Dana Cruz", Customer: "Al", Direction: "inbound"}
	c, err := transcript.ReadWebVTT(strings.NewReader("WEBVTT\n\n00:01.000 --> 00:02.000\n<v dana cruz>hi\n"), "calls/2026/call 7.vtt", o)
	if err != nil {
		t.Fatal(err)
	}
	if c.SourceID != "call 7" || c.Agent != "Dana Cruz" || c.Customer != "Al" || c.Direction != "inbound" || !c.StartedAt.Equal(at) || c.Turns[0].Speaker != "agent" {
		t.Errorf("got %+v", c)
	}
}

func TestReadWebVTTRefuses(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "x.vtt:1: a WebVTT file begins with the word WEBVTT"},
		{"JSON", whole, "x.vtt:1: a WebVTT file begins with the word WEBVTT"},
		{"nothing known", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>hi\n", "x.vtt: started-at, agent, customer, direction: missing; the file must say it, or --started-at and --agent and --customer and --direction for all calls that do not"},
		{"time that is none", strings.Replace(head, "18:44", "25:44", 1), `x.vtt:5: started-at "2026-11-23T25:44:14Z": must be a date and time such as 2026-11-23T18:44:14Z or 2026-11-23T18:44:14`},
		{"direction", strings.Replace(head, "inbound", "up", 1), `x.vtt:11: direction "up": must be inbound or outbound`},
		{"said twice", head + "\nNOTE agent: Sam\n", "x.vtt:13: agent: stands twice; it was said on line 7"},
		{"no voice", head + "\n00:01.000 --> 00:02.000\nhi\n", "x.vtt:14: cue 1: a text without a speaker: put <v Name> before it"},
		{"nothing said", head + "\n00:01.000 --> 00:02.000\n", "x.vtt:14: cue 1: a cue without a speaker: put <v Name> before what was said"},
		{"text after a voice", head + "\n00:01.000 --> 00:02.000\n<v A>hi</v> there\n", "x.vtt:14: cue 1: a text without a speaker: put <v Name> before it"},
		{"nameless voice", head + "\n00:01.000 --> 00:02.000\n<v>hi\n", "x.vtt:13: turn 1, speaker: missing; it is agent, customer, action or a name"},
		{"times of subtitles", head + "\n00:00:01,000 --> 00:00:02,000\n<v A>hi\n", `x.vtt:13: cue 1 "00:00:01,000 --> 00:00:02,000": expects times such as 00:01:02.000 --> 00:01:04.500`},
		{"end before start", head + "\n00:01.000 --> 00:02.000\n<v A>hi\n\n7\n00:03.000 --> 00:02.999\n<v A>hi\n", `x.vtt:17: turn 2, end_ms "2999": is before start_ms, which is 3000`},
		{"too late", head + "\n100:00:00.000 --> 100:00:01.000\n<v A>hi\n", `x.vtt:13: turn 1, start_ms "360000000": must be 0 to 359999999: it counts milliseconds from the start of the call`},
		{"no blank line", head + "\n00:01.000 --> 00:02.000\n<v A>hi\n00:02.000 --> 00:03.000\n<v B>ho\n", "x.vtt:15: cue 1: its text holds -->; is a blank line missing before this one, or should it be --&gt;?"},
		{"loose text", head + "\nhello\n", "x.vtt:13: expects a cue (its times, then what was said), NOTE, STYLE or REGION"},
		{"invalid UTF-8", head + "\n00:01.000 --> 00:02.000\n<v A>h\xff\n", "x.vtt:14: byte 7 of the line is no valid UTF-8; WebVTT is always UTF-8"},
		{"NUL", head + "\n00:01.000 --> 00:02.000\n<v A>h\x00\n", "x.vtt:13: turn 1, text: holds the control character U+0000; only tab and line break may stand in a text"},
		{"too large", head + strings.Repeat("\n", 1000), "x.vtt: the file has more than 1000 bytes; more are not read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := transcript.ReadWebVTT(strings.NewReader(tt.file), "x.vtt", transcript.Options{MaxLine: 1000})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// sample has every kind of turn.
func sample() transcript.Call {
	at := func(ms int) *time.Duration {
		d := time.Duration(ms) * time.Millisecond
		return &d
	}
	return transcript.Call{
		SourceID: "c-1", StartedAt: time.Date(2026, 11, 23, 18, 44, 14, 250_000_000, time.UTC), Agent: "Dana Cruz", Customer: "Al <&> Co",
		Direction: "inbound", Device: "desk-7", Topic: "returns --> refunds",
		Turns: []transcript.Turn{
			{Speaker: "agent", Start: at(0), End: at(1800), Text: "hello"},
			{Speaker: "action", Text: "Account <b>pulled</b> up."},
			{Speaker: "customer", Start: at(1500), Text: "hi\nthere\n\n00:01.000 --> 00:02.000"},
			{Speaker: "Bob > Al", Start: at(9000), End: at(9000), Text: "<script>alert(1)</script> &amp; \r\n"},
		},
	}
}

func TestWriteWebVTT(t *testing.T) {
	var b bytes.Buffer
	if err := transcript.WriteWebVTT(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := `WEBVTT

NOTE id: c-1

NOTE started-at: 2026-11-23T18:44:14.25Z

NOTE agent: Dana Cruz

NOTE customer: Al &lt;&amp;&gt; Co

NOTE direction: inbound

NOTE device: desk-7

NOTE topic: returns --&gt; refunds

1
00:00:00.000 --> 00:00:01.800
<v agent>hello</v>

2 no-time
00:00:01.800 --> 00:00:02.800
<v action>Account &lt;b&gt;pulled&lt;/b&gt; up.</v>

3 no-end
00:00:01.500 --> 00:00:02.500
<v customer>hi&#10;there&#10;&#10;00:01.000 --&gt; 00:02.000</v>

4
00:00:09.000 --> 00:00:09.000
<v Bob &gt; Al>&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; &#13;&#10;</v>
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	if err := transcript.WriteText(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := `id:         c-1
started-at: 2026-11-23T18:44:14.25Z
agent:      Dana Cruz
customer:   Al <&> Co
direction:  inbound
device:     desk-7
topic:      returns --> refunds

[00:00:00.000] agent: hello
action: Account <b>pulled</b> up.
[00:00:01.500] customer: hi
    there
    
    00:01.000 --> 00:02.000
[00:00:09.000] Bob > Al: <script>alert(1)</script> &amp; 
    
`
	if b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := transcript.WriteJSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"c-1","started_at":"2026-11-23T18:44:14.25Z","agent":"Dana Cruz","customer":"Al <&> Co","direction":"inbound","device":"desk-7","topic":"returns --> refunds","turns":[` +
		`{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"hello"},{"speaker":"action","text":"Account <b>pulled</b> up."},` +
		`{"speaker":"customer","start_ms":1500,"text":"hi\nthere\n\n00:01.000 --> 00:02.000"},` +
		`{"speaker":"Bob > Al","start_ms":9000,"end_ms":9000,"text":"<script>alert(1)</script> &amp; \r\n"}]}` + "\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
