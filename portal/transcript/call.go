// Package transcript reads and writes calls with what was said in them.
//
// A call arrives as a line of a JSON Lines file ([Reader]) or as a WebVTT file
// ([ReadWebVTT]); [Open] chooses by the file's name. It leaves as plain text,
// WebVTT or JSON ([WriteText], [WriteWebVTT], [WriteJSON]); the last two can be
// read again and give the same call. [MarshalTurns] is the form in which turns
// are stored, and [Digest] tells whether two calls have the same content.
//
// Both readers hold a call to the same rules:
//
//   - A call has an id, a start time, an agent, a customer, a direction and a
//     list of turns, which may be empty. Agent, start time, customer and
//     direction may come from [Options] instead.
//   - A turn has a speaker and a text. The speakers "agent", "customer" and
//     "action" (what a person did on screen) have a meaning, in any casing;
//     the name of the call's agent or customer stands for that side; any other
//     speaker is kept.
//   - Times of turns are whole milliseconds from the start of the call, up to
//     100 hours. A turn may have both, its start alone, or none. If every turn
//     has a start the turns are put in the order of their starts, those that
//     start together staying as they came; otherwise they keep the order of
//     the file. Turns may overlap.
//   - Text is kept as it is, markup and line breaks included. Control
//     characters other than tab and line break (NUL is one) are refused, and
//     any at all in a name. Names lose white space around them and hold at
//     most 500 characters.
package transcript

import "time"

// The speakers that have a meaning.
const (
	Agent    = "agent"    // the person of the call center
	Customer = "customer" // the other side
	Action   = "action"   // not said, but done on screen
)

// The directions of a call.
const (
	Inbound  = "inbound"  // the customer called
	Outbound = "outbound" // the agent called
)

// Call is one call session and what was said in it.
type Call struct {
	Place string // the file and line it was read from, "calls.jsonl:12"; no part of its content

	SourceID  string    // its id in the system that recorded it
	StartedAt time.Time // UTC, to the microsecond
	EndedAt   time.Time // zero if unknown
	Agent     string    // as the recording system names the person
	Customer  string
	Direction string // Inbound or Outbound
	Device    string // hostname, or ""
	Topic     string // or ""
	Turns     []Turn
}

// Turn is one utterance. Times count from the start of the call; nil if
// unknown. A turn with an End has a Start, which is not after it.
type Turn struct {
	Speaker    string // Agent, Customer, Action or another name
	Start, End *time.Duration
	Text       string
}

// Timed tells whether the turn says when it began and ended.
func (t Turn) Timed() bool { return t.Start != nil && t.End != nil }

// Timed tells whether all that was said says when it began and ended: there is
// a turn other than an action, and every such turn is timed.
func (c Call) Timed() bool { return Timed(c.Turns) }

// Timed is [Call.Timed] for the turns alone.
func Timed(turns []Turn) bool {
	said := false
	for _, t := range turns {
		if t.Speaker == Action {
			continue
		}
		if !t.Timed() {
			return false
		}
		said = true
	}
	return said
}

// Duration is how long the call took: until EndedAt or, failing that, until
// the last known time of a turn. It is 0 if neither is known.
func (c Call) Duration() time.Duration {
	if !c.EndedAt.IsZero() {
		return c.EndedAt.Sub(c.StartedAt)
	}
	var last time.Duration
	for _, t := range c.Turns {
		for _, at := range []*time.Duration{t.Start, t.End} {
			if at != nil {
				last = max(last, *at)
			}
		}
	}
	return last
}
