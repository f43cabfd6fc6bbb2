package session

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"onrecord/audit"
)

// MinPassword is how many characters a password has at least.
const MinPassword = shortestPassword

const (
	shortestPassword = 15  // characters
	longestPassword  = 256 // characters
	fewestBits       = 27  // about 100 million guesses
)

// CheckPassword says whether a person may choose this password, by NIST SP
// 800-63B-4 section 3.1.1.2 for a password that is the only factor: at least
// 15 characters (code points), at least 64 allowed (here 256), every printable
// character allowed, no rules about which kinds, and as a whole not a common
// or expected one. Expected are the parts of the mail address and of
// context, such as the person's and the team's name.
//
// No list of leaked passwords is asked: the words are those of words.txt, and
// [guessBits] says how they are put together. The error is an [audit.Error] of
// [audit.CodeInvalid] with Field "password".
func CheckPassword(password, email string, context ...string) error {
	const field = "password"
	if !utf8.ValidString(password) {
		return audit.Invalid(field, "This password is not valid text (UTF-8).")
	}
	password = normalize(password)
	for _, r := range password {
		if unicode.In(r, unicode.Cc, unicode.Cn) {
			return audit.Invalid(field, "A password cannot contain %U, which is not a printable character.", r)
		}
	}
	switch n := utf8.RuneCountInString(password); {
	case n == 0:
		return audit.Invalid(field, "Enter a password of at least %d characters.", shortestPassword)
	case n < shortestPassword:
		return audit.Invalid(field, "Use at least %d characters; this password has %d. Several words that have nothing to do with each other are easy to remember.", shortestPassword, n)
	case n > longestPassword:
		return audit.Invalid(field, "Use at most %d characters; this password has %d.", longestPassword, n)
	}
	if guessBits(password, expected(email, context)) < fewestBits {
		return audit.Invalid(field, "This password is easy to guess: it is made of common words, names, rows of keys or repetitions. Use words that have nothing to do with each other, with you or with your team.")
	}
	return nil
}

// expected gives the words that a guesser who knows the person tries first.
func expected(email string, context []string) map[string]bool {
	words := map[string]bool{"onrecord": true}
	for _, text := range append([]string{email}, context...) {
		letters := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }
		for word := range strings.FieldsFuncSeq(strings.ToLower(norm.NFC.String(text)), letters) {
			if utf8.RuneCountInString(word) > 1 {
				words[word] = true
			}
		}
	}
	return words
}
