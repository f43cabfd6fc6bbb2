package view

import "time"

// CallList is the page "Calls".
type CallList struct {
	Page
	Search       Search
	Filters      []Filter // Direction, Agent
	Dates        DateRange
	Chips        []Chip
	ClearURL     string // all filters off; "" when none is on
	Rows         []CallRow
	Started      Sort
	Paging       Paging
	Stopped      string // how far a long search came; "" when all calls were searched
	DeletedURL   string
	DeletedCount int
}

// CallRow is one call of a list.
type CallRow struct {
	ID        string
	URL       string
	Customer  string
	Agent     Ref
	Started   time.Time
	Duration  time.Duration // 0 when the call has no turn times
	Direction string        // "inbound" or "outbound"
	Device    Ref           // Name "" when none
}

// DeletedCallList is the page "Deleted calls".
type DeletedCallList struct {
	Page
	Search Search
	Rows   []DeletedCallRow
	Paging Paging

	Stopped string // as in CallList
}

// DeletedCallRow is one deleted call.
type DeletedCallRow struct {
	URL        string // its tombstone
	Customer   string
	Agent      Ref
	Started    time.Time
	DeletedAt  time.Time
	DeletedBy  Ref
	Reason     string
	RestoreURL string // form, posts Version as version
	Version    string
}

// Call is a call's page.
type Call struct {
	Page
	ID        string
	Customer  string
	Agent     Ref
	Started   time.Time
	Duration  time.Duration // 0 when the call has no turn times
	Direction string
	Device    Ref

	Turns      []Turn
	Withheld   string // why the transcript is not shown (an Auditor); then Turns is empty
	Groups     []ScoreGroup
	ExportURL  string // form, posts format = txt, vtt or json
	DeleteURL  string // the confirmation page (GET)
	MetricsURL string // where metrics are turned on; shown when Groups is empty
	History    History
}

// Turn is one utterance.
type Turn struct {
	Speaker string // as shown
	Agent   bool   // the agent's side
	Start   time.Duration
	HasTime bool
	Text    string
}

// ScoreGroup is "Speech Analytics" or "Agent Assist" with its scores.
type ScoreGroup struct {
	Name   string
	Scores []Score
}

// Score is one metric on one call. The forms post value, reason and version
// to EditURL, and version to ResetURL.
type Score struct {
	Key      string // short and unique on the page, [a-z0-9-]; makes element ids
	Metric   string // the row's heading
	Formula  string // one sentence: what it measures
	Value    string // with unit, as it stands; "" is shown as "not available"
	Default  string // with unit, as computed; "" is shown as "not available"
	Edited   bool   // the value was set by a person
	EditURL  string // "" for a reader who may not
	ResetURL string // "" for a reader who may not; the button is disabled while Edited is false
	Input    string // the value in the field, without unit
	Unit     string // "%", "words/min", "s"; "" when it has none
	Bounds   string // "0 to 100"
	Reason   string // as typed before
	Error    string // about Input; then the form is shown open
	Version  string
}

// transcriptFormats are the entries of the menu "Export transcript".
var transcriptFormats = []Option{
	{Value: "txt", Label: "Text (.txt)"},
	{Value: "vtt", Label: "WebVTT (.vtt)"},
	{Value: "json", Label: "JSON (.json)"},
}

func (g ScoreGroup) editable() bool {
	for _, s := range g.Scores {
		if s.EditURL != "" || s.ResetURL != "" {
			return true
		}
	}
	return false
}

func (s Score) valueInput() Input {
	in := Input{Name: "value", Label: "Value", Value: s.Input, Error: s.Error, Required: true, MaxLength: 32}
	switch {
	case s.Bounds != "" && s.Unit != "":
		in.Hint = s.Bounds + ", in " + s.Unit
	case s.Unit != "":
		in.Hint = "In " + s.Unit
	default:
		in.Hint = s.Bounds
	}
	return in
}
