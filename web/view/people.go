package view

import "time"

// UserList is the page "Users".
type UserList struct {
	Page
	AddURL   string // the page "Add users" (GET)
	States   []Choice
	Role     Filter
	Search   Search
	Chips    []Chip
	ClearURL string
	SortName Sort
	SortRole Sort
	SortSeen Sort
	Rows     []UserRow
	Bulk     Bulk // Buttons empty leaves out the checkboxes
	Paging   Paging
}

// UserRow is one member of a list.
type UserRow struct {
	ID       string
	URL      string
	Name     string // "" shows the mail address alone
	Email    string
	Role     string // "Admin", "Auditor", "Agent"
	State    UserState
	LastSeen time.Time // zero when never signed in
	You      bool
	Actions  []Action
}

// UserState is a member's state.
type UserState string

// The states of a member.
const (
	UserActive  UserState = "active"
	UserInvited UserState = "invited" // has not chosen a password yet
	UserBlocked UserState = "blocked"
)

// AddUsers is the page "Add users": posts emails, role and reason, and a file
// csv (multipart/form-data) to URL.
type AddUsers struct {
	Page
	URL        string
	Emails     string // as typed before
	EmailError string
	Roles      []Option
	RoleError  string
	FileError  string
	Reason     string
	Error      string // about the form as a whole
	CancelURL  string
}

// UsersAdded is shown once, after "Add users" or "New sign-in link".
type UsersAdded struct {
	Page
	Added   int // new members, with and without a link
	Links   []SignInLink
	Skipped []Skipped
	NoLink  []Skipped // added, but without the link that they need
	Expires time.Time // when the links end
	BackURL string    // Users
}

// SignInLink is a one-time link; it is never shown again.
type SignInLink struct {
	Name  string
	Email string
	Role  string
	URL   string // absolute
}

// Skipped is an address that was not added.
type Skipped struct {
	Email string
	Why   string // "already a member", "twice in the list", "not a mail address"
}

// User is a member's page.
type User struct {
	Page
	ID       string
	Name     string
	Email    string
	Role     string
	State    UserState
	Added    time.Time
	LastSeen time.Time
	Devices  []DeviceRow
	Actions  []Action
	History  History
}

// DeviceList is the page "Devices".
type DeviceList struct {
	Page
	AddURL       string   // the page "Add device" (GET)
	States       []Choice // the tabs Assigned, Unassigned, Blocked with their counts
	Search       Search
	Chips        []Chip
	ClearURL     string
	SortHostname Sort
	SortPerson   Sort
	SortSeen     Sort
	Rows         []DeviceRow
	Bulk         Bulk
	Paging       Paging
}

// DeviceRow is one device of a list.
type DeviceRow struct {
	ID       string
	URL      string
	Hostname string
	Person   Ref // Name "" when unassigned
	State    DeviceState
	LastSeen time.Time // zero when never
	Actions  []Action
}

// DeviceState is a device's state.
type DeviceState string

// The states of a device.
const (
	DeviceAssigned   DeviceState = "assigned"
	DeviceUnassigned DeviceState = "unassigned"
	DeviceBlocked    DeviceState = "blocked"
)

// Device is a device's page.
type Device struct {
	Page
	ID        string
	Hostname  string
	Person    Ref
	State     DeviceState
	Added     time.Time
	LastSeen  time.Time
	MovedFrom string // name of the team it came from; "" when it was added here
	MovedAt   time.Time
	Actions   []Action
	History   History
}

func (r UserRow) shown() string {
	if r.Name == "" {
		return r.Email
	}
	return r.Name
}

func (v UserList) hasActions() bool {
	for _, r := range v.Rows {
		if len(r.Actions) > 0 {
			return true
		}
	}
	return false
}

func (v DeviceList) hasActions() bool {
	for _, r := range v.Rows {
		if len(r.Actions) > 0 {
			return true
		}
	}
	return false
}

func (v AddUsers) inputs() []Input {
	return []Input{
		{Kind: KindArea, Name: "emails", Label: "Emails", Value: v.Emails, Error: v.EmailError,
			Hint: "One or many, separated by commas, spaces or new lines. Those who are members already are skipped."},
		{Kind: KindFile, Name: "csv", Label: "CSV file", Error: v.FileError, Optional: true,
			Hint: "With a column email; a column name is used where it is there."},
		{Kind: KindSelect, Name: "role", Label: "Role", Options: v.Roles, Error: v.RoleError, Required: true,
			Hint: "Admins and Auditors get a one-time link to choose a password. Agents have no administration."},
		*ReasonInput(v.Reason),
	}
}
