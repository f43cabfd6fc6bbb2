package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"onrecord/audit"
)

// The longest texts that a person may give, in characters.
const (
	MaxName   = 120
	MaxReason = 500
)

// cleanName reads a name that people will read: of a person, a team. Spaces
// are tidied up. Error: Invalid with the field.
func cleanName(field, what, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", audit.Invalid(field, "%s is not valid UTF-8 text.", what)
	}
	s = norm.NFC.String(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return "", audit.Invalid(field, "%s is missing.", what)
	}
	if n := utf8.RuneCountInString(s); n > MaxName {
		return "", audit.Invalid(field, "%s has %d characters; %d are the most.", what, n, MaxName)
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) {
			return "", audit.Invalid(field, "%s holds the unprintable character %U; leave it out.", what, r)
		}
	}
	return s, nil
}

// checkReason refuses a reason that the log could not hold as it is. Error:
// Invalid, field reason.
func checkReason(s string) error {
	if !utf8.ValidString(s) {
		return audit.Invalid("reason", "The reason is not valid UTF-8 text.")
	}
	if n := utf8.RuneCountInString(s); n > MaxReason {
		return audit.Invalid("reason", "The reason has %d characters; %d are the most.", n, MaxReason)
	}
	return nil
}

// checkVersion refuses a change of something that has changed since the
// person saw it. "" asks for whatever stands.
func checkVersion(seen, now, name string) error {
	if seen != "" && seen != now {
		return audit.Conflict("%s has been changed since you opened this page. Look again, then decide.", name)
	}
	return nil
}

// maxListed is the most that one page of members or devices holds.
const maxListed = 1000

// pageOf cuts a page out of a list. Error: Invalid.
func pageOf[T any](all []T, offset, limit int) ([]T, error) {
	if limit == 0 {
		limit = defaultPage
	}
	if limit < 1 || limit > maxListed {
		return nil, audit.Invalid("limit", "A page holds 1 to %d rows, not %d.", maxListed, limit)
	}
	if offset < 0 {
		return nil, audit.Invalid("offset", "A page begins at row 0 or later, not at %d.", offset)
	}
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))], nil
}

// holdsWords tells whether every word of a search stands somewhere in the
// texts, whatever the case.
func holdsWords(search string, texts ...string) bool {
	all := folded(strings.Join(texts, "\n"))
	for _, w := range strings.Fields(folded(search)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}
