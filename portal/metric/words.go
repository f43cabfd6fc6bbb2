package metric

import (
	"regexp"
	"strings"
)

var (
	// aside is what a transcriber puts in for what is no word.
	aside = regexp.MustCompile(`\[[^\]]*\]|<unk>`)
	// word is a run of letters, digits and marks, with apostrophes and hyphens
	// within: "don't", "check-in", "01223".
	word = regexp.MustCompile(`[\pL\pN\pM]+(?:['’-][\pL\pN\pM]+)*`)
)

// words gives the words of a text in lower case, apostrophes straight.
func words(text string) []string {
	return word.FindAllString(strings.ReplaceAll(strings.ToLower(spoken(text)), "’", "'"), -1)
}

// spoken leaves out the asides.
func spoken(text string) string {
	if !strings.ContainsAny(text, "[<") {
		return text
	}
	return aside.ReplaceAllString(text, " ")
}

// listeners' words, which acknowledge and take no turn (Yngve, "On getting a
// word in edgewise", 1970).
var listeners = set("ah alright aha exactly good great hm hmm mhm mm mm-hm mm-hmm oh ok okay right sure uh-huh uh-hum yeah yep yes")

func listening(words []string) bool {
	for _, w := range words {
		if !listeners[w] {
			return false
		}
	}
	return true
}

func set(list string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		all[w] = true
	}
	return all
}

// filler matches uh and um and the ways of writing them, drawn out or not.
var filler = regexp.MustCompile(`^(?:u+h+|u+h*m+|e+r|e+rm+)$`)

var (
	sentenceEnd = regexp.MustCompile(`[.?!…]+`)
	// inversion is a question's word order: the operator before its subject, or
	// a question word before a form of "be".
	inversion = regexp.MustCompile(` (?:` +
		`(?:am|is|are|was|were|do|does|did|have|has|had|can|could|will|would|shall|should|may|might|isn't|aren't|don't|doesn't|didn't|can't|couldn't|won't|wouldn't) ` +
		`(?:i|you|we|he|she|it|they|there|anyone|anybody|anything)` +
		`|(?:what|which|who|where|when|why|how) (?:is|are|was|were)|(?:what|who|where|how)'s) `)
)

// questions counts those that somebody asks. In writing with punctuation, as
// told by any mark that ends a sentence, a question is a run of such marks that
// holds a question mark. Without, as speech recognition often gives it, an
// utterance with the word order of a question is one.
func questions(said []utterance) int {
	marked, n := false, 0
	for _, u := range said {
		for _, marks := range sentenceEnd.FindAllString(spoken(u.text), -1) {
			marked = true
			if strings.Contains(marks, "?") {
				n++
			}
		}
	}
	if marked {
		return n
	}
	for _, u := range said {
		if inversion.MatchString(u.line) {
			n++
		}
	}
	return n
}
