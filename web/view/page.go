package view

import "time"

// Section is an entry of the left navigation.
type Section string

// The sections of the left navigation, in its order.
const (
	SectionNone     Section = ""
	SectionCalls    Section = "calls"
	SectionMetrics  Section = "metrics"
	SectionUsers    Section = "users"
	SectionDevices  Section = "devices"
	SectionSettings Section = "settings"
)

// Setting is an entry of the panel under Team settings.
type Setting string

// The entries of the settings panel, in its order.
const (
	SettingGeneral   Setting = "general"
	SettingSecurity  Setting = "security"
	SettingAPIKeys   Setting = "api-keys"
	SettingAuditLogs Setting = "audit-logs"
)

// Page is the frame around every page.
type Page struct {
	Title string // the heading, and with Team the title of the window
	Lead  string // one sentence under the heading; may be ""

	Team     string  // name of the team; "" on a page outside a team
	TeamURL  string  // "/t/team_…"; "" leaves out the left navigation (Agents, pages outside a team)
	TeamsURL string  // the team chooser; "" when the person has only one team
	Section  Section // the entry of the left navigation that is current
	Setting  Setting // the entry of the settings panel that is current; only with SectionSettings

	Crumbs []Link // the way here, without the page itself; the title is added
	Me     Person // who is signed in; zero when nobody is
	Flash  *Flash // what the last form did; nil when there is nothing to tell
}

// Person is the signed-in reader.
type Person struct {
	Name       string // as shown; the mail address when there is no name yet
	Email      string
	Role       string // "Admin", "Auditor" or "Agent"; "" outside a team
	AccountURL string // "/account"
	SignOutURL string // form, post
}

// Link is a plain link.
type Link struct {
	Label string
	URL   string
}

// Ref names a person or thing that has a page of its own.
type Ref struct {
	Name    string
	URL     string // "" shows the name alone
	Deleted bool   // shown as struck through, with the word "deleted"
}

// Flash tells once what the last form did.
type Flash struct {
	Kind FlashKind
	Text string
	Undo *Undo // nil when it cannot be undone
	Link *Link // where to look, e.g. the new device; may be nil
}

// FlashKind decides a message's icon and colour.
type FlashKind string

// The kinds of message.
const (
	FlashDone    FlashKind = "done"
	FlashWarning FlashKind = "warning"
	FlashError   FlashKind = "error"
)

// Undo is a form of one button, method=post.
type Undo struct {
	URL    string
	Label  string // "" is "Undo"
	Hidden []Hidden
}

// Hidden is a field of a form that the reader does not see, e.g. version.
type Hidden struct {
	Name  string
	Value string
}

// Kind says what control an Input is.
type Kind string

// The kinds of input.
const (
	KindText     Kind = "" // one line
	KindEmail    Kind = "email"
	KindPassword Kind = "password"
	KindArea     Kind = "textarea"
	KindSelect   Kind = "select" // Options
	KindFile     Kind = "file"   // makes the form multipart/form-data
)

// Input is a labelled field of a form.
type Input struct {
	Kind         Kind
	Name         string // of the form value
	Label        string // the accessible name, e.g. "Reason"
	Value        string // as typed before, shown again after an error
	Hint         string // a sentence under the label; may be ""
	Error        string // what is wrong and what would be right; "" when nothing is
	Options      []Option
	Required     bool
	Optional     bool   // adds "(optional)" beside the label, outside the accessible name
	Autocomplete string // the HTML token, e.g. "current-password"; "" switches it off
	MaxLength    int    // 0 sets none
}

// Option is one choice of a select or of a filter menu.
type Option struct {
	Value    string
	Label    string
	Detail   string // e.g. the mail address under a name; may be ""
	Selected bool
}

// Search is the search field over a list; a GET form.
type Search struct {
	URL         string
	Name        string // of the form value; "" is "q"
	Query       string
	Placeholder string   // what can be searched, e.g. "Customer, agent or call id"
	Hidden      []Hidden // the rest of the filter, carried along
}

// Choice is one link of a filter menu or one tab, with its target ready.
type Choice struct {
	Label   string
	URL     string
	Count   int  // shown when HasCount
	Current bool // aria-current
	// HasCount tells that Count is known, so that 0 can be shown.
	HasCount bool
}

// Filter is a menu of links that narrows a list by one property.
type Filter struct {
	Label   string // "Direction"
	Value   string // the present choice as shown on the button; "" when nothing is chosen
	Choices []Choice
}

// DateRange is a filter between two days, a GET form with the values "from"
// and "to" (2006-01-02, UTC, both days included).
type DateRange struct {
	URL    string
	From   string
	To     string
	Hidden []Hidden
	Error  string
}

// Chip is one active filter with a link that takes it away.
type Chip struct {
	Label     string // "Agent: Dana Cruz"
	Exclude   bool   // shown as "not"
	RemoveURL string
}

// Sort is the state of a sortable column's heading.
type Sort struct {
	URL       string // sorts by this column, or turns the order round
	Direction string // "ascending", "descending" or "" when the list is sorted by another column
}

// Paging is the foot of a list.
type Paging struct {
	First   int // ordinal of the first row shown, from 1; 0 when unknown
	Last    int
	Total   int    // rows in all; 0 when unknown
	PrevURL string // "" on the first page
	NextURL string // "" on the last page
}

// Action is an entry of an "Actions" menu: a link to its confirmation page.
type Action struct {
	Label  string // "Change role", "Block", "Unblock", "Delete", "New sign-in link", "Assign", …
	URL    string
	Danger bool // set apart at the end of the menu
}

// Bulk is the bar that appears when rows are selected: a GET form to URL with
// the values "id" (repeated) and "action" (the pressed button).
type Bulk struct {
	URL     string
	Buttons []Option // Value is the value of "action"
	Hidden  []Hidden
}

// Change is one field of a change, already put into words.
type Change struct {
	Field string // "Role"; "" when the action says it
	From  string // "" is shown as "–"
	To    string // "" is shown as "–"
	// Erased tells that both values were erased by law and only the fact remains.
	Erased bool
}

// History is the section of an object's page with that object's events.
type History struct {
	Hidden  bool           // leaves the section out (the reader may not read the log)
	Notice  string         // instead of events, e.g. "Not on this plan"; may be ""
	LoadURL string         // a link "Show history" instead of events: reading is recorded only when asked for
	Events  []HistoryEvent // newest first
	AllURL  string         // the audit log filtered to this object
}

// HistoryEvent is one line of a History.
type HistoryEvent struct {
	Time     time.Time
	EventURL string
	Actor    Ref
	Action   string // the label
	Object   Ref    // where it is another one than the page is about; or without a name
	Outcome  string // "", "denied" or "failed"
	Changes  []Change
	Reason   string
}
