// Package metric is the catalogue of performance metrics and computes them
// from what was said in a call.
//
// All of them measure the agent's side: turns of speaker "agent". The other
// side is everybody else who speaks; actions are not speech. Word lists are
// English. Nothing here asks for order: turns that all have a start are taken
// in the order of their starts, overlapping or not.
package metric

import "onrecord/portal/transcript"

// Version is the version of the computation. It rises whenever the same turns
// may give another value, so that stored defaults can be told apart.
const Version = 1

// Group is a family of metrics.
type Group string

// The groups.
const (
	SpeechAnalytics Group = "Speech Analytics" // how it was said
	AgentAssist     Group = "Agent Assist"     // whether what had to be said was
)

// Metric is a metric's definition.
type Metric struct {
	Key        string // "talk_share"; never changes
	Name       string // "Talk share"
	Group      Group
	Unit       Unit
	NeedsTimes bool   // it has a value only if everything said has a start and an end
	Doc        string // the formula, in a sentence
	Source     string // where the formula is from

	compute func(conversation) Value
}

// All gives the catalogue in the order in which it is shown.
func All() []Metric { return append([]Metric(nil), catalogue...) }

// Get gives the metric with a key.
func Get(key string) (Metric, bool) {
	for _, m := range catalogue {
		if m.Key == key {
			return m, true
		}
	}
	return Metric{}, false
}

var catalogue = append(speech, assist()...)

// Result is the value of one metric on one call.
type Result struct {
	Key   string
	Value Value // may be not available, which is not 0
}

// Available tells whether the turns could tell.
func (r Result) Available() bool { return r.Value.Available() }

// Compute computes every metric of the catalogue, in its order. A metric is
// not available if it needs times that the turns lack, if nothing was said
// that it could measure, or if the result lies outside the bounds of its unit
// (as when the times are wrong).
func Compute(turns []transcript.Turn) []Result {
	c := converse(turns)
	results := make([]Result, len(catalogue))
	for i, m := range catalogue {
		results[i].Key = m.Key
		if len(c.said) == 0 || m.NeedsTimes && !c.timed {
			continue
		}
		if v := m.compute(c); m.Unit.holds(v) {
			results[i].Value = v
		}
	}
	return results
}
