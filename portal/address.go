package portal

import (
	"encoding/csv"
	"errors"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"onrecord/audit"
)

// NewUser is somebody to be added: a mail address and, if it is known, a name.
type NewUser struct{ Email, Name string }

const (
	maxEmail    = 254     // RFC 5321, 4.5.3.1.3, less the angle brackets
	maxLocal    = 64      // RFC 5321, 4.5.3.1.1
	maxAdded    = 1000    // in one go
	maxUserFile = 1 << 20 // bytes
)

// An address is what browsers take for one (HTML Standard, "valid email
// address"), with letters and digits of every script (RFC 6531).
var (
	localPart  = regexp.MustCompile("^[\\pL\\pM\\pN.!#$%&'*+/=?^_`{|}~-]+$")
	domainPart = regexp.MustCompile(`^[\pL\pN]([\pL\pM\pN-]{0,61}[\pL\pM\pN])?(\.[\pL\pN]([\pL\pM\pN-]{0,61}[\pL\pM\pN])?)*$`)
)

// ParseEmail reads one mail address. Error: Invalid, field email, saying what
// is wrong with it.
func ParseEmail(s string) (string, error) {
	invalid := func(format string, args ...any) (string, error) {
		return "", audit.Invalid("email", format, args...)
	}
	if !utf8.ValidString(s) {
		return invalid("The mail address is not valid UTF-8 text.")
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	if s == "" {
		return invalid("The mail address is missing.")
	}
	at := strings.LastIndexByte(s, '@')
	switch {
	case len(s) > maxEmail:
		return invalid("The mail address %s is longer than %d bytes.", clip(s), maxEmail)
	case at < 0:
		return invalid("%s has no @: a mail address looks like dana@example.com.", clip(s))
	case at == 0:
		return invalid("%s has nothing before the @: a mail address looks like dana@example.com.", clip(s))
	case at == len(s)-1:
		return invalid("%s has nothing after the @: a mail address looks like dana@example.com.", clip(s))
	case at > maxLocal:
		return invalid("%s has more than %d bytes before the @.", clip(s), maxLocal)
	case !localPart.MatchString(s[:at]):
		return invalid("%s cannot be a mail address: before the @ stands something that is not allowed there.", clip(s))
	case !domainPart.MatchString(s[at+1:]):
		return invalid("%s cannot be a mail address: what follows the @ is not the name of a domain.", clip(s))
	}
	return s, nil
}

// emailKey is what makes an address the same person, whatever its casing.
func emailKey(email string) string {
	return norm.NFC.String(folded(norm.NFC.String(strings.TrimSpace(email))))
}

// ParseUserList reads mail addresses as people type or paste them: separated
// by commas, semicolons, spaces or new lines, or as mail programs write them
// (Dana Cruz <dana@example.com>). Whether each can be an address is told when
// it is added.
func ParseUserList(text string) []NewUser {
	var users []NewUser
	for line := range strings.Lines(text) {
		if named, err := mail.ParseAddressList(strings.Trim(strings.ReplaceAll(line, ";", ","), ", \t\r\n")); err == nil {
			for _, a := range named {
				users = append(users, NewUser{Email: a.Address, Name: a.Name})
			}
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool {
			return r == ',' || r == ';' || r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\u00a0'
		}) {
			users = append(users, NewUser{Email: strings.Trim(word, "<>\"'")})
		}
	}
	return slices.DeleteFunc(users, func(u NewUser) bool { return u.Email == "" })
}

// ParseUserFile reads a CSV file of at most 1 MiB. With a heading, the column
// email (or e-mail, mail, email address) holds the addresses and the column
// name the names; without one, an address stands in whichever column has an @.
// Columns are separated by commas, semicolons or tabs.
//
// Error: Invalid, field csv, naming the line.
func ParseUserFile(r io.Reader) ([]NewUser, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxUserFile+1))
	if err != nil {
		return nil, audit.Invalid("csv", "The file could not be read to its end. Choose it again.")
	}
	text := strings.TrimPrefix(string(raw), "\ufeff")
	switch {
	case len(raw) > maxUserFile:
		return nil, audit.Invalid("csv", "The file is larger than 1 MiB. Cut it into several.")
	case !utf8.ValidString(text):
		return nil, audit.Invalid("csv", "The file is not UTF-8 text. Save it as \"CSV UTF-8\".")
	}
	c := csv.NewReader(strings.NewReader(text))
	c.FieldsPerRecord, c.Comma = -1, separator(text)
	c.TrimLeadingSpace = c.Comma != '\t' // it would take empty columns away
	rows, err := c.ReadAll()
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, audit.Invalid("csv", "Line %d of the file, column %d: %v.", bad.Line, bad.Column, bad.Err)
	} else if err != nil {
		return nil, audit.Invalid("csv", "The file is not CSV: %v.", err)
	}
	users := usersOf(rows)
	if len(users) == 0 {
		return nil, audit.Invalid("csv", "The file has no mail address: give it a column with the heading email.")
	}
	return users, nil
}

// separator is the mark that the first line has most of.
func separator(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	best := ','
	for _, mark := range ";\t" {
		if strings.Count(first, string(mark)) > strings.Count(first, string(best)) {
			best = mark
		}
	}
	return best
}

func usersOf(rows [][]string) []NewUser {
	if len(rows) == 0 {
		return nil
	}
	email, name := -1, -1
	for i, heading := range rows[0] {
		switch strings.ToLower(strings.TrimSpace(heading)) {
		case "email", "e-mail", "mail", "email address", "e-mail address", "mail address":
			email = i
		case "name", "full name", "display name":
			name = i
		}
	}
	if email >= 0 {
		rows = rows[1:]
	}
	var users []NewUser
	for _, row := range rows {
		var u NewUser
		if email >= 0 {
			u = NewUser{Email: cell(row, email), Name: cell(row, name)}
		} else if i := slices.IndexFunc(row, func(s string) bool { return strings.Contains(s, "@") }); i >= 0 {
			u.Email = cell(row, i)
		}
		if u.Email != "" {
			users = append(users, u)
		}
	}
	return users
}

func cell(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}
