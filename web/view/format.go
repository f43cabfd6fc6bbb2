package view

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// stamp shows a time to the second in UTC, as the audit log does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// minute shows a time to the minute in UTC.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// machine is the value of a datetime attribute, with all digits.
func machine(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// micro shows a time to the microsecond in UTC.
func micro(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

// exact is micro with its zone.
func exact(t time.Time) string { return micro(t) + " UTC" }

// clock shows a length or an offset as m:ss or h:mm:ss.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// number shows a count with separators, "14,203".
func number(n int) string { return humanize.Comma(int64(n)) }

// plural shows a count with its noun: "1 call", "2,593 calls".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// span is the left part of a pager: "1–50 of 2,593".
func (p Paging) span() string {
	switch {
	case p.First == 0:
		return ""
	case p.Total == 0:
		return number(p.First) + "–" + number(p.Last)
	default:
		return number(p.First) + "–" + number(p.Last) + " of " + number(p.Total)
	}
}

// initials are the first letters of the first and the last word.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 || strings.Contains(name, "@") {
		return strings.ToUpper(string(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return strings.ToUpper(string(first) + string(last))
}

// tint picks one of the avatar's six colours, the same for the same name.
func tint(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	sum := h.Sum32()
	return "tint" + strconv.Itoa(int((sum^sum>>15)%6))
}

// dash stands in for a value that is not there.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// summary is a change in one line: "agent → admin" or "Role: agent → admin",
// and "Role: agent" for a value that was given first.
func (c Change) summary() string {
	text := dash(c.From) + " → " + dash(c.To)
	switch {
	case c.Erased:
		text = "erased"
	case c.Field != "" && c.From == "":
		text = dash(c.To)
	}
	if c.Field == "" {
		return text
	}
	return c.Field + ": " + text
}

// parts cuts the query at the error's marks, which are moved into the text and
// onto the bounds of characters, so that a wrong mark cannot break the page.
func (e QueryError) parts(query string) (before, marked, after string) {
	bound := func(i int) int {
		i = min(max(i, 0), len(query))
		for i < len(query) && !utf8.RuneStart(query[i]) {
			i++
		}
		return i
	}
	start := bound(e.Start)
	end := max(bound(e.End), start)
	return query[:start], query[start:end], query[end:]
}

// linksCSV is the address of a CSV file of one-time links that stands in the
// page itself: the server does not keep the links, so it cannot send them again.
func linksCSV(links []SignInLink) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"email", "name", "role", "link"}}
	for _, l := range links {
		rows = append(rows, []string{inert(l.Email), inert(l.Name), inert(l.Role), l.URL})
	}
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a bytes.Buffer takes every write
	}
	return "data:text/csv;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// inert keeps a spreadsheet from reading a cell as a formula.
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// describedBy joins the ids that are not empty, for aria-describedby.
func describedBy(ids ...string) string {
	return strings.Join(strings.FieldsFunc(strings.Join(ids, " "), unicode.IsSpace), " ")
}

// when gives text only if the condition holds.
func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// typed gives back what was typed into a field for a time, if the field can
// hold it: a browser complains of anything else.
func typed(text string, layouts ...string) string {
	for _, layout := range layouts {
		if _, err := time.Parse(layout, text); err == nil {
			return text
		}
	}
	return ""
}

const (
	dayField  = "2006-01-02"
	timeField = "2006-01-02T15:04:05"
)
