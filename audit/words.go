package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Words splits a text into the words that search compares: runs of letters and
// digits, case folded, without accents. It is the only tokenizer: the word
// index, names and queries all pass through it, so that a database's own rules
// never decide what is found.
//
// "Dána_Cruz@example.com" gives dana, cruz, example, com.
func Words(s string) []string {
	if ascii(s) {
		return split(strings.ToLower(s))
	}
	return split(bare(s))
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// bare folds case and drops accents. Folding may bring new accents and
// decomposing new capitals, so it goes on until nothing changes; three rounds
// are more than any text needs.
func bare(s string) string {
	for range 3 {
		before := s
		s = norm.NFKD.String(cases.Fold().String(s))
		s = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.M, r) {
				return -1
			}
			return r
		}, s)
		if s == before {
			break
		}
	}
	return s
}

func split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
