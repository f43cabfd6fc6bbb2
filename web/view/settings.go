package view

import "time"

// MetricList is the page "Metrics".
type MetricList struct {
	Page
	Groups []MetricGroup
}

// MetricGroup is "Speech Analytics" or "Agent Assist".
type MetricGroup struct {
	Name    string
	Metrics []Metric
}

// Metric is a definition. Its switch posts on = 1 or 0 and version to SwitchURL.
type Metric struct {
	Key       string // short and unique on the page, [a-z0-9-]
	Name      string
	Unit      string // "%", "words/min", "s", "count"
	Bounds    string // "0 to 100"; may be ""
	Formula   string // how it is computed, in words
	Source    string // where the method comes from; may be ""
	On        bool
	SwitchURL string // "" shows only the word On or Off
	Version   string
}

// SettingsGeneral is Team settings → General. Posts name and version to URL.
type SettingsGeneral struct {
	Page
	URL       string // "" shows the values only
	Name      string
	NameError string
	Version   string
	Plan      string // as shown
	PlanHint  string // how the plan is changed
	ID        string
	Created   time.Time
	Members   int
	Devices   int
	Calls     int
	History   History
}

// SettingsSecurity is Team settings → Security, the way to its pages.
type SettingsSecurity struct {
	Page
	AuditLogsURL string // "" leaves it out
	AuditLogsOn  bool   // the plan has it
	APIKeysURL   string
}

func (v SettingsGeneral) nameInput() Input {
	return Input{Name: "name", Label: "Team name", Value: v.Name, Error: v.NameError, Required: true, MaxLength: 120}
}
