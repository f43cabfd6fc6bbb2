package audit

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// jcs appends RFC 8785 (JSON Canonicalization Scheme) for the values that
// sealed bytes hold: objects, arrays, valid UTF-8 text and whole numbers.
// Members must come in the order of their names; they are ASCII, so the order
// by UTF-16 units that RFC 8785 section 3.2.3 demands is that of their bytes.
type jcs struct {
	b      []byte
	member string // the last name written
	column string // whose values are being written, for errors; "" outside changes
	err    error  // the first, an [Error] that names the member or column
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
	w.member = name
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
	if !utf8.ValidString(s) {
		w.refuse(s)
		return
	}
	w.b = appendString(w.b, s)
}

// refuse is for text that would not survive: it is never repaired, since what
// is sealed must be what was given.
func (w *jcs) refuse(s string) {
	field := w.member
	if w.column != "" {
		field = w.column
	}
	at := 0
	for at < len(s) {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	if w.err == nil {
		w.err = Invalid(field, "%s: byte %d (0x%02x) is not valid UTF-8; send the text as UTF-8", field, at+1, s[at])
	}
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
// the quote, the backslash and control characters are escaped. s is valid
// UTF-8.
func appendString(b []byte, s string) []byte {
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
	return append(append(b, s[start:]...), '"')
}

// jcsReader reads what jcs wrote, member by member in the same order: each
// call asks for the member that may come next, and an absent one reads as its
// zero value. It checks no more than it must to find its way; whoever reads
// encodes again and compares, which refuses every other way of writing the
// same thing.
type jcsReader struct {
	s    string
	at   int
	fail bool // from the first mismatch on, nothing more is read
}

// open and shut expect a bracket. shut is also what refuses members that were
// not asked for.
func (r *jcsReader) open(c byte) { r.expect(c) }
func (r *jcsReader) shut(c byte) { r.expect(c) }

func (r *jcsReader) expect(c byte) {
	if r.fail || r.at >= len(r.s) || r.s[r.at] != c {
		r.fail = true
		return
	}
	r.at++
}

// word expects this text.
func (r *jcsReader) word(text string) {
	if r.fail || !strings.HasPrefix(r.s[r.at:], text) {
		r.fail = true
		return
	}
	r.at += len(text)
}

// more tells whether a further element of an array follows, and steps over the
// comma before it.
func (r *jcsReader) more() bool {
	if r.fail || r.at >= len(r.s) || r.s[r.at] == ']' || r.s[r.at] == '}' {
		return false
	}
	if last := r.s[r.at-1]; last != '[' && last != '{' {
		r.expect(',')
	}
	return !r.fail
}

// has tells whether the member of this name comes next, and steps over its
// name.
func (r *jcsReader) has(name string) bool {
	at := r.at
	if r.fail || at >= len(r.s) {
		return false
	}
	if r.s[at] == ',' {
		at++
	}
	end := at + len(name) + 3
	if end > len(r.s) || r.s[at] != '"' || r.s[at+1:end-2] != name || r.s[end-2:end] != `":` {
		return false
	}
	r.at = end
	return true
}

func (r *jcsReader) text(name string) string {
	if !r.has(name) {
		return ""
	}
	return r.str()
}

func (r *jcsReader) int(name string) int64 {
	if !r.has(name) {
		r.fail = true
		return 0
	}
	return r.number()
}

func (r *jcsReader) number() int64 {
	start := r.at
	for r.at < len(r.s) && (r.s[r.at] == '-' || r.s[r.at] >= '0' && r.s[r.at] <= '9') {
		r.at++
	}
	n, err := strconv.ParseInt(r.s[start:r.at], 10, 64)
	if err != nil || n <= -maxInteger || n >= maxInteger {
		r.fail = true
	}
	return n
}

func (r *jcsReader) value(name string) Value {
	if !r.has(name) || r.at >= len(r.s) {
		return Value{}
	}
	rest := r.s[r.at:]
	switch {
	case rest[0] == '"':
		return stringValue(r.str())
	case strings.HasPrefix(rest, "true"):
		r.at += len("true")
		return Value{kind: 'b', n: 1}
	case strings.HasPrefix(rest, "false"):
		r.at += len("false")
		return Value{kind: 'b'}
	}
	return Value{kind: 'n', n: r.number()}
}

// str reads a text. Without escapes it is a piece of what is read, no copy.
func (r *jcsReader) str() string {
	r.expect('"')
	start := r.at
	for ; !r.fail && r.at < len(r.s); r.at++ {
		switch r.s[r.at] {
		case '"':
			r.at++
			return r.s[start : r.at-1]
		case '\\':
			return r.escaped(start)
		}
	}
	r.fail = true
	return ""
}

// escaped reads the rest of a text from its first escape on.
func (r *jcsReader) escaped(start int) string {
	b := []byte(r.s[start:r.at])
	for r.at < len(r.s) {
		c := r.s[r.at]
		r.at++
		if c == '"' {
			return string(b)
		}
		if c == '\\' && r.at < len(r.s) {
			c = r.escape()
		}
		b = append(b, c)
	}
	r.fail = true
	return ""
}

// escape reads what follows a backslash. \u stands before two zeros and two
// digits: RFC 8785 writes nothing above U+001F so.
func (r *jcsReader) escape() byte {
	c := r.s[r.at]
	r.at++
	switch c {
	case '"', '\\':
		return c
	case 'b':
		return '\b'
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'f':
		return '\f'
	case 'r':
		return '\r'
	case 'u':
		if r.at+4 <= len(r.s) {
			n, err := strconv.ParseUint(r.s[r.at:r.at+4], 16, 8)
			r.at += 4
			r.fail = r.fail || err != nil
			return byte(n)
		}
	}
	r.fail = true
	return 0
}
