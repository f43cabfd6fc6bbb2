package session

import (
	_ "embed"
	"math"
	"strings"
	"sync"
	"unicode"
)

// words.txt was written for this project, from what is generally known of the
// words, names and teams that people make passwords of; it copies no list.
//
//go:embed words.txt
var wordList string

var commonWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(wordList) {
		words[word] = true
	}
	return words
})

// rows are runs of keys that hands walk along, in either direction.
var rows = func() [][]rune {
	var all [][]rune
	for _, row := range []string{
		"1234567890-=", "!@#$%^&*()_+", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
		"qwertzuiopü", "yxcvbnm", "asdfghjklöä", "azertyuiop", "qsdfghjklm", "wxcvbn", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "qazwsxedcrfvtgbyhnujmikolp", "zaqxswcdevfrbgtnhymjukilop", "zaq1xsw2cde3vfr4bgt5nhy6mju7",
		"147258369", "789456123", "741852963", "159753",
	} {
		there := []rune(row)
		back := make([]rune, len(there))
		for i, r := range there {
			back[len(there)-1-i] = r
		}
		all = append(all, there, back)
	}
	return all
}()

const (
	longestWord   = 40 // characters
	longestPeriod = 32 // characters that are looked at for a repetition

	rowBits        = 8 // which key, which way, how far
	sequenceBits   = 6 // abcd, 4321, aaaa: where from, which way, how far
	repetitionBits = 3 // of what stands before it: how often
)

// guessBits estimates the base-2 logarithm of how many guesses find the
// password, for a guesser who tries common and expected words, years, rows of
// keys, sequences and repetitions before single characters: the cheapest way
// of putting the whole password together from such pieces. The idea is
// zxcvbn's (Wheeler, USENIX Security 2016) with a small list. Time and memory
// are bounded by the length of the password, which the caller limits.
func guessBits(password string, expected map[string]bool) float64 {
	g := newGuess(password, expected)
	for i := range g.text {
		g.character(i)
		g.words(i)
		g.year(i)
		g.row(i)
		g.sequence(i)
		g.repetition(i)
	}
	return g.bits[len(g.text)]
}

// guess is one password under analysis: bits[i] is the cost of its first i
// characters, final once everything before i has been looked at.
type guess struct {
	text     []rune
	lower    []rune
	plain    [2][]rune // lower with 1 read as i and as l, 0 as o, @ as a, …
	expected map[string]bool
	bits     []float64
}

func newGuess(password string, expected map[string]bool) *guess {
	g := &guess{text: []rune(password), expected: expected}
	g.lower = make([]rune, len(g.text))
	g.plain = [2][]rune{make([]rune, len(g.text)), make([]rune, len(g.text))}
	for i, r := range g.text {
		r = unicode.ToLower(r)
		g.lower[i], g.plain[0][i], g.plain[1][i] = r, substituted(r, 'i'), substituted(r, 'l')
	}
	g.bits = make([]float64, len(g.text)+1)
	for i := 1; i < len(g.bits); i++ {
		g.bits[i] = math.Inf(1)
	}
	return g
}

// substituted reads a digit or sign as the letter that it often stands for.
func substituted(r, one rune) rune {
	switch r {
	case '@', '4':
		return 'a'
	case '3', '€':
		return 'e'
	case '1', '!', '|':
		return one
	case '0':
		return 'o'
	case '$', '5':
		return 's'
	case '7', '+':
		return 't'
	}
	return r
}

// piece says that the characters from start to end are found with so many
// bits once the characters before them are.
func (g *guess) piece(start, end int, bits float64) {
	g.bits[end] = min(g.bits[end], g.bits[start]+bits)
}

func (g *guess) character(i int) {
	bits := 10.0
	switch r := g.text[i]; {
	case strings.ContainsRune(" -_.!", r):
		bits = 2.5 // what people put between and after words
	case r >= '0' && r <= '9':
		bits = 3.4
	case r >= 'a' && r <= 'z':
		bits = 4.7
	case r < 128:
		bits = 6.6
	case unicode.IsLetter(r):
		bits = 7
	}
	g.piece(i, i+1, bits)
}

func (g *guess) words(i int) {
	common := commonWords()
	all := math.Log2(float64(len(common)))
	const short = 6 // words of three letters and fewer: the, you, my, abc, sun, …
	for end := i + 2; end <= len(g.text) && end-i <= longestWord; end++ {
		for _, form := range [][]rune{g.lower, g.plain[0], g.plain[1]} {
			word := string(form[i:end])
			disguise := 0.0
			if word != string(g.text[i:end]) {
				disguise = 1
			}
			if g.expected[word] {
				g.piece(i, end, 2+disguise)
			}
			if common[word] {
				bits := all
				if end-i <= 3 {
					bits = short
				}
				g.piece(i, end, bits+disguise)
			}
		}
	}
}

func (g *guess) year(i int) {
	if i+4 > len(g.text) {
		return
	}
	year := string(g.text[i : i+4])
	if century := year[:2]; (century == "19" || century == "20") && strings.Trim(year, "0123456789") == "" {
		g.piece(i, i+4, 7)
	}
}

func (g *guess) row(i int) {
	for _, row := range rows {
		for start, key := range row {
			if key != g.lower[i] {
				continue
			}
			n := 1
			for i+n < len(g.lower) && start+n < len(row) && g.lower[i+n] == row[start+n] {
				n++
				if n >= 3 {
					g.piece(i, i+n, rowBits)
				}
			}
		}
	}
}

func (g *guess) sequence(i int) {
	for _, step := range []rune{-1, 0, 1} {
		for end := i + 1; end < len(g.lower) && g.lower[end]-g.lower[end-1] == step; end++ {
			if n := end + 1 - i; n >= 3 {
				g.piece(i, end+1, sequenceBits)
			}
		}
	}
}

func (g *guess) repetition(i int) {
	for period := 1; period <= min(i, longestPeriod); period++ {
		end := i
		for end < len(g.lower) && g.lower[end] == g.lower[end-period] {
			end++
			if n := end - i; n >= 2 && n >= period {
				g.piece(i, end, repetitionBits)
			}
		}
	}
}
