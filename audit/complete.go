package audit

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// Typed is the word of a query that somebody is typing.
type Typed struct {
	From, To int    // what a suggestion takes the place of, in bytes
	Field    string // of the value that is typed; "" for text, or for the name of a field
	Text     string // what is typed of it, without quotes
}

// WordAt finds the word of an unfinished query in which the byte at stands, or
// which ends there. Of several values of one field it is the one at that
// place. Unlike [ParseQuery] it takes every query: nothing is finished yet.
func WordAt(q string, at int) Typed {
	at = min(max(at, 0), len(q))
	for at > 0 && at < len(q) && !utf8.RuneStart(q[at]) {
		at--
	}
	p := &queryParser{text: q}
	for {
		p.skipSpace()
		if p.at > at || p.at == len(q) {
			return Typed{From: at, To: at}
		}
		t := p.typed(at)
		if at <= p.at {
			return t
		}
	}
}

// typed reads over one word, finished or not, and says what of it stands at a
// place.
func (p *queryParser) typed(at int) Typed {
	if p.text[p.at] == '-' {
		p.at++
	}
	t := Typed{From: p.at}
	if name, ok := p.fieldName(); ok && at > p.at+len(name) {
		t.Field = name
		p.at += len(name) + 1
		t.From = p.at
	}
	for {
		from := p.at
		text := p.unfinished(t.Field != "")
		t.From, t.To, t.Text = from, p.at, text
		if t.Field == "" || at <= p.at || p.at == len(p.text) || p.text[p.at] != ',' {
			return t
		}
		p.at++
	}
}

// unfinished reads a bare or quoted value up to its end, or to that of the
// query.
func (p *queryParser) unfinished(inList bool) string {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		start := p.at
		if v, err := p.quotedValue(); err == nil {
			return v
		}
		p.at = len(p.text)
		return p.text[start+1:]
	}
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if isSpace(r) || inList && r == ',' {
			break
		}
		p.at += size
	}
	return strings.ReplaceAll(p.text[start:p.at], `"`, "")
}

// QuoteValue writes a value as the query language has it.
func QuoteValue(v string) string { return quoteValue(v) }

// Fields are the names of the query language's fields, in the order in which
// a filter is written.
func Fields() []string {
	names := []string{}
	for _, f := range fields {
		names = append(names, f.name)
	}
	return append(names, "after", "before")
}

// CountOf counts the events of a filter for no longer than a limit.
// complete tells that these are all; else there are at least so many.
//
// Cost: as [Log.Histogram].
func (l *Log) CountOf(ctx context.Context, log string, f Filter, limit time.Duration) (events int64, complete bool, err error) {
	h, err := l.Histogram(ctx, log, f, HistogramQuery{Bars: 1, Limit: limit})
	return h.Events, h.Complete, err
}
