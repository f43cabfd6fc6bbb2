package transcript

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads calls in JSON Lines, one object a line:
//
//	{"id":"c-1","started_at":"2026-11-23T18:44:14Z","agent":"Dana Cruz",
//	 "customer":"+1 555 0142","direction":"inbound",
//	 "turns":[{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"hello"}]}
//
// (here in three lines). "ended_at", "device" (a hostname), "topic" and the
// times of a turn may be missing; null is the same as missing. Members that
// are not named here are passed over, but no object may hold one name twice.
// A started_at without a zone is in [Options].TimeZone. Blank lines, and a
// byte order mark before the first line, are passed over.
//
// A Reader holds one line at a time and nothing that grows with the file.
type Reader struct {
	file    string
	options Options
	lines   lines
	line    int
	err     error
}

var byteOrderMark = []byte("\ufeff")

// NewReader reads from r; file is its name in errors.
func NewReader(r io.Reader, file string, o Options) *Reader {
	return &Reader{file: file, options: o, lines: lines{r: bufio.NewReaderSize(r, 64<<10), max: o.maxLine()}}
}

// Next gives the next call and the line it stands on, io.EOF at the end. An
// error of type *[Error] is about that line alone: the next call of Next goes
// on after it. Any other error is the stream's, and final.
func (r *Reader) Next() (Call, int, error) {
	for r.err == nil {
		l, err := r.lines.next()
		if err != nil {
			if err != io.EOF {
				err = fmt.Errorf("reading %s after line %d: %w", r.file, r.line, err)
			}
			r.err = err
			break
		}
		if r.line++; r.line == 1 {
			l.text = bytes.TrimPrefix(l.text, byteOrderMark)
		}
		if l.size <= r.lines.max && len(bytes.TrimSpace(l.text)) == 0 {
			continue
		}
		c, wrong := r.call(l)
		if wrong != nil {
			wrong.File, wrong.Line = r.file, r.line
			return Call{Place: r.place()}, r.line, wrong
		}
		c.Place = r.place()
		return c, r.line, nil
	}
	return Call{}, r.line, r.err
}

func (r *Reader) place() string { return r.file + ":" + strconv.Itoa(r.line) }

func (r *Reader) call(l line) (Call, *Error) {
	if l.size > r.lines.max {
		return Call{}, wrong("", "", "the line has %d bytes; at most %d are read", l.size, r.lines.max)
	}
	if at := invalidUTF8(l.text); at > 0 {
		return Call{}, wrong("", "", "byte %d of the line is no valid UTF-8; save the file as UTF-8", at)
	}
	if bytes.TrimSpace(l.text)[0] != '{' {
		return Call{}, wrong("", "", "expects a JSON object, { … }, on each line")
	}
	var d draft
	if err := json.Unmarshal(l.text, &d); err != nil {
		return Call{}, jsonError(err, l.last)
	}
	return d.call(r.options)
}

// invalidUTF8 gives the place of the first byte that is no UTF-8, from 1; 0 if
// there is none.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i + 1
		}
		i += n
	}
	return 0
}

// jsonError says in the words of the format what the decoder found. It never
// quotes what somebody said.
func jsonError(err error, last bool) *Error {
	if shape, ok := errors.AsType[*json.SemanticError](err); ok {
		field, value := jsonField(shape.JSONPointer), string(shape.JSONValue)
		if strings.HasSuffix(field, "text") {
			value = ""
		}
		return wrong(field, value, "%s", jsonShape(shape.GoType))
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return wrong("", "", "is no valid JSON: %s", err)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return wrong(jsonField(syntax.JSONPointer), "", "stands twice in one object; only one can be meant")
	case errors.Is(err, io.ErrUnexpectedEOF) && last:
		return wrong("", "", "the file ends within this line: it was cut off; fetch it again")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wrong("", "", "the line ends before its JSON object does; an object must stand on one line")
	}
	what, _, _ := strings.Cut(syntax.Err.Error(), " `") // the decoder quotes what stands there
	return wrong(jsonField(syntax.JSONPointer), "", "is no valid JSON after byte %d of the line: %s", syntax.ByteOffset, what)
}

func jsonShape(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return "has the wrong type"
	case t.Kind() == reflect.String:
		return `must be a text in quotes, "…"`
	case t.Kind() == reflect.Int64:
		return fmt.Sprintf("must be a whole number of milliseconds, 0 to %d", int64(maxTime))
	case t.Kind() == reflect.Slice:
		return "must be a list of turns, [ … ]"
	}
	return "must be an object, { … }"
}

// jsonField turns "/turns/2/end_ms" into "turn 3, end_ms".
func jsonField(p jsontext.Pointer) string {
	var names []string
	for token := range p.Tokens() {
		names = append(names, token)
	}
	if len(names) >= 2 && names[0] == "turns" {
		if i, err := strconv.Atoi(names[1]); err == nil {
			return turnField(i, shorten(strings.Join(names[2:], ".")))
		}
	}
	return shorten(strings.Join(names, "."))
}

// turnField names a member of a turn; people count turns from 1.
func turnField(i int, field string) string {
	of := "turn " + strconv.Itoa(i+1)
	if field == "" {
		return of
	}
	return of + ", " + field
}
