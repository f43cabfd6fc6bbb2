package metric

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"onrecord/portal/transcript"
)

// conversation is what was said in a call.
type conversation struct {
	said  []utterance
	timed bool // every utterance has its times
}

// utterance is a turn that holds a word.
type utterance struct {
	agent      bool
	start, end int64 // milliseconds; meaningful if the conversation is timed
	text       string
	words      []string
	line       string // the words with a space on either side of each
}

// converse leaves out actions and turns without a word ("[noise]") and puts
// the rest in order.
func converse(turns []transcript.Turn) conversation {
	c := conversation{timed: transcript.Timed(turns)}
	starts := true
	for _, t := range turns {
		if t.Speaker == transcript.Action {
			continue
		}
		starts = starts && t.Start != nil
		u := utterance{agent: t.Speaker == transcript.Agent, text: t.Text, words: words(t.Text), start: ms(t.Start), end: ms(t.End)}
		if len(u.words) > 0 {
			u.line = " " + strings.Join(u.words, " ") + " "
			c.said = append(c.said, u)
		}
	}
	if starts {
		// Ties are broken by everything else, so that the order of equal input
		// never shows in a value.
		slices.SortFunc(c.said, func(a, b utterance) int {
			return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), compareBool(b.agent, a.agent), strings.Compare(a.text, b.text))
		})
	}
	return c
}

func ms(d *time.Duration) int64 {
	if d == nil {
		return 0
	}
	return d.Milliseconds()
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// side gives what one side said.
func (c conversation) side(agent bool) []utterance {
	var of []utterance
	for _, u := range c.said {
		if u.agent == agent {
			of = append(of, u)
		}
	}
	return of
}

// talk is how long at least one of the utterances, which are ordered by start,
// is under way: the length of the union of their times.
func talk(said []utterance) int64 {
	var total, until int64
	for _, u := range said {
		total += max(0, u.end-max(u.start, until))
		until = max(until, u.end)
	}
	return total
}

// floor gives what was said to take or keep the floor: everything but
// backchannels, which are listeners' words ("okay", "mhm") said entirely while
// somebody of the other side speaks (Yngve 1970; "within-speaker overlap" in
// Heldner and Edlund 2010).
func (c conversation) floor() []utterance {
	began := map[bool]track{true: trackOf(c.side(true)), false: trackOf(c.side(false))}
	var floor []utterance
	for _, u := range c.said {
		if !listening(u.words) || began[!u.agent].before(u.start) < u.end {
			floor = append(floor, u)
		}
	}
	return floor
}

// track answers until when somebody spoke who had begun before a time.
type track struct{ starts, ends []int64 } // in order of start; ends[i] is the latest of the first i+1

func trackOf(said []utterance) track {
	var t track
	var latest int64
	for _, u := range said {
		latest = max(latest, u.end)
		t.starts, t.ends = append(t.starts, u.start), append(t.ends, latest)
	}
	return t
}

// before gives the latest end of all that began before at, -1 if nothing did.
func (t track) before(at int64) int64 {
	i := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] >= at })
	if i == 0 {
		return -1
	}
	return t.ends[i-1]
}
