package metric

const (
	// pauseEnds is the silence, in milliseconds, that ends a monologue.
	pauseEnds = 2000
	// overlapAllowed is how long before the end of another's utterance, in
	// milliseconds, one may begin without interrupting it: turns are handed
	// over with short overlaps as often as with short gaps.
	overlapAllowed = 500
)

var speech = []Metric{
	{
		Key: "talk_share", Name: "Talk share", Group: SpeechAnalytics, Unit: Percent, NeedsTimes: true,
		Doc:     "Time the agent speaks, divided by that time plus the time the other side speaks. Silence does not count, and where one side overlaps with itself the time counts once.",
		Source:  "Talk-to-listen ratio, Gong Labs, 2016.",
		compute: talkShare,
	}, {
		Key: "words_per_minute", Name: "Words a minute", Group: SpeechAnalytics, Unit: WordsPerMinute, NeedsTimes: true,
		Doc:     "Words the agent says, divided by the minutes in which the agent speaks. Marks such as [noise] are no words.",
		Source:  "Talk speed by participant, Amazon Connect Contact Lens.",
		compute: wordsPerMinute,
	}, {
		Key: "longest_monologue", Name: "Longest monologue", Group: SpeechAnalytics, Unit: Seconds, NeedsTimes: true,
		Doc:     "The longest stretch from where the agent begins to speak to where the agent ends, without the other side taking the floor and without a pause longer than 2 seconds. The other side's \"okay\" or \"mhm\" said meanwhile does not end it.",
		Source:  "Longest monologue, Gong; the limit of the pause is OnRecord's.",
		compute: longestMonologue,
	}, {
		Key: "response_delay", Name: "Response delay", Group: SpeechAnalytics, Unit: Seconds, NeedsTimes: true,
		Doc:     "The mean silence between the end of what the other side says and the beginning of the agent's answer. An answer that begins earlier counts as 0.",
		Source:  "Gaps between speakers: Heldner and Edlund, Pauses, gaps and overlaps in conversations, Journal of Phonetics 38, 2010.",
		compute: responseDelay,
	}, {
		Key: "interruptions", Name: "Interruptions", Group: SpeechAnalytics, Unit: Count, NeedsTimes: true,
		Doc:     "How often the agent begins to speak while the other side does and would for at least another half second. An \"okay\" or \"mhm\" said meanwhile is no interruption.",
		Source:  "Sacks, Schegloff and Jefferson, A simplest systematics for the organization of turn-taking, Language 50, 1974; the half second is OnRecord's.",
		compute: interruptions,
	}, {
		Key: "questions_asked", Name: "Questions asked", Group: SpeechAnalytics, Unit: Count,
		Doc:     "Question marks of the agent, several in a row counting once. If the agent's text has no punctuation: turns with the word order of a question (\"can you …\", \"what is …\").",
		Source:  "Word order: Quirk, Greenbaum, Leech and Svartvik, A Comprehensive Grammar of the English Language, 1985, chapter 11.",
		compute: func(c conversation) Value { return count(questions(c.side(true))) },
	}, {
		Key: "filler_words", Name: "Filler words", Group: SpeechAnalytics, Unit: Count,
		Doc:     "How often the agent says uh, um, er or erm, drawn out or not.",
		Source:  "Clark and Fox Tree, Using uh and um in spontaneous speaking, Cognition 84, 2002.",
		compute: fillerWords,
	},
}

func talkShare(c conversation) Value {
	agent, other := talk(c.side(true)), talk(c.side(false))
	return fraction(Percent, 100*agent, agent+other)
}

func wordsPerMinute(c conversation) Value {
	said := c.side(true)
	var n int64
	for _, u := range said {
		n += int64(len(u.words))
	}
	return fraction(WordsPerMinute, n*60_000, talk(said))
}

func longestMonologue(c conversation) Value {
	longest, open := int64(-1), false // open: the agent has the floor
	var from, until int64
	for _, u := range c.floor() {
		if !u.agent {
			open = false
			continue
		}
		if !open || u.start > until+pauseEnds {
			from, until, open = u.start, u.end, true
		}
		until = max(until, u.end)
		longest = max(longest, until-from)
	}
	if longest < 0 {
		return Value{}
	}
	return fraction(Seconds, longest, 1000)
}

func responseDelay(c conversation) Value {
	var total, answers, until int64
	waiting := false // the other side spoke last
	for _, u := range c.floor() {
		if !u.agent {
			waiting, until = true, max(until, u.end)
			continue
		}
		if waiting {
			total += max(0, u.start-until)
			answers++
		}
		waiting = false
	}
	return fraction(Seconds, total, 1000*answers)
}

func interruptions(c conversation) Value {
	floor := conversation{said: c.floor()}
	other := trackOf(floor.side(false))
	n := 0
	for _, u := range floor.side(true) {
		if other.before(u.start) >= u.start+overlapAllowed {
			n++
		}
	}
	return count(n)
}

func fillerWords(c conversation) Value {
	n := 0
	for _, u := range c.side(true) {
		for _, w := range u.words {
			if filler.MatchString(w) {
				n++
			}
		}
	}
	return count(n)
}
