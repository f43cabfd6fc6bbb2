package view

import "time"

// APIKeyList is the page "API keys".
type APIKeyList struct {
	Page
	AddURL  string // the page "Create API key"; "" leaves the button out
	DocsURL string // how programs use a key
	Rows    []APIKeyRow
}

// APIKeyRow is one key of a list.
type APIKeyRow struct {
	ID        string
	Name      string
	Scope     string // "Read", "Read and write"
	State     APIKeyState
	Owner     Ref // who answers for it
	Created   time.Time
	Expires   time.Time // zero: never
	Used      time.Time // zero: never
	EventsURL string    // what was done with it; "" leaves the link out
	RevokeURL string    // "" leaves the menu out
}

// APIKeyState says whether a key can be used.
type APIKeyState string

// The states of a key.
const (
	APIKeyActive  APIKeyState = "active"
	APIKeyPaused  APIKeyState = "paused" // because of the person who answers for it
	APIKeyExpired APIKeyState = "expired"
	APIKeyRevoked APIKeyState = "revoked"
)

func (s APIKeyState) label() (text, iconName, class string) {
	switch s {
	case APIKeyActive:
		return "Active", "check", "pill good"
	case APIKeyPaused:
		return "Paused", "warning", "pill wait"
	case APIKeyExpired:
		return "Expired", "clock", "pill"
	}
	return "Revoked", "ban", "pill bad"
}

// APIKeyCreated shows a key's token this once.
type APIKeyCreated struct {
	Page
	Name    string
	Token   string
	Expires time.Time // zero: never
	BackURL string
}

func (v APIKeyList) hasActions() bool {
	for _, r := range v.Rows {
		if r.RevokeURL != "" {
			return true
		}
	}
	return false
}

func (r APIKeyRow) actions() []Action {
	return []Action{{Label: "Revoke", URL: r.RevokeURL, Danger: true}}
}
