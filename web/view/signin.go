package view

import (
	"strconv"
	"time"
)

// SignIn is the page /login. Posts email, password and next to URL.
type SignIn struct {
	URL     string
	Email   string // as typed before
	Next    string // where to go afterwards, carried along
	Error   string // "The address or the password is not right."; "" at first
	TooMany string // how long to wait, e.g. "Try again in 30 seconds."; "" when not slowed down
	Notice  string // e.g. "You have been signed out."; may be ""
}

// ChoosePassword is the page behind a one-time link. Posts password, name and
// Hidden to URL. Opening it changes nothing: the link is used by the post.
type ChoosePassword struct {
	URL       string
	Email     string
	Team      string
	Name      string // as known; may be ""
	NameError string
	MinLength int    // characters a password must have
	Error     string // what is wrong with the password; "" when nothing is
	Expires   time.Time
	Hidden    []Hidden
}

// TeamChooser is the page / for a member of several teams, or of none.
type TeamChooser struct {
	Page
	Teams []TeamChoice
}

// TeamChoice is one team of a TeamChooser.
type TeamChoice struct {
	Name string
	Role string // "Admin", "Auditor", "Agent"
	Plan string // as shown, "Call Center AI" or "Core"
	URL  string // "" for an Agent: there is nothing to administer
}

// Account is the page /account.
type Account struct {
	Page
	Name            string
	Email           string
	NameURL         string // form, posts name
	NameError       string
	PasswordURL     string // form, posts current, password
	PasswordErrors  PasswordErrors
	MinLength       int
	Sessions        []Session
	EndOthersURL    string // form, ends all sessions but this one; "" when there is only this one
	Teams           []TeamChoice
	PasswordChanged time.Time // zero when never
}

// PasswordErrors tells what is wrong with the fields of a password form.
type PasswordErrors struct {
	Current  string
	Password string
}

// Session is one signed-in browser.
type Session struct {
	ID       string
	Browser  string // "Chrome on Linux"
	IP       string
	Started  time.Time
	LastSeen time.Time
	Current  bool
	EndURL   string // form, post
}

func newPasswordInput(label string, minLength int, wrong string) Input {
	return Input{Kind: KindPassword, Name: "password", Label: label, Error: wrong, Required: true,
		Autocomplete: "new-password",
		Hint:         "At least " + strconv.Itoa(minLength) + " characters. Any characters will do; several words make a good one."}
}

func (v ChoosePassword) inputs() []Input {
	return []Input{
		{Name: "name", Label: "Your name", Value: v.Name, Error: v.NameError, Required: true, Autocomplete: "name", MaxLength: 120},
		newPasswordInput("Password", v.MinLength, v.Error),
	}
}

func (v Account) nameInput() Input {
	return Input{Name: "name", Label: "Name", Value: v.Name, Error: v.NameError, Required: true, Autocomplete: "name", MaxLength: 120}
}

func (v Account) passwordInputs() []Input {
	return []Input{
		{Kind: KindPassword, Name: "current", Label: "Current password", Error: v.PasswordErrors.Current, Required: true, Autocomplete: "current-password"},
		newPasswordInput("New password", v.MinLength, v.PasswordErrors.Password),
	}
}

func (v Account) inputs() []Input { return append([]Input{v.nameInput()}, v.passwordInputs()...) }
