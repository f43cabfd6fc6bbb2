package portal_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"onrecord/audit"
	"onrecord/portal"
)

func TestParseEmail(t *testing.T) {
	for given, want := range map[string]string{
		" Dana@Example.com ":   "Dana@Example.com",
		"o'hara+x@sub.ex.am":   "o'hara+x@sub.ex.am",
		"root@localhost":       "root@localhost",
		"jörg@müller.example":  "jörg@müller.example",
		"jo\u0308rg@a.example": "jörg@a.example", // composed
	} {
		if got, err := portal.ParseEmail(given); err != nil || got != want {
			t.Errorf("%q is %q, %v", given, got, err)
		}
	}
	for _, bad := range []string{
		"", " ", "dana", "@example.com", "dana@", "a@b@c", "da na@example.com", "dana@exa mple.com", "dana@-x.com", "dana@x-.com", "dana@.com",
		"dana@example..com", "dana@example.com.", "<dana@example.com>", "dana,@example.com", "dana@\x00", "\xff@example.com",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b.", 126) + "com", "dana@" + strings.Repeat("c", 64),
	} {
		_, err := portal.ParseEmail(bad)
		refused(t, err, audit.CodeInvalid, "email")
	}
}

func TestParseUserList(t *testing.T) {
	text := "a@x.com, b@x.com;c@x.com\td@x.com\r\n\n  e@x.com\u00a0f@x.com\n\"Cruz, Dana\" <dana@x.com>, Sam Roe <sam@x.com>;\n<g@x.com>\nhello"
	want := []portal.NewUser{
		{Email: "a@x.com"}, {Email: "b@x.com"}, {Email: "c@x.com"}, {Email: "d@x.com"}, {Email: "e@x.com"}, {Email: "f@x.com"},
		{Email: "dana@x.com", Name: "Cruz, Dana"}, {Email: "sam@x.com", Name: "Sam Roe"}, {Email: "g@x.com"}, {Email: "hello"},
	}
	if got := portal.ParseUserList(text); !slices.Equal(got, want) {
		t.Errorf("the list is %+v", got)
	}
	if got := portal.ParseUserList(" ,;\n"); len(got) != 0 {
		t.Errorf("nothing is %+v", got)
	}
}

func TestParseUserFile(t *testing.T) {
	two := []portal.NewUser{{Email: "dana@x.com", Name: "Dana Cruz"}, {Email: "sam@x.com"}}
	bare := []portal.NewUser{{Email: "dana@x.com"}, {Email: "sam@x.com"}}
	for text, want := range map[string][]portal.NewUser{
		"\ufeffName,E-Mail\r\nDana Cruz,dana@x.com\r\n,sam@x.com\r\n":                           two,
		"email;name\ndana@x.com;\"Dana Cruz\"\nsam@x.com\n":                                     two,
		"id\tEmail address\tfull name\n1\tdana@x.com\tDana Cruz\n2\tsam@x.com\t\n3\t\tNobody\n": two,
		"dana@x.com\nsam@x.com\n":     bare,
		"1,dana@x.com\n\n2,sam@x.com": bare,
	} {
		if got, err := portal.ParseUserFile(strings.NewReader(text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "name\nDana\n", "email\n\"x", "a\xff@x.com", "a,b\n\"a\"b,c@x.com\n", strings.Repeat("a@x.com\n", 1<<17+1)} {
		_, err := portal.ParseUserFile(strings.NewReader(bad))
		refused(t, err, audit.CodeInvalid, "csv")
	}
	_, err := portal.ParseUserFile(strings.NewReader("email\na@x.com\nb@x.com\n\"x\"y\n"))
	if !strings.Contains(err.Error(), "Line 4") {
		t.Errorf("the error does not name the line: %v", err)
	}
}

func FuzzParseUsers(f *testing.F) {
	f.Add("Dana <dana@x.com>, b@x.com\nemail,name\n\"a\",b@x.com")
	f.Add("email;name\r\na@x.com;\"A\"\"B\"")
	f.Fuzz(func(t *testing.T, text string) {
		users := portal.ParseUserList(text)
		file, err := portal.ParseUserFile(strings.NewReader(text))
		if err != nil && audit.CodeOf(err) != audit.CodeInvalid {
			t.Fatalf("the error is %v", err)
		}
		for _, u := range append(users, file...) {
			if u.Email == "" {
				t.Fatal("an entry without an address")
			}
			email, err := portal.ParseEmail(u.Email)
			if err != nil {
				continue
			}
			if again, err := portal.ParseEmail(email); err != nil || again != email || !utf8.ValidString(email) || strings.ContainsAny(email, " \t\n,;<>") {
				t.Fatalf("%q became %q, then %q, %v", u.Email, email, again, err)
			}
		}
	})
}
