package session

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"onrecord/audit"
)

const mail = "dana.cruz@northwind.example"

var person = []string{"Dana Cruz", "Northwind Sales"}

func TestEasyPasswordsAreRefused(t *testing.T) {
	for _, password := range []string{
		"passwordpassword", "passwordpassword1", "Password12345678", "p@ssw0rdp@ssw0rd", "P4ssw0rd!P4ssw0rd!",
		"qwertyuiopasdfgh", "QWERTYUIOPASDFGH", "1qaz2wsx3edc4rfv", "zaq1xsw2cde3vfr4", "asdfghjkl;'asdfg", "qwertzuiopasdfgh", "!@#$%^&*()!@#$%",
		"111111111111111", "123456789012345", "987654321098765", "abcdefghijklmnop", "aaaabbbbccccdddd", strings.Repeat("zuv", 20), strings.Repeat("aB3$", 4),
		"summersummer2024", "Summer2024Summer2024", "Callcenter2024!!", "iloveyouiloveyou", "letmeinletmeinletmein", "welcometothejungle",
		"Liverpool1234567", "administrator123", "administrator2026", "supercalifragilisticexpialidocious", "ParolaParola2024", "geheimgeheim1234", "contraseña123456",
		"dana@northwind!", "danacruz20241124", "northwindnorthwind", "Northwind-Sales-2026", "dana.cruz@northwind.example", "D4n4Cruz-N0rthwind",
		"onrecordonrecord",
	} {
		if err := CheckPassword(password, mail, person...); audit.CodeOf(err) != audit.CodeInvalid {
			t.Errorf("CheckPassword(%q) = %v, with %.1f bits; want it refused", password, err, guessBits(password, expected(mail, person)))
		}
	}
}

func TestGoodPasswordsAreTaken(t *testing.T) {
	for _, password := range []string{
		"correct horse battery staple", "tidy otter walks slowly", "korrektpferdbatterie", "the heron forgot its umbrella",
		"Kj8#mQ2!vLp0zRw", "xkqzvbnmwrtypsd", "日本語のパスワードは長いですよね", "сорок лет назад было тепло", "☂️ trüber Tag im März",
		strings.Repeat("every printable character is allowed ", 6), "    leading and trailing   ", "mein Hund frisst keine Gurken",
	} {
		if err := CheckPassword(password, mail, person...); err != nil {
			t.Errorf("CheckPassword(%q) = %v, with %.1f bits; want it taken", password, err, guessBits(password, expected(mail, person)))
		}
	}
}

func TestLengthCountsCharacters(t *testing.T) {
	alphabet := []rune("żmqöxkvñujwhéfpgtbśycdrlaеио") // each is two bytes or one
	long := string(alphabet)
	for n, want := range map[int]bool{0: false, 14: false, 15: true} {
		err := CheckPassword(string(alphabet[:n]), mail)
		if (err == nil) != want {
			t.Errorf("%d characters: %v", n, err)
		}
	}
	for n, want := range map[int]bool{64: true, 256: true, 257: false} {
		var b strings.Builder
		for i := range n {
			b.WriteRune([]rune(long)[(i*i+i/3)%len(alphabet)])
		}
		err := CheckPassword(b.String(), mail)
		if (err == nil) != want {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

func TestPolicyErrorsNameTheField(t *testing.T) {
	for _, password := range []string{"", "short", strings.Repeat("x", 257), "a\x00 null in a password", "\xff\xfe not text at all", "unassigned \u0378 code point", "line\nbreak in a password", "passwordpassword"} {
		err := CheckPassword(password, mail)
		e, ok := errors.AsType[*audit.Error](err)
		if !ok || e.Code != audit.CodeInvalid || e.Field != "password" || e.Message == "" {
			t.Errorf("CheckPassword(%q) = %#v", password, err)
		}
		if password != "" && strings.Contains(e.Message, password) {
			t.Errorf("the message repeats the password: %s", e.Message)
		}
	}
}

func TestRandomPasswordsAreTaken(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		password := NewPassword()
		if seen[password] {
			t.Fatalf("made %q twice", password)
		}
		seen[password] = true
		if len(password) != 29 || strings.Trim(password, "abdfghijklmnoprstuvz-") != "" {
			t.Fatalf("made %q", password)
		}
		if err := CheckPassword(password, mail, person...); err != nil {
			t.Fatalf("refused its own %q: %v", password, err)
		}
	}
}

// The proposal's own examples.
func TestProquint(t *testing.T) {
	for n, want := range map[uint16]string{0x7f00: "lusab", 0x0001: "babad", 0x3f54: "gutih", 0xdcc1: "tugad"} {
		if got := proquint(n); got != want {
			t.Errorf("proquint(%#x) = %s, want %s", n, got, want)
		}
	}
}

func TestRepetitionAddsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.StringMatching(`[!-~]{1,3}`).Draw(t, "unit")
		times := rapid.IntRange((shortestPassword+len(unit)-1)/len(unit), longestPassword/len(unit)).Draw(t, "times")
		if err := CheckPassword(strings.Repeat(unit, times), mail); err == nil {
			t.Fatalf("%q, %d times, was taken", unit, times)
		}
	})
}

func TestWordsAreFoundInEachSpelling(t *testing.T) {
	words := strings.Fields(wordList)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom(words).Draw(t, "word")
		spelled := word
		if rapid.Bool().Draw(t, "upper") {
			spelled = strings.ToUpper(word)
		}
		if strings.ToLower(spelled) != word {
			return // a letter without a simple upper case
		}
		if rapid.Bool().Draw(t, "substituted") {
			spelled = strings.NewReplacer("a", "@", "e", "3", "i", "1", "o", "0", "s", "$").Replace(spelled)
		}
		if bits := guessBits(spelled, nil); bits > 12 {
			t.Fatalf("%q costs %.1f bits", spelled, bits)
		}
	})
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("correct horse battery staple", mail, "Northwind Sales")
	f.Add("e\u0301\u0301\u0301 combining marks pile up", "é@example.com", "")
	f.Add("\xff", "\xff@", "\xff")
	f.Fuzz(func(t *testing.T, password, email, context string) {
		err := CheckPassword(password, email, context)
		if err != nil && audit.CodeOf(err) != audit.CodeInvalid {
			t.Fatalf("an error that is not for people: %v", err)
		}
		if utf8.ValidString(password) {
			if composed := CheckPassword(norm.NFC.String(password), email, context); (composed == nil) != (err == nil) {
				t.Fatalf("%q: %v, composed: %v", password, err, composed)
			}
		}
		if err == nil && utf8.RuneCountInString(norm.NFC.String(password)) < shortestPassword {
			t.Fatalf("%q was taken", password)
		}
	})
}

func BenchmarkCheckLongestPassword(b *testing.B) {
	for b.Loop() {
		CheckPassword(strings.Repeat("a", longestPassword), mail, person...)
	}
}
