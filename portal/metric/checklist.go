package metric

import (
	"fmt"
	"regexp"
	"strings"
)

// Item is one entry of the checklist: a thing that the agent has to say.
type Item struct {
	Key     string // of its metric
	Name    string
	Where   Place
	Phrases []string // any of them will do, in words; * stands for up to four words
}

// Place is where in the call an item must stand, in the agent's turns. The
// zero Place is anywhere.
type Place struct {
	First int // among so many first turns
	Last  int // among so many last turns
}

func (p Place) String() string {
	switch {
	case p.First > 0:
		return fmt.Sprintf("in one of the first %d turns of the agent", p.First)
	case p.Last > 0:
		return fmt.Sprintf("in one of the last %d turns of the agent", p.Last)
	}
	return "in any turn of the agent"
}

// of gives the turns that lie there.
func (p Place) of(said []utterance) []utterance {
	switch n := len(said); {
	case p.First > 0:
		return said[:min(n, p.First)]
	case p.Last > 0:
		return said[n-min(n, p.Last):]
	}
	return said
}

// checklist is what Agent Assist asks for.
var checklist = []Item{
	{"greeting", "Greeting", Place{First: 2}, []string{
		"hello", "hi", "good morning", "good afternoon", "good evening", "good day", "welcome"}},
	{"identification", "Identification", Place{First: 3}, []string{
		"my name is", "this is", "speaking", "welcome to", "you have reached", "you've reached"}},
	{"offer_of_help", "Offer of help", Place{First: 4}, []string{
		"how * help", "how * assist", "how * be of assistance", "may i help", "can i help", "what can i do for you"}},
	{"verification", "Verification", Place{}, []string{
		"your * name", "your * number", "your * email", "your * address", "your * id", "your username", "date of birth", "account id", "order id",
		"account number", "security question", "verify your", "validate your", "confirm your", "verify * identity"}},
	{"further_help", "Further help", Place{Last: 5}, []string{
		"anything else", "something else", "anything more", "any more help", "anymore help", "any other question", "any other questions"}},
	{"closing", "Closing", Place{Last: 3}, []string{
		"thank you for calling", "thanks for calling", "thank you for contacting", "thanks for contacting", "have a good", "have a great", "have a nice",
		"have a lovely", "have a wonderful", "take care", "goodbye", "good bye", "bye"}},
}

// Checklist gives the entries in their order.
func Checklist() []Item { return append([]Item(nil), checklist...) }

// said tells whether the agent said it where it belongs.
func (i Item) said(agent []utterance) bool {
	for _, u := range i.Where.of(agent) {
		for _, p := range i.Phrases {
			if holds(u.line, p) {
				return true
			}
		}
	}
	return false
}

// holds tells whether a line of words, with a space on either side of each,
// has a phrase in it. Its pattern is asked only if it has a gap and what stands
// on both sides of that is there: patterns are slow.
func holds(line, phrase string) bool {
	before, after, gap := strings.Cut(phrase, " * ")
	if !strings.Contains(line, " "+before+" ") || gap && !strings.Contains(line, " "+after+" ") {
		return false
	}
	return !gap || gaps[phrase].MatchString(line)
}

// gaps are the patterns of the phrases that have one.
var gaps = func() map[string]*regexp.Regexp {
	all := map[string]*regexp.Regexp{}
	for _, item := range checklist {
		for _, p := range item.Phrases {
			if strings.Contains(p, " * ") {
				all[p] = regexp.MustCompile(" " + strings.ReplaceAll(regexp.QuoteMeta(p), `\* `, `(?:[^ ]+ ){0,4}`) + " ")
			}
		}
	}
	return all
}()

// assist makes the metrics of the checklist: one for the whole and one for
// each entry. They have no value if the agent says nothing.
func assist() []Metric {
	score := func(items []Item) func(conversation) Value {
		return func(c conversation) Value {
			agent := c.side(true)
			if len(agent) == 0 {
				return Value{}
			}
			said := 0
			for _, item := range items {
				if item.said(agent) {
					said++
				}
			}
			return fraction(Percent, int64(100*said), int64(len(items)))
		}
	}
	const source = "OnRecord's own checklist."
	all := []Metric{{
		Key: "checklist_adherence", Name: "Checklist adherence", Group: AgentAssist, Unit: Percent, Source: source,
		Doc:     fmt.Sprintf("How many of the %d entries of the checklist the agent says, each where it belongs in the call.", len(checklist)),
		compute: score(checklist),
	}}
	for i, item := range checklist {
		all = append(all, Metric{
			Key: item.Key, Name: item.Name, Group: AgentAssist, Unit: Percent, Source: source,
			Doc:     fmt.Sprintf("100 if the agent says one of these %s, otherwise 0: %s.%s", item.Where, strings.ReplaceAll(strings.Join(item.Phrases, ", "), "*", "…"), gapDoc(item)),
			compute: score(checklist[i : i+1]),
		})
	}
	return all
}

func gapDoc(i Item) string {
	if strings.Contains(strings.Join(i.Phrases, " "), "*") {
		return " (… stands for up to four words.)"
	}
	return ""
}
