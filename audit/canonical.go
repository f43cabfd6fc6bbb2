package audit

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// errNotUTF8 refuses text that would not survive: it is never repaired, since
// what is sealed must be what was given.
var errNotUTF8 = errors.New("the text is not valid UTF-8")

// jcs appends RFC 8785 (JSON Canonicalization Scheme) for the values that
// sealed bytes hold: objects, arrays, valid UTF-8 text and whole numbers.
// Members must come in the order of their names; they are ASCII, so the order
// by UTF-16 units that RFC 8785 section 3.2.3 demands is that of their bytes.
type jcs struct {
	b   []byte
	err error // the first
}

// open and shut bracket an object or array.
func (w *jcs) open(c byte) { w.sep(); w.b = append(w.b, c) }
func (w *jcs) shut(c byte) { w.b = append(w.b, c) }

// sep puts a comma where one value follows another.
func (w *jcs) sep() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', ',':
		default:
			w.b = append(w.b, ',')
		}
	}
}

// name begins a member of an object.
func (w *jcs) name(name string) {
	w.sep()
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

// text writes a member, or nothing if the text is empty: absent members are
// omitted.
func (w *jcs) text(name, s string) {
	if s != "" {
		w.name(name)
		w.str(s)
	}
}

func (w *jcs) str(s string) {
	w.sep()
	b, err := appendString(w.b, s)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = b
}

func (w *jcs) int(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *jcs) value(name string, v Value) {
	switch v.kind {
	case 0:
	case 's':
		w.name(name)
		w.str(v.s)
	default:
		w.name(name)
		w.b = append(w.b, v.String()...)
	}
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON text as RFC 8785 section 3.2.2.2 demands: only
// the quote, the backslash and control characters are escaped.
func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return b, errNotUTF8
	}
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"'), nil
}
