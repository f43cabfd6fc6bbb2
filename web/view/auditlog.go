package view

import (
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// AuditLog is the page "Audit Logs". Its address holds the filter; all its
// forms are GET.
type AuditLog struct {
	Page

	// NotOnPlan is the sentence that the team's plan has no audit log (its
	// actions are recorded all the same); then nothing else is shown.
	NotOnPlan string

	Head LogHead // beside the heading

	Search    Search // the query language; field "Search"
	QueryErr  *QueryError
	Timestamp TimestampFilter
	Actor     CheckFilter
	Action    CheckFilter
	Object    ObjectFilter
	Views     ViewMenu
	Chips     []Chip
	ClearURL  string // "" when nothing is filtered

	Histogram *Histogram // nil leaves it out
	Facets    Facets

	Rows      []AuditRow
	TypingURL string // answers ?q=TEXT&at=BYTE with suggestions for that place; "" for none
	PickURL   string // narrows the filter by ?only= or ?not=field:value; "" for never

	// The quiet line: "+ 2,611 sign-ins, imports, readings · Show everything".
	Quiet         string // "+ 2,611 sign-ins, imports, readings"; "" leaves the line out
	EverythingURL string // "Show everything"; "" when everything is shown
	TrackedURL    string // "Show tracked actions only"; "" when only these are shown

	Unknown string // names in the filter that this log never saw, as a sentence; may be ""

	NewerURL string
	OlderURL string
	Count    string // "50 of 14,203" or "50 events"; may be ""

	// Stopped tells how far a long search came, "Searched back to 2026-08-03
	// 12:00 UTC, 10,000 entries."; "" when all rows were searched.
	Stopped     string
	ContinueURL string
}

// QueryError marks the part of the search text that was not understood.
type QueryError struct {
	Message string // what is wrong and what would be right
	Start   int    // byte offsets into Search.Query
	End     int    // equal to Start when something is missing there
}

// TimestampFilter is the menu under the button Timestamp: presets, and a form
// with from and to (2006-01-02T15:04:05, UTC).
type TimestampFilter struct {
	On      bool
	Presets []Choice
	URL     string
	Hidden  []Hidden
	From    string
	To      string
	Error   string
}

// CheckFilter is a menu of checkboxes: a form that sends Name once for each
// checked option.
type CheckFilter struct {
	On     bool
	URL    string
	Hidden []Hidden
	Name   string // "actor" or "action"
	Groups []CheckGroup
	More   string // a note at the end, e.g. that only the most recent are listed
}

// CheckGroup is a headed part of a CheckFilter.
type CheckGroup struct {
	Label   string // "" without heading
	Options []Option
}

// ObjectFilter is the menu under the button Object: checkboxes named kind and
// a text field named object (a name or an id).
type ObjectFilter struct {
	On         bool
	URL        string
	Hidden     []Hidden
	Kinds      []Option
	Value      string
	SuggestURL string // answers ?object=TEXT&kind=… with ObjectSuggestions; "" for none
}

// AuditRow is one event of the list.
type AuditRow struct {
	EventURL string
	Time     time.Time
	Actor    AuditRef
	Action   AuditAction
	Outcome  string // "", "denied" or "failed"
	Object   AuditRef
	Changes  []Change // the summary in the object's cell
}

// AuditRef is an actor or an object in the log.
type AuditRef struct {
	Kind    string // actors: "user", "api_key", "operator", "system"; objects: "call", "user", "device", "metric", "team", …
	Name    string
	URL     string // "" shows the name alone
	Deleted bool
	Erased  bool   // the name was erased by law
	Pick    string // "actor:user_…": what filters by it; "" for nothing
}

// AuditAction is an action in the log.
type AuditAction struct {
	Label string // "Changed user role"
	ID    string // "user.role_changed"
}

// AuditEvent is the page of one event.
type AuditEvent struct {
	Page
	ID       string
	Time     time.Time
	Recorded time.Time // shown when it differs from Time
	Actor    AuditRef
	Email    string // the actor's; may be ""
	Action   AuditAction
	Sentence string // from the catalogue: what the action means
	Outcome  string // "ok", "denied" or "failed"
	Error    string // with "failed" and "denied": why
	Object   AuditRef
	ObjectID string
	Changes  []Change
	Related  []AuditRef
	Reason   string
	Details  []Fact // further facts, such as an export's format
	Context  []Fact // IP, agent, session, request, via
	JSON     string // the exact event, indented
	Pivots   []Link // same actor, same object, same session, ± 5 minutes
	NewerURL string // the event after this one in the list; may be ""
	OlderURL string
	BackURL  string // the list as it was filtered
}

// HistoryList is the History of one object on a page of its own.
type HistoryList struct {
	Page
	History History
	BackURL string // the object's page
	Back    string // its name
}

func (f CheckFilter) count() int {
	n := 0
	for _, g := range f.Groups {
		n += len(g.Options)
	}
	return n
}

func (f ObjectFilter) suggestions() templ.Attributes {
	if f.SuggestURL == "" {
		return nil
	}
	return templ.Attributes{"list": "object-suggestions", "data-suggest": f.SuggestURL}
}

// searchState ties the search field to what is wrong in it.
func (v AuditLog) searchState() templ.Attributes {
	if v.QueryErr == nil {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": "query-error"}
}

func (v AuditLog) emptyTitle() string {
	if v.ClearURL != "" {
		return "No event matches"
	}
	return "Nothing has been recorded yet"
}

func (v AuditLog) emptyText() string {
	if v.ClearURL != "" {
		return "All rows were searched. Take a filter away, or widen the time."
	}
	return "The next change in this team is on this page as soon as it is made."
}

// picks is where the buttons of the rows send what they filter by.
func (v AuditLog) picks() templ.Attributes {
	if v.PickURL == "" {
		return nil
	}
	return templ.Attributes{"data-picks": v.PickURL}
}

// pick says what a cell is filtered by, where its link does not end in it.
func (r AuditRef) pick() templ.Attributes {
	_, id, _ := strings.Cut(r.Pick, ":")
	if id == "" || strings.HasSuffix(r.URL, "/"+id) && !r.Erased {
		return nil
	}
	return templ.Attributes{"data-pick": r.Pick}
}

// usedIcons are the icons of the kinds in some rows.
func usedIcons(rows []AuditRow) []string {
	var all []string
	add := func(kind string) {
		if name := kindIcon(kind); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	for _, r := range rows {
		if r.Actor.Kind != "user" {
			add(r.Actor.Kind)
		}
		add(r.Object.Kind)
	}
	return all
}
