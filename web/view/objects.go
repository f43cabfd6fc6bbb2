package view

import "time"

// Confirm asks before something is done: the heading is the question, the
// button bears the same word as what led here. Posts Inputs, the reason and
// Hidden to URL. It serves one object or several.
type Confirm struct {
	Page
	URL       string
	Text      []string  // paragraphs: what will happen, what stays
	Subjects  []Subject // what it is done to; may be empty
	Inputs    []Input   // e.g. Role, Team, Person
	Reason    *Input    // nil when no reason is asked for; see ReasonInput
	Button    string    // "Delete", "Change role", …
	Danger    bool
	Error     string // why it could not be done; "" at first
	Hidden    []Hidden
	CancelURL string
}

// ReasonInput is the optional field Reason, posted as reason.
func ReasonInput(value string) *Input {
	return &Input{Kind: KindText, Name: "reason", Label: "Reason", Value: value, Optional: true, MaxLength: 500,
		Hint: "Stands in the audit log beside the change."}
}

// Subject is one person or thing that a Confirm is about.
type Subject struct {
	ID     string // posted as id, repeated; "" posts nothing
	Kind   string // "call", "user" or "device"
	Name   string
	Detail string
	// Refused tells why this one is left out, e.g. "the last active Admin"; then its id is not posted.
	Refused string
}

// Form is a page that is one form: "Add users", "Add device". It posts Inputs
// and Hidden to URL.
type Form struct {
	Page
	URL       string
	Text      []string
	Inputs    []Input
	Button    string // "Add users", "Add device"
	Error     string // about the form as a whole
	Hidden    []Hidden
	CancelURL string
}

// Tombstone is the page of something that is no longer here: a deleted call,
// user or device, or one that was moved to another team.
type Tombstone struct {
	Page
	Noun         string // "call", "user", "device"
	MovedTo      string // name of the other team; "" when it was deleted
	NewURL       string // its page there; "" when the reader is no member there
	At           time.Time
	By           Ref
	Reason       string
	Facts        []Fact // what may still be shown
	RestoreLabel string // "Restore call"
	RestoreURL   string // form, posts Hidden
	Hidden       []Hidden
	EventURL     string // the event that did it; "" when the reader may not read the log
	BackURL      string // the list
	BackLabel    string // "All calls"
	History      History
}

// Fact is a label and its value.
type Fact struct {
	Label string
	Value string
	URL   string // makes the value a link
	Mono  bool   // an id
}

// Problem is a page that says why something was not done, and the next step.
// Title and Message have a default for the statuses 400, 403, 404, 405, 409,
// 410, 412, 413, 415, 422, 429, 500, 503 and 507.
type Problem struct {
	Page
	Status    int
	Message   string // one or two sentences; "" is the status's own
	Next      []Link // at least one next step; empty is a link to the start page
	RequestID string // to quote when asking the operator; may be ""
}

func (v Confirm) allInputs() []Input {
	if v.Reason == nil {
		return v.Inputs
	}
	return append(append([]Input(nil), v.Inputs...), *v.Reason)
}

// problems are the heading and the sentence of a status.
var problems = map[int][2]string{
	400: {"That request makes no sense here", "Something in the address or the form is not what this page expects. Go back and try again."},
	403: {"Not allowed", "Your role does not permit this. The attempt is on the record."},
	404: {"Not found", "There is no such page here, or it belongs to a team that you are not in."},
	405: {"Not like this", "This address does not take that kind of request."},
	409: {"Not possible now", "The present state does not permit this change. Nothing was changed."},
	410: {"This link has ended", "A sign-in link works once and for seven days. Ask an Admin of your team for a new one."},
	412: {"Someone was faster", "This was changed since you opened it, so nothing was saved. Look at it as it is now and try again."},
	413: {"Too large", "What you sent is larger than this page takes."},
	415: {"Not this kind of file", "This page does not take that kind of content."},
	422: {"Something is wrong with the input", "Go back, mend it and try again. Nothing was changed."},
	429: {"Too many requests", "Wait a moment, then try again."},
	500: {"Something went wrong here", "It is not your doing, and nothing was changed. The operator's log has the details."},
	503: {"Not available now", "The portal cannot take this now. Nothing was changed; try again in a minute."},
	507: {"The disk is full", "Nothing was changed. The operator has to make room; then try again."},
}

func (v Problem) heading() string {
	switch p, ok := problems[v.Status]; {
	case v.Title != "":
		return v.Title
	case ok:
		return p[0]
	}
	return problems[500][0]
}

func (v Problem) message() string {
	switch p, ok := problems[v.Status]; {
	case v.Message != "":
		return v.Message
	case ok:
		return p[1]
	}
	return problems[500][1]
}

func (v Problem) next() []Link {
	if len(v.Next) == 0 {
		return []Link{{Label: "Start page", URL: "/"}}
	}
	return v.Next
}

func (v Problem) framed() Page {
	p := v.Page
	p.Title = v.heading()
	return p
}
