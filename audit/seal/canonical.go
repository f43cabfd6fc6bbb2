package seal

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// errNotCanonical is where a text leaves the canonical form.
type errNotCanonical struct {
	at   int // byte, from 0
	what string
}

func (e *errNotCanonical) Error() string {
	return fmt.Sprintf("not canonical JSON (RFC 8785) at byte %d: %s", e.at+1, e.what)
}

// maxDepth is how deep values may be nested; those of an export are six deep.
const maxDepth = 16

// canonical walks over RFC 8785 JSON as sealed bytes and exports have it:
// objects, lists, texts, whole numbers below 2^53, true and false. There is one
// way to write a value, and the walk refuses every other, so that no line is
// encoded again to be compared. It allocates nothing.
type canonical struct {
	b     []byte
	at    int
	depth int
}

func (c *canonical) wrong(what string) error { return &errNotCanonical{c.at, what} }

func (c *canonical) expect(want byte) error {
	if c.at >= len(c.b) || c.b[c.at] != want {
		return c.wrong(string([]byte{'"', want, '"', ' '}) + "is missing here")
	}
	c.at++
	return nil
}

// value steps over one value.
func (c *canonical) value() error {
	if c.at >= len(c.b) {
		return c.wrong("it ends where a value begins")
	}
	switch b := c.b[c.at]; {
	case b == '"':
		_, err := c.text()
		return err
	case b == '{':
		return c.object(nil)
	case b == '[':
		return c.list()
	case b == '-' || b >= '0' && b <= '9':
		_, err := c.number()
		return err
	case bytes.HasPrefix(c.b[c.at:], []byte("true")):
		c.at += len("true")
		return nil
	case bytes.HasPrefix(c.b[c.at:], []byte("false")):
		c.at += len("false")
		return nil
	}
	return c.wrong("no value begins so")
}

// object steps over an object. member is told of each member's name, as it is
// between its quotes, and may step over the value itself; it says whether it
// did.
func (c *canonical) object(member func(name []byte) (bool, error)) error {
	if err := c.expect('{'); err != nil {
		return err
	}
	if c.depth++; c.depth > maxDepth {
		return c.wrong("values are nested too deep")
	}
	var last []byte
	for first := true; ; first = false {
		if c.at < len(c.b) && c.b[c.at] == '}' && (first || c.b[c.at-1] != ',') {
			c.at++
			c.depth--
			return nil
		}
		if !first {
			if err := c.expect(','); err != nil {
				return err
			}
		}
		begin := c.at
		name, err := c.text()
		if err != nil {
			return err
		}
		if !plainName(name) {
			c.at = begin
			return c.wrong("the name of a member is not of a to z, 0 to 9 and _")
		}
		switch {
		case first:
		case bytes.Equal(name, last):
			c.at = begin
			return c.wrong(fmt.Sprintf("the member %q stands there twice", name))
		case bytes.Compare(name, last) < 0:
			c.at = begin
			return c.wrong(fmt.Sprintf("the member %q stands after %q: they are in the order of their names", name, last))
		}
		last = name
		if err := c.expect(':'); err != nil {
			return err
		}
		done := false
		if member != nil {
			if done, err = member(name); err != nil {
				return err
			}
		}
		if !done {
			if err := c.value(); err != nil {
				return err
			}
		}
	}
}

// plainName tells whether a member may have this name. Names of two spellings,
// or in another order by UTF-16 than by bytes, cannot be made of these.
func plainName(name []byte) bool {
	for _, b := range name {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	return len(name) > 0
}

func (c *canonical) list() error {
	c.at++
	if c.depth++; c.depth > maxDepth {
		return c.wrong("values are nested too deep")
	}
	for first := true; ; first = false {
		if c.at < len(c.b) && c.b[c.at] == ']' && (first || c.b[c.at-1] != ',') {
			c.at++
			c.depth--
			return nil
		}
		if !first {
			if err := c.expect(','); err != nil {
				return err
			}
		}
		if err := c.value(); err != nil {
			return err
		}
	}
}

// text steps over a text and gives what stands between its quotes, escapes
// unread.
func (c *canonical) text() ([]byte, error) {
	if err := c.expect('"'); err != nil {
		return nil, err
	}
	begin := c.at
	for {
		n := bytes.IndexByte(c.b[c.at:], '"')
		if n < 0 {
			return nil, c.wrong("the text has no end")
		}
		end := c.at + n
		special := indexSpecial(c.b[c.at:end])
		if special < 0 {
			c.at = end + 1
			return c.b[begin:end], nil
		}
		c.at += special
		if err := c.escape(); err != nil {
			return nil, err
		}
	}
}

// indexSpecial finds the first backslash or control character.
func indexSpecial(b []byte) int {
	for i, x := range b {
		if x < 0x20 || x == '\\' {
			return i
		}
	}
	return -1
}

// escape steps over one escape, of those that RFC 8785 section 3.2.2.2 writes.
func (c *canonical) escape() error {
	if c.b[c.at] != '\\' {
		return c.wrong(fmt.Sprintf("the control character %#02x stands there unescaped", c.b[c.at]))
	}
	rest := c.b[c.at+1:]
	if len(rest) == 0 {
		return c.wrong("the text has no end")
	}
	switch rest[0] {
	case '"', '\\', 'b', 't', 'n', 'f', 'r':
		c.at += 2
		return nil
	case 'u':
		if len(rest) >= 5 && rest[1] == '0' && rest[2] == '0' && controlDigits(rest[3], rest[4]) {
			c.at += 6
			return nil
		}
	}
	return c.wrong("this is not how the canonical form escapes a character, or it does not escape it")
}

// controlDigits tells whether these are the digits of a control character that
// has no shorter escape.
func controlDigits(high, low byte) bool {
	digit := bytes.IndexByte([]byte("0123456789abcdef"), low)
	if digit < 0 || high != '0' && high != '1' {
		return false
	}
	return high == '1' || !bytes.ContainsRune([]byte("89acd"), rune(low)) // \b \t \n \f \r
}

// number reads a whole number below 2^53.
func (c *canonical) number() (int64, error) {
	begin := c.at
	negative := c.b[c.at] == '-'
	if negative {
		c.at++
	}
	digits := c.at
	var n int64
	for c.at < len(c.b) && c.b[c.at] >= '0' && c.b[c.at] <= '9' && c.at-digits < 17 {
		n = n*10 + int64(c.b[c.at]-'0')
		c.at++
	}
	length := c.at - digits
	if length == 0 || length > 1 && c.b[digits] == '0' || negative && n == 0 || n >= 1<<53 ||
		c.at < len(c.b) && (c.b[c.at] == '.' || c.b[c.at] == 'e' || c.b[c.at] == 'E' || c.b[c.at] >= '0' && c.b[c.at] <= '9') {
		c.at = begin
		return 0, c.wrong("this is no whole number below 2^53 in its shortest form")
	}
	if negative {
		n = -n
	}
	return n, nil
}

// end refuses whatever follows the value.
func (c *canonical) end() error {
	if c.at != len(c.b) {
		return c.wrong("something follows the value")
	}
	return nil
}

var errNotUTF8 = errors.New("not valid UTF-8")

// checkUTF8 is asked once for a whole line.
func checkUTF8(b []byte) error {
	if !utf8.Valid(b) {
		return errNotUTF8
	}
	return nil
}
