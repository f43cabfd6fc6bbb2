package audit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxQuery  = 4096 // bytes
	maxValues = 100  // in one query
)

// QueryError says which word of a query was not understood and what would be
// right. It is an [Error] with CodeInvalid for callers that ask for one.
type QueryError struct {
	Pos, End int    // of the word, in bytes
	Word     string // as it stands in the query
	Message  string
}

func (e *QueryError) Error() string {
	if e.Word == "" {
		return e.Message
	}
	return fmt.Sprintf("%q (at %d): %s", e.Word, e.Pos+1, e.Message)
}

// As lets errors.As find the Error for people.
func (e *QueryError) As(target any) bool {
	t, ok := target.(**Error)
	if ok {
		*t = &Error{Code: CodeInvalid, Field: "q", Message: e.Error(), Err: e}
	}
	return ok
}

// ParseQuery reads the query language (docs/query-language.md):
//
//	actor:dana@example.com action:call.viewed,call.deleted -outcome:ok after:2026-11-01 "free text"
//
// Every word must be understood; the error is a *QueryError. Whether an actor,
// object or action exists is not asked here.
func ParseQuery(q string) (Filter, error) {
	p := &queryParser{text: q}
	if len(q) > maxQuery {
		return Filter{}, tooLong(q, len(q))
	}
	if err := p.characters(); err != nil {
		return Filter{}, err
	}
	for {
		p.skipSpace()
		if p.at == len(q) {
			break
		}
		if err := p.term(); err != nil {
			return Filter{}, err
		}
	}
	if err := p.filter.CheckRange(); err != nil {
		return Filter{}, &QueryError{Pos: p.before[0], End: p.before[1], Word: q[p.before[0]:p.before[1]], Message: err.Error()}
	}
	// Written out, a query may be a little longer; it must still be readable.
	if n := len(p.filter.String()); n > maxQuery {
		return Filter{}, tooLong(q, n)
	}
	return p.filter, nil
}

func tooLong(q string, n int) error {
	return &QueryError{End: len(q), Message: fmt.Sprintf("the query has %d bytes, at most %d are read: narrow it with fields", n, maxQuery)}
}

// characters refuses what no text of an event can be found by.
func (p *queryParser) characters() error {
	for i, r := range p.text {
		switch size := utf8.RuneLen(r); {
		case r == utf8.RuneError && !strings.HasPrefix(p.text[i:], "\ufffd"):
			return p.wrong(i, i+1, "this byte is not valid UTF-8")
		case unicode.IsControl(r) && !isSpace(r):
			return p.wrong(i, i+size, "a control character cannot be searched for")
		}
	}
	return nil
}

type queryParser struct {
	text   string
	at     int
	filter Filter
	count  int    // of values so far
	after  [2]int // where the time bounds stand; zero if they do not
	before [2]int
}

// isSpace tells what separates words.
func isSpace(r rune) bool { return unicode.IsSpace(r) }

func (p *queryParser) skipSpace() {
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if !isSpace(r) {
			return
		}
		p.at += size
	}
}

func (p *queryParser) wrong(from, to int, format string, args ...any) error {
	to = min(to, len(p.text))
	return &QueryError{Pos: from, End: to, Word: p.text[from:to], Message: fmt.Sprintf(format, args...)}
}

// term reads one word: field:values, text or "a phrase", each with an optional
// minus before it.
func (p *queryParser) term() error {
	start := p.at
	not := p.text[p.at] == '-'
	if not {
		p.at++
	}
	name, isField := p.fieldName()
	if !isField {
		return p.freeText(start, not)
	}
	p.at += len(name) + 1
	if name == "after" || name == "before" {
		return p.bound(start, name, not)
	}
	d, known := fieldNamed(name)
	if !known {
		return p.wrong(start, p.wordEnd(), "there is no field %s:%s; the fields are %s (put the word in quotes to search for it as text)", name, closest(name), fieldNames())
	}
	into := d.values(&p.filter)
	list := &into.Any
	if not {
		list = &into.None
	}
	for {
		from := p.at
		v, err := p.value(",")
		if err != nil {
			return err
		}
		if v == "" {
			return p.wrong(start, max(p.at, start+1), "%s: wants a value after the colon", name)
		}
		canonical, wrong := d.check(v)
		if wrong != "" {
			return p.wrong(from, p.at, "%s is not right for %s: %s", quoted(v), name, wrong)
		}
		if err := p.add(list, canonical, start); err != nil {
			return err
		}
		if p.at == len(p.text) || p.text[p.at] != ',' {
			return p.endOfWord(start)
		}
		p.at++
	}
}

func (p *queryParser) add(list *[]string, v string, start int) error {
	if p.count++; p.count > maxValues {
		return p.wrong(start, p.at, "a query has at most %d values", maxValues)
	}
	if !slices.Contains(*list, v) {
		*list = append(*list, v)
	}
	return nil
}

// fieldName looks ahead for letters and a colon.
func (p *queryParser) fieldName() (string, bool) {
	rest := p.text[p.at:]
	i := strings.IndexFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' })
	if i <= 0 || rest[i] != ':' {
		return "", false
	}
	return rest[:i], true
}

func (p *queryParser) bound(start int, name string, not bool) error {
	if not {
		return p.wrong(start, p.wordEnd(), "a time cannot be excluded: use after: and before: the other way round")
	}
	into, place := &p.filter.After, &p.after
	if name == "before" {
		into, place = &p.filter.Before, &p.before
	}
	v, err := p.value("")
	if err != nil {
		return err
	}
	t, err := ParseTime(v)
	if err != nil {
		return p.wrong(start, p.at, "%s is no time: %s", quoted(v), err)
	}
	if place[1] > 0 {
		return p.wrong(start, p.at, "%s: stands twice", name)
	}
	*into, *place = t, [2]int{start, p.at}
	return p.endOfWord(start)
}

func (p *queryParser) freeText(start int, not bool) error {
	v, err := p.value("")
	if err != nil {
		return err
	}
	if len(Words(v)) == 0 {
		return p.wrong(start, max(p.at, start+1), "there is nothing to search for in this: text needs a letter or a digit")
	}
	list := &p.filter.Text.Any
	if not {
		list = &p.filter.Text.None
	}
	if err := p.add(list, v, start); err != nil {
		return err
	}
	return p.endOfWord(start)
}

// value reads a bare or quoted value that ends at a space or one of stops.
func (p *queryParser) value(stops string) (string, error) {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quotedValue()
	}
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if isSpace(r) || strings.ContainsRune(stops, r) {
			break
		}
		if r == '"' {
			return "", p.wrong(start, p.wordEnd(), "a quote stands inside a word: put the whole value in quotes")
		}
		p.at += size
	}
	return p.text[start:p.at], nil
}

func (p *queryParser) quotedValue() (string, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case '"':
			p.at++
			return b.String(), nil
		case '\\':
			if p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\') {
				p.at++
			}
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.wrong(start, len(p.text), "the quote is not closed")
}

// endOfWord wants a space or the end.
func (p *queryParser) endOfWord(start int) error {
	if p.at < len(p.text) {
		if r, _ := utf8.DecodeRuneInString(p.text[p.at:]); !isSpace(r) {
			return p.wrong(start, p.wordEnd(), "a space is missing after the value")
		}
	}
	return nil
}

// wordEnd is where the word at the present place ends.
func (p *queryParser) wordEnd() int {
	if i := strings.IndexFunc(p.text[p.at:], isSpace); i >= 0 {
		return p.at + i
	}
	return len(p.text)
}

// closest suggests the field that was probably meant: the one whose beginning
// the word shares longest.
func closest(name string) string {
	name = strings.ToLower(name)
	best, most := "", 1
	for _, d := range append(slices.Clone(fields), field{name: "after"}, field{name: "before"}) {
		same := 0
		for same < min(len(name), len(d.name)) && name[same] == d.name[same] {
			same++
		}
		if same > most {
			best, most = d.name, same
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + ":?)"
}
