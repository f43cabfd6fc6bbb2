package transcript

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with one call of a file and what would be right.
type Error struct {
	File    string
	Line    int    // from 1; 0 if the file as a whole is wrong
	Field   string // "started_at", "turn 3, end_ms"; several are joined by ", "; "" if it is the line
	Value   string // what stands there, shortened; "" if nothing does or if it is what somebody said
	Message string // what would be right
	Flag    string // the flag that would supply what is missing, "--agent"; several are joined by ", "
}

// Error reads "calls.jsonl:12: direction "up": must be inbound or outbound".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
		if e.Value != "" {
			fmt.Fprintf(&b, " %q", e.Value)
		}
	}
	return b.String() + ": " + e.Message
}

func wrong(field, value, format string, args ...any) *Error {
	return &Error{Field: field, Value: shorten(value), Message: fmt.Sprintf(format, args...)}
}

// shorten keeps an error readable whatever stands in the file.
func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
