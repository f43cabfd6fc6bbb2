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

// bare folds case, takes compatibility forms apart (ﬁ is fi) and drops accents
// and what cannot be seen. Folding may bring new accents and decomposing new
// capitals, so it goes on until nothing changes: three rounds settle every
// character, as a test of all of them shows.
func bare(s string) string {
	for range 3 {
		before := s
		s = norm.NFKD.String(cases.Fold().String(s))
		s = strings.Map(func(r rune) rune {
			if isAccent(r) || isInvisible(r) {
				return -1
			}
			return unicode.ToLower(r) // Fold turns Cherokee capitals small and small ones into capitals
		}, s)
		if s == before {
			break
		}
	}
	return s
}

// accented are the scripts that are read without their marks: accents, and the
// points of Hebrew and Arabic. Elsewhere a mark is a vowel, or makes another
// letter, and says which word it is.
var accented = []*unicode.RangeTable{unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic, unicode.Syriac}

func isAccent(r rune) bool {
	return unicode.Is(unicode.M, r) && unicode.In(r, accented...) && !isVoiced(r)
}

// isVoiced tells the marks that part か from が: Unicode counts them to no script.
func isVoiced(r rune) bool { return r == '\u3099' || r == '\u309a' }

// isInvisible tells soft hyphens, joiners and marks of direction, which are
// pasted along with a text. The zero width space is not one: it parts words.
func isInvisible(r rune) bool { return unicode.Is(unicode.Cf, r) && r != '\u200b' }

func split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}
