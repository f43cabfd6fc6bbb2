package audit

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"***":                         "",
		"Dana Cruz":                   "dana cruz",
		"Dána_Cruz@example.com":       "dana cruz example com",
		"covers for Sam, until 12:30": "covers for sam until 12 30",
		"203.0.113.7":                 "203 0 113 7",
		"STRASSE Straße":              "strasse strasse",
		"ΣΊΣΥΦΟΣ σίσυφος":             "σισυφος σισυφος",
		"İstanbul e\u0301cole":        "istanbul ecole",
		"ﬁn ① ½ ㎒ ﾊﾟ":                 "fin 1 1 2 mhz ハ\u309a",
		"ёлка ЙОД":                    "елка иод",
		"שָׁלוֹם مُحَمَّد أحمد":             "שלום محمد احمد",
		"हिन्दी हन्दी":                      "हिन्दी हन्दी", // vowels stay: another vowel is another word
		"がス かス":                             "か\u3099ス かス",
		"한국어":                               "한국어",
		"soft\u00adhyphen \u202eabc\u202c":  "softhyphen abc",
		"zero\u200bwidth\u00a0no\u3000ideo": "zero width no ideo",
		"ᎠᏣ ꭰꮳ":                             "ꭰꮳ ꭰꮳ",
		"a\ufffdb \xff c":                   "a b c",
		"keycap 1\ufe0f\u20e3":              "keycap 1",
	} {
		if got, want := Words(text), Words(want); !slices.Equal(got, want) {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
		if got := strings.Join(Words(text), " "); utf8.RuneCountInString(want) == len(want) && got != want {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	}
	if slices.Equal(Words("हिन्दी"), Words("हन्दी")) {
		t.Error("a vowel sign makes another word")
	}
}

// TestWordsOfEveryCharacter: whoever searches for a word that was found finds
// the same again. Ideographs that have no other form are all alike.
func TestWordsOfEveryCharacter(t *testing.T) {
	for r := range unicode.MaxRune + 1 {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S, unicode.Cf) || unicode.Is(unicode.Unified_Ideograph, r) {
			continue
		}
		checkWords(t, "a"+string(r)+"b")
		checkWords(t, string(r))
	}
}

func checkWords(t interface{ Errorf(string, ...any) }, s string) {
	words := Words(s)
	if again := Words(strings.Join(words, " ")); !slices.Equal(words, again) {
		t.Errorf("Words(%q) = %q, whose own words are %q", s, words, again)
	}
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsUpper(r) || isAccent(r) || isInvisible(r) }) {
			t.Errorf("Words(%q) holds %q", s, w)
		}
	}
}

func TestWordsSettle(t *testing.T) {
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("aZß \u00adİıΣςʼnǰᾳ\u0345\u0301\u0308Ꭰꭰ㎒Å가か\u3099क\u093f\u094dאָأ\u0655"), unicode.Letter, unicode.Mark, unicode.Cf), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		s := letters.Draw(t, "text")
		checkWords(t, s)
		if _, alone := strings.CutPrefix(s, "\u0301"); !alone && !slices.Equal(Words(s), Words(strings.ReplaceAll(s, "\u0301", ""))) {
			t.Errorf("%q: an accent makes a difference: %q", s, Words(s))
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, s := range append(nasty, "ᾳ\u0345Ꭰ㎒", "\xff", "ﬃ\u0301İ") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkWords(t, s) })
}
