package transcript

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReadWebVTT reads one call from a WebVTT file (https://www.w3.org/TR/webvtt1/)
// whose cues name their speakers in voice tags. What WebVTT has no place for
// stands in comments before the first cue, each if it is known:
//
//	WEBVTT
//
//	NOTE id: c-1
//
//	NOTE started-at: 2026-11-23T18:44:14Z
//
//	NOTE agent: Dana Cruz
//
//	NOTE customer: +1 555 0142
//
//	NOTE direction: inbound
//
//	1
//	00:00:00.000 --> 00:00:01.800
//	<v Dana Cruz>hello</v>
//
// Likewise ended-at, device and topic; one comment may hold several, a line
// each. What the comments lack comes from o, and the id from the file's name
// without its extension. Other comments, styles, regions and cue settings are
// passed over. A voice lasts until its end tag, the next voice or the end of
// the cue; each voice of a cue is a turn. Tags of WebVTT are dropped from a
// text, any other markup is text. A cue whose identifier ends in "no-time" or
// "no-end", as [WriteWebVTT] makes them, is a turn without times, or without
// an end.
//
// An error is an *[Error], or the stream's.
func ReadWebVTT(r io.Reader, file string, o Options) (Call, error) {
	data, err := io.ReadAll(io.LimitReader(r, o.maxLine()+1))
	if err != nil {
		return Call{}, fmt.Errorf("reading %s: %w", file, err)
	}
	c, wrong := readWebVTT(data, file, o)
	if wrong != nil {
		wrong.File = file
		return Call{Place: file}, wrong
	}
	c.Place = file
	return c, nil
}

func readWebVTT(data []byte, file string, o Options) (Call, *Error) {
	if int64(len(data)) > o.maxLine() {
		return Call{}, wrong("", "", "the file has more than %d bytes; more are not read", o.maxLine())
	}
	i := 0
	for l := range bytes.Lines(data) {
		if at := invalidUTF8(l); at > 0 {
			return Call{}, wrong("", "", "byte %d of the line is no valid UTF-8; WebVTT is always UTF-8", at).on(i)
		}
		i++
	}
	text := strings.TrimPrefix(string(data), string(byteOrderMark))
	v := vtt{lines: strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")}
	if first := v.lines[0]; first != "WEBVTT" && !strings.HasPrefix(first, "WEBVTT ") && !strings.HasPrefix(first, "WEBVTT\t") {
		return Call{}, wrong("", "", "a WebVTT file begins with the word WEBVTT").on(0)
	}
	v.draft.Turns = &v.turns
	if err := v.blocks(); err != nil {
		return Call{}, err
	}
	if id := fileID(file); blank(v.draft.ID) && id != "" {
		v.draft.ID = &id
	}
	c, err := v.draft.call(o)
	if err != nil {
		err.Field = strings.ReplaceAll(err.Field, "_at", "-at")
		if field, _, _ := strings.Cut(err.Field, ","); err.Line == 0 {
			err.Line = v.places[field]
		}
	}
	return c, err
}

// on says on which line it is wrong, counted from 0.
func (e *Error) on(i int) *Error {
	e.Line = i + 1
	return e
}

// vtt is a WebVTT file being read.
type vtt struct {
	lines  []string
	draft  draft
	turns  []draftTurn
	places map[string]int // line of each comment that says something of the call, from 1
	cues   int
}

// blocks goes through the parts of the file, which blank lines divide.
func (v *vtt) blocks() *Error {
	end := slices.Index(v.lines, "")
	for end >= 0 {
		from := end
		for from < len(v.lines) && v.lines[from] == "" {
			from++
		}
		if from == len(v.lines) {
			return nil
		}
		if end = slices.Index(v.lines[from:], ""); end >= 0 {
			end += from
		}
		to := end
		if end < 0 {
			to = len(v.lines)
		}
		if err := v.block(from, to); err != nil {
			return err
		}
	}
	return nil
}

func (v *vtt) block(from, to int) *Error {
	const arrow = "-->"
	word, _, _ := strings.Cut(strings.ReplaceAll(v.lines[from], "\t", " "), " ")
	switch {
	case strings.Contains(v.lines[from], arrow):
		return v.cue(from, from, to)
	case to-from > 1 && strings.Contains(v.lines[from+1], arrow):
		return v.cue(from, from+1, to)
	case word == "NOTE":
		if v.cues > 0 {
			return nil
		}
		return v.note(from, to)
	case word == "STYLE" || word == "REGION":
		return nil
	}
	return wrong("", "", "expects a cue (its times, then what was said), NOTE, STYLE or REGION").on(from)
}

// note takes what a comment says of the call.
func (v *vtt) note(from, to int) *Error {
	d := &v.draft
	fields := map[string]**string{
		"id": &d.ID, "started-at": &d.StartedAt, "ended-at": &d.EndedAt, "agent": &d.Agent, "customer": &d.Customer,
		"direction": &d.Direction, "device": &d.Device, "topic": &d.Topic,
	}
	for i := from; i < to; i++ {
		l := v.lines[i]
		if i == from {
			l = strings.TrimPrefix(l, "NOTE")
		}
		key, value, _ := strings.Cut(l, ":")
		key = strings.TrimSpace(key)
		field, known := fields[key]
		if !known {
			continue
		}
		if *field != nil {
			return wrong(key, "", "stands twice; it was said on line %d", v.places[key]).on(i)
		}
		if v.places == nil {
			v.places = map[string]int{}
		}
		v.places[key] = i + 1
		value = html.UnescapeString(strings.TrimSpace(value))
		*field = &value
	}
	return nil
}

var (
	cueTimes = regexp.MustCompile(`^\s*` + timestamp + `\s*-->\s*` + timestamp + `(?:\s.*)?$`)
	cueTag   = regexp.MustCompile(`^(?:</?(?:v|c|i|b|u|ruby|rt|lang)(?:\.[^\s<>.]+)*(?:\s[^<>]*)?>|<` + timestamp + `>)`)
	voiceTag = regexp.MustCompile(`^<v(?:\.[^\s<>.]+)*(?:\s([^<>]*))?>`)
	noTimes  = regexp.MustCompile(`^\d+ (no-time|no-end)$`)
)

const timestamp = `((?:\d{2,6}:)?[0-5]\d:[0-5]\d\.\d{3})`

// cue reads one cue, whose times stand on the line at.
func (v *vtt) cue(from, at, to int) *Error {
	v.cues++
	times := cueTimes.FindStringSubmatch(v.lines[at])
	if times == nil {
		return wrong("cue "+strconv.Itoa(v.cues), v.lines[at], "expects times such as 00:01:02.000 --> 00:01:04.500").on(at)
	}
	start, end := vttTime(times[1]), vttTime(times[2])
	turn := draftTurn{StartMS: &start, EndMS: &end, line: at + 1}
	if missing := noTimes.FindStringSubmatch(v.lines[from]); at > from && missing != nil {
		turn.EndMS = nil
		if missing[1] == "no-time" {
			turn.StartMS = nil
		}
	}
	for i := at + 1; i < to; i++ {
		if strings.Contains(v.lines[i], "-->") {
			return wrong("cue "+strconv.Itoa(v.cues), "", "its text holds -->; is a blank line missing before this one, or should it be --&gt;?").on(i)
		}
	}
	spans, err := voices(strings.Join(v.lines[at+1:to], "\n"))
	if err != nil {
		err.Field = "cue " + strconv.Itoa(v.cues)
		return err.on(at + 1)
	}
	for _, s := range spans {
		turn.Speaker, turn.Text = &s.speaker, &s.text
		v.turns = append(v.turns, turn)
	}
	return nil
}

// vttTime gives milliseconds; s has the form of a timestamp.
func vttTime(s string) int64 {
	clock, fraction, _ := strings.Cut(s, ".")
	var n int64
	for part := range strings.SplitSeq(clock, ":") {
		of, _ := strconv.ParseInt(part, 10, 64)
		n = n*60 + of
	}
	of, _ := strconv.ParseInt(fraction, 10, 64)
	return n*1000 + of
}

type voice struct{ speaker, text string }

// voices divides the text of a cue by its voice tags.
func voices(s string) ([]voice, *Error) {
	var d divider
	for s != "" {
		tag := cueTag.FindString(s)
		if tag == "" {
			next := strings.IndexByte(s[1:], '<') + 1
			if next == 0 {
				next = len(s)
			}
			d.run.WriteString(s[:next])
			s = s[next:]
			continue
		}
		s = s[len(tag):]
		d.endRun()
		if strings.HasPrefix(tag, "</v") {
			d.end(true)
		} else if name := voiceTag.FindStringSubmatch(tag); name != nil {
			d.end(false)
			d.all = append(d.all, voice{speaker: html.UnescapeString(name[1])})
			d.open = true
		}
	}
	d.endRun()
	d.end(false)
	if d.stray {
		return nil, wrong("", "", "a text without a speaker: put <v Name> before it")
	}
	if len(d.all) == 0 {
		return nil, wrong("", "", "a cue without a speaker: put <v Name> before what was said")
	}
	return d.all, nil
}

// divider collects the voices of a cue.
type divider struct {
	all   []voice
	open  bool            // the last of all is still speaking
	run   strings.Builder // since the last tag, as it stands in the file
	text  strings.Builder // since the last voice began or ended
	stray bool            // something was said by nobody
}

func (d *divider) endRun() {
	d.text.WriteString(html.UnescapeString(d.run.String()))
	d.run.Reset()
}

// end ends what is open. White space around a voice without an end tag is
// layout.
func (d *divider) end(tagged bool) {
	text := d.text.String()
	d.text.Reset()
	switch {
	case !d.open:
		d.stray = d.stray || strings.TrimSpace(text) != ""
	case tagged:
		d.all[len(d.all)-1].text = text
	default:
		d.all[len(d.all)-1].text = strings.TrimSpace(text)
	}
	d.open = false
}

// WriteWebVTT writes a call so that [ReadWebVTT] reads the same again. A turn
// without times is shown for a second after the turn before it and marked
// "no-time" in its cue's identifier; one without an end is shown for a second
// and marked "no-end".
func WriteWebVTT(w io.Writer, c Call) error {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	for _, f := range c.header() {
		if f.value != "" {
			fmt.Fprintf(&b, "\nNOTE %s: %s\n", f.name, escape(f.value))
		}
	}
	var last time.Duration // the latest time shown
	for i, t := range c.Turns {
		start, end, mark := last, last+time.Second, " no-time"
		if t.Start != nil {
			start, end, mark = *t.Start, *t.Start+time.Second, " no-end"
		}
		if t.End != nil {
			end, mark = *t.End, ""
		}
		last = max(last, end)
		fmt.Fprintf(&b, "\n%d%s\n%s --> %s\n<v %s>%s</v>\n", i+1, mark, clock(start), clock(end), escape(t.Speaker), cueText(t.Text))
	}
	_, err := w.Write(b.Bytes())
	return err
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// cueText escapes a text; a blank line would end its cue.
func cueText(s string) string {
	s = strings.ReplaceAll(escape(s), "\r", "&#13;")
	if strings.Contains(s, "\n\n") || strings.HasPrefix(s, "\n") || strings.HasSuffix(s, "\n") {
		s = strings.ReplaceAll(s, "\n", "&#10;")
	}
	return s
}

// clock reads 00:01:02.345.
func clock(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
