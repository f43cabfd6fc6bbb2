package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cell is one column of a row.
type cell struct {
	name  string
	value Value
}

// image is a row as its guard saw it, by the names of its columns.
type image []cell

// of gives a column, or nothing if the row has none of that name.
func (m image) of(name string) Value {
	for i := range m {
		if m[i].name == name {
			return m[i].value
		}
	}
	return Value{}
}

// readImage reads a guard's JSON of a row. Numbers are integers: [Table.check]
// refuses columns of fractions.
func readImage(raw []byte) (image, error) {
	if raw == nil {
		return nil, nil
	}
	if !utf8.Valid(raw) { // JSON readers would repair it unasked
		return nil, Invalid("", "a text that was written is not valid UTF-8; write it as UTF-8, or into a column of type BLOB")
	}
	if row, ok := quickImage(string(raw)); ok {
		return row, nil
	}
	return slowImage(raw)
}

// quickImage reads what databases write nearly always; anything else it leaves
// to slowImage.
func quickImage(raw string) (row image, ok bool) {
	if strings.Contains(raw, `\u`) || strings.ContainsFunc(raw, unicode.IsControl) {
		return nil, false
	}
	row = make(image, 0, 16)
	r := &jcsReader{s: raw}
	space := func() {
		if r.at < len(raw) && raw[r.at] == ' ' {
			r.at++
		}
	}
	r.open('{')
	for first := true; !r.fail && r.at < len(raw) && raw[r.at] != '}'; first = false {
		if !first {
			r.expect(',')
			space()
		}
		c := cell{name: r.str()}
		space()
		r.expect(':')
		space()
		if r.fail || r.at >= len(raw) {
			return nil, false
		}
		switch raw[r.at] {
		case '"':
			c.value = stringValue(r.str())
		case 'n':
			r.word("null")
		case 't':
			r.word("true")
			c.value = Value{kind: 'b', n: 1}
		case 'f':
			r.word("false")
			c.value = Value{kind: 'b'}
		default:
			start := r.at
			c.value = Value{kind: 'n', n: r.number()}
			if raw[start:r.at] != strconv.FormatInt(c.value.n, 10) {
				return nil, false
			}
		}
		row = append(row, c)
	}
	r.shut('}')
	row.sort()
	twice := false
	for i := 1; i < len(row); i++ {
		twice = twice || row[i].name == row[i-1].name
	}
	return row, !r.fail && r.at == len(raw) && !twice
}

func slowImage(raw []byte) (image, error) {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, fmt.Errorf("reading the row: %w", err)
	}
	var row image
	for name, m := range members {
		v, err := valueOf(m)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		row = append(row, cell{name, v})
	}
	row.sort()
	return row, nil
}

func (m image) sort() {
	slices.SortFunc(m, func(a, b cell) int { return cmp.Compare(a.name, b.name) })
}
