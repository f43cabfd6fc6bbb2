package view

import "github.com/a-h/templ"

// sections are the links of the left navigation.
var sections = []struct {
	section           Section
	label, path, icon string
}{
	{SectionCalls, "Calls", "/calls", "calls"},
	{SectionMetrics, "Metrics", "/metrics", "metrics"},
	{SectionUsers, "Users", "/users", "users"},
	{SectionDevices, "Devices", "/devices", "devices"},
	{SectionSettings, "Team settings", "/settings", "settings"},
}

func (p Page) hasPanel() bool { return p.TeamURL != "" && p.Section == SectionSettings }

func (p Page) windowTitle() string {
	if p.Team == "" {
		return p.Title + " · OnRecord"
	}
	return p.Title + " · " + p.Team + " · OnRecord"
}

// current marks the link to the page that is shown.
func current(is bool) templ.Attributes {
	if !is {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

func (f Flash) icon() string {
	if f.Kind == "" {
		return string(FlashDone)
	}
	return string(f.Kind)
}

// role makes a failure interrupt a screen reader, and nothing else.
func (f Flash) role() string {
	if f.Kind == FlashError {
		return "alert"
	}
	return "status"
}

func (u Undo) label() string {
	if u.Label == "" {
		return "Undo"
	}
	return u.Label
}

func (s Search) name() string {
	if s.Name == "" {
		return "q"
	}
	return s.Name
}
