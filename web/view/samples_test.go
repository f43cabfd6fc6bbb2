package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// A made-up team for the previews.

const (
	teamURL = "/t/team_01kb2v6x5ne8mvk2h4s9d0a1bc"
	logURL  = teamURL + "/settings/security/audit-logs"
	keysURL = teamURL + "/settings/security/api-keys"
)

var (
	now  = time.Date(2026, 11, 23, 18, 44, 14, 123456000, time.UTC)
	dana = Person{Name: "Dana Cruz", Email: "dana@example.com", Role: "Admin", AccountURL: "/account", SignOutURL: "/logout"}
)

func framed(title string, section Section, crumbs ...Link) Page {
	return Page{Title: title, Team: "Northwind Support", TeamURL: teamURL, TeamsURL: "/", Section: section, Crumbs: crumbs, Me: dana}
}

func setting(title string, s Setting, crumbs ...Link) Page {
	p := framed(title, SectionSettings, crumbs...)
	p.Setting = s
	return p
}

func auditor(p Page) Page {
	p.Me = Person{Name: "Priya Raman", Email: "priya@example.com", Role: "Auditor", AccountURL: "/account", SignOutURL: "/logout"}
	return p
}

var (
	callsCrumb = Link{"Calls", teamURL + "/calls"}
	usersCrumb = Link{"Users", teamURL + "/users"}
	settings   = Link{"Team settings", teamURL + "/settings"}
	security   = Link{"Security", teamURL + "/settings/security"}
	auditLogs  = Link{"Audit Logs", logURL}
)

var people = []struct{ name, email, role string }{
	{"Dana Cruz", "dana@example.com", "Admin"}, {"Sam Roe", "sam.roe@example.com", "Agent"},
	{"Priya Raman", "priya@example.com", "Auditor"}, {"Oluwaseun Adeyemi-Blackwood", "oluwaseun.adeyemi@example.com", "Agent"},
	{"Mette Sørensen", "mette@example.com", "Admin"}, {"Kenji Watanabe", "kenji@example.com", "Agent"},
	{"", "new.colleague@example.com", "Agent"}, {"Lucía Fernández", "lucia@example.com", "Agent"},
}

func person(i int) Ref {
	return Ref{Name: dashName(i), URL: teamURL + fmt.Sprintf("/users/user_%d", i)}
}

func dashName(i int) string {
	p := people[i%len(people)]
	if p.name == "" {
		return p.email
	}
	return p.name
}

func sampleHistory() History {
	return History{AllURL: logURL + "?q=object:x", Events: []HistoryEvent{
		{Time: now, EventURL: logURL + "/evt_1", Actor: person(0), Action: "Edit metric value", Changes: []Change{{"Talk share", "45.2 %", "50 %", false}}, Reason: "Hold music was counted as the agent"},
		{Time: now.Add(-3 * time.Minute), EventURL: logURL + "/evt_2", Actor: person(0), Action: "Viewed call"},
		{Time: now.Add(-26 * time.Hour), EventURL: logURL + "/evt_3", Actor: person(4), Action: "Deleted call", Outcome: "denied"},
		{Time: now.Add(-26 * time.Hour), EventURL: logURL + "/evt_4", Actor: Ref{Name: "Jo Petrov", URL: "/u", Deleted: true}, Action: "Viewed call"},
	}}
}

func sampleCalls() CallList {
	v := CallList{Page: framed("Calls", SectionCalls),
		Search:     Search{URL: teamURL + "/calls", Placeholder: "Customer, agent or call id"},
		Dates:      DateRange{URL: teamURL + "/calls", From: "2026-11-01"},
		Chips:      []Chip{{Label: "From 2026-11-01", RemoveURL: "?"}},
		ClearURL:   teamURL + "/calls",
		Started:    Sort{URL: "?sort=started", Direction: "descending"},
		Paging:     Paging{First: 51, Last: 100, Total: 2593, PrevURL: "?p=1", NextURL: "?p=3"},
		DeletedURL: teamURL + "/calls/deleted", DeletedCount: 7,
		Filters: []Filter{
			{Label: "Direction", Choices: []Choice{{Label: "All", URL: "?", Current: true}, {Label: "Inbound", URL: "?d=in"}, {Label: "Outbound", URL: "?d=out"}}},
			{Label: "Agent", Value: "Sam Roe", Choices: []Choice{{Label: "All", URL: "?"}, {Label: "Sam Roe", URL: "?a=1", Current: true}, {Label: "Kenji Watanabe", URL: "?a=2"}}},
		}}
	customers := []string{"+1 555 0142", "Patricia Brown", "+44 20 7946 0018", "c8821c664b", "Robert van den Heuvel", "+49 30 901820"}
	for i := range 24 {
		r := CallRow{ID: fmt.Sprint("call_", i), URL: teamURL + fmt.Sprint("/calls/call_", i), Customer: customers[i%6], Agent: person(i * 3),
			Started: now.Add(-time.Duration(i*47) * time.Minute), Duration: time.Duration(71+i*133) * time.Second,
			Direction: []string{"inbound", "inbound", "outbound"}[i%3], Device: Ref{Name: fmt.Sprintf("desk-%02d.northwind", i%9), URL: teamURL + "/devices/d"}}
		if i%5 == 4 {
			r.Duration, r.Device = 0, Ref{}
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

func sampleScores() []ScoreGroup {
	edit := func(key, metric, value, def, unit, bounds string, edited bool) Score {
		return Score{Key: key, Metric: metric, Value: value, Default: def, Unit: unit, Bounds: bounds, Edited: edited, Input: strings.Fields(value + " 0")[0],
			Formula: "The agent's speaking time as a share of all speaking time.", EditURL: "/edit", ResetURL: "/reset", Version: "evt_1"}
	}
	return []ScoreGroup{
		{Name: "Speech Analytics", Scores: []Score{
			edit("talk-share", "Talk share", "50 %", "45.2 %", "%", "0 to 100", true),
			edit("words-a-minute", "Words a minute", "148 words/min", "148 words/min", "words/min", "0 to 400", false),
			edit("monologue", "Longest monologue", "38.2 s", "38.2 s", "s", "0 to 86400", false),
			edit("delay", "Response delay", "", "", "s", "0 to 600", false),
			edit("interruptions", "Interruptions", "2", "2", "", "0 to 10000", false),
			edit("questions", "Questions asked", "7", "7", "", "0 to 10000", false),
			edit("fillers", "Filler words", "3.1 %", "3.1 %", "%", "0 to 100", false),
		}},
		{Name: "Agent Assist", Scores: []Score{
			edit("greeting", "Greeting", "100 %", "100 %", "%", "0 to 100", false),
			edit("identification", "Identification", "0 %", "0 %", "%", "0 to 100", false),
			edit("closing", "Closing", "100 %", "0 %", "%", "0 to 100", true),
			edit("adherence", "Checklist adherence", "66.7 %", "66.7 %", "%", "0 to 100", false),
		}},
	}
}

func sampleCall() Call {
	v := Call{Page: framed("Call with Patricia Brown", SectionCalls, callsCrumb), ID: "call_01kb2v6x5ne8mvk2h4s9d0a1bc", Customer: "Patricia Brown",
		Agent: person(1), Started: now, Duration: 254 * time.Second, Direction: "inbound", Device: Ref{Name: "desk-07.northwind", URL: "/d"},
		Groups: sampleScores(), ExportURL: "/export", DeleteURL: "/delete", History: sampleHistory()}
	lines := []string{"Hello, this is Harper Valley National Bank.", "My name is Elizabeth, how can I help you today?", "Hi, my name is Patricia Brown.",
		"I lost my debit card, can you send me a new one?", "Which card would you like to replace? I can see that you have a debit card that ends in four two one seven and a credit card that was issued in March of last year, and I want to be sure that I block the right one.",
		"My debit card.", "<script>alert('not a script')</script>", "Is there anything else I can help you with today?"}
	for i := range 18 {
		agent := i%8 < 2 || i%8 == 4 || i%8 == 7
		t := Turn{Speaker: "Customer", Agent: agent, Start: time.Duration(i*14+1) * time.Second, HasTime: true, Text: lines[i%8]}
		if agent {
			t.Speaker = "Agent"
		}
		v.Turns = append(v.Turns, t)
	}
	return v
}

func sampleUsers() UserList {
	v := UserList{Page: framed("Users", SectionUsers), AddURL: teamURL + "/users/add",
		States: []Choice{{Label: "All", URL: "?", Count: 25, HasCount: true, Current: true}, {Label: "Active", URL: "?s=active", Count: 21, HasCount: true},
			{Label: "Invited", URL: "?s=invited", Count: 3, HasCount: true}, {Label: "Blocked", URL: "?s=blocked", Count: 1, HasCount: true}},
		Role:     Filter{Label: "Role", Choices: []Choice{{Label: "All", URL: "?", Current: true}, {Label: "Admin", URL: "?r=admin", Count: 3, HasCount: true}, {Label: "Agent", URL: "?r=agent", Count: 20, HasCount: true}}},
		Search:   Search{URL: teamURL + "/users", Placeholder: "Name or mail address"},
		SortName: Sort{URL: "?sort=-name", Direction: "ascending"}, SortRole: Sort{URL: "?sort=role"}, SortSeen: Sort{URL: "?sort=seen"},
		Bulk: Bulk{URL: teamURL + "/users/bulk", Buttons: []Option{{Value: "role", Label: "Change role"}, {Value: "block", Label: "Block"},
			{Value: "unblock", Label: "Unblock"}, {Value: "delete", Label: "Delete"}}},
		Paging: Paging{First: 1, Last: 16, Total: 25, NextURL: "?p=2"}}
	states := []UserState{UserActive, UserActive, UserInvited, UserBlocked}
	for i := range 16 {
		p := people[i%len(people)]
		id := fmt.Sprint("user_", i)
		r := UserRow{ID: id, URL: teamURL + "/users/" + id, Name: p.name, Email: p.email, Role: p.role, State: states[i%4], You: i == 0,
			LastSeen: now.Add(-time.Duration(i*311) * time.Minute), Actions: userActions(id)}
		if r.State == UserInvited {
			r.LastSeen = time.Time{}
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

func userActions(id string) []Action {
	u := teamURL + "/users/" + id
	return []Action{{"Change role", u + "/role", false}, {"Block", u + "/block", false}, {"New sign-in link", u + "/link", false}, {"Delete", u + "/delete", true}}
}

func sampleDevices() DeviceList {
	v := DeviceList{Page: framed("Devices", SectionDevices), AddURL: teamURL + "/devices/add",
		States: []Choice{{Label: "Assigned", URL: "?", Count: 31, HasCount: true, Current: true}, {Label: "Unassigned", URL: "?s=u", Count: 6, HasCount: true},
			{Label: "Blocked", URL: "?s=b", Count: 0, HasCount: true}},
		Search:       Search{URL: teamURL + "/devices", Placeholder: "Hostname or person"},
		SortHostname: Sort{URL: "?sort=-h", Direction: "ascending"}, SortPerson: Sort{URL: "?sort=p"}, SortSeen: Sort{URL: "?sort=s"},
		Bulk:   Bulk{URL: teamURL + "/devices/bulk", Buttons: []Option{{Value: "unassign", Label: "Unassign"}, {Value: "block", Label: "Block"}}},
		Paging: Paging{First: 1, Last: 31, Total: 31}}
	states := []DeviceState{DeviceAssigned, DeviceUnassigned, DeviceBlocked}
	for i := range 12 {
		id := fmt.Sprint("dev_", i)
		d := teamURL + "/devices/" + id
		v.Rows = append(v.Rows, DeviceRow{ID: id, URL: d, Hostname: fmt.Sprintf("desk-%02d.northwind", i), Person: person(i), State: states[i%3],
			LastSeen: now.Add(-time.Duration(i*97) * time.Minute),
			Actions:  []Action{{"Unassign", d + "/unassign", false}, {"Block", d + "/block", false}, {"Move to another team", d + "/move", false}}})
	}
	return v
}

func sampleLog() AuditLog {
	v := AuditLog{Page: setting("Audit Logs", SettingAuditLogs, settings, security),
		Search: Search{URL: logURL, Placeholder: `actor:dana@example.com action:call.deleted "free text"`},
		Timestamp: TimestampFilter{URL: logURL, Presets: []Choice{{Label: "All time", URL: "?", Current: true}, {Label: "Last hour", URL: "?t=1"},
			{Label: "Last 24 hours", URL: "?t=2"}, {Label: "Last 7 days", URL: "?t=3"}, {Label: "Last 30 days", URL: "?t=4"}}},
		Actor: CheckFilter{URL: logURL, Name: "actor", Groups: []CheckGroup{{Options: nil}}},
		Action: CheckFilter{URL: logURL, Name: "action", Groups: []CheckGroup{
			{"Call session", []Option{{Value: "call.viewed", Label: "Viewed call"}, {Value: "call.transcript_exported", Label: "Exported Call Transcript"}, {Value: "call.deleted", Label: "Deleted call"}, {Value: "call.restored", Label: "Restore call"}}},
			{"Performance metrics", []Option{{Value: "metric.value_edited", Label: "Edit metric value"}, {Value: "metric.value_reset", Label: "Reset metric value"}}},
			{"User management", []Option{{Value: "user.created", Label: "Created new user"}, {Value: "user.role_changed", Label: "Changed user role"}, {Value: "user.deleted", Label: "Deleted user"}, {Value: "device.moved", Label: "Move device"}}},
		}},
		Object: ObjectFilter{URL: logURL, SuggestURL: logURL + "/objects", Kinds: []Option{{Value: "call", Label: "Call session"}, {Value: "user", Label: "User"}, {Value: "device", Label: "Device"}}},
		Quiet:  "+ 2,611 sign-ins, imports, readings", EverythingURL: logURL + "?all=1",
		OlderURL: "?older", NewerURL: "?newer", Count: "50 of 14,203"}
	for i, p := range people {
		v.Actor.Groups[0].Options = append(v.Actor.Groups[0].Options, Option{Value: p.email, Label: dashName(i), Detail: p.email})
	}
	v.Actor.Groups[0].Options = append(v.Actor.Groups[0].Options, Option{Value: "operator", Label: "alice@host", Detail: "command line"})
	rows := []struct {
		action, id, kind, object string
		actor                    int
		changes                  []Change
	}{
		{"Changed user role", "user.role_changed", "user", "Sam Roe", 0, []Change{{"", "agent", "admin", false}}},
		{"Viewed call", "call.viewed", "call", "Call with +1 555 0142", 0, nil},
		{"Exported Call Transcript", "call.transcript_exported", "call", "Call with Patricia Brown", 1, nil},
		{"Edit metric value", "metric.value_edited", "call", "Call with Patricia Brown", 4, []Change{{"Talk share", "45.2 %", "50 %", false}}},
		{"Deleted call", "call.deleted", "call", "Call with Robert van den Heuvel", 4, nil},
		{"Move device", "device.moved", "device", "desk-07.northwind", 0, []Change{{"", "Northwind Support", "Beta", false}}},
		{"Blocked user", "user.blocked", "user", "Kenji Watanabe", 2, nil},
		{"Created new user", "user.created", "user", "new.colleague@example.com", 0, []Change{{"Email", "", "new.colleague@example.com", false}, {"Role", "", "agent", false}, {"State", "", "active", false}}},
	}
	for i := range 50 {
		s := rows[i%len(rows)]
		r := AuditRow{EventURL: logURL + fmt.Sprint("/evt_", i), Time: now.Add(-time.Duration(i*i*13) * time.Second),
			Actor:  AuditRef{Kind: "user", Name: dashName(s.actor), URL: teamURL + "/users/u", Pick: "actor:u"},
			Action: AuditAction{Label: s.action, ID: s.id},
			Object: AuditRef{Kind: s.kind, Name: s.object, URL: teamURL + "/x", Pick: "object:x1"}, Changes: s.changes}
		switch i {
		case 6:
			r.Outcome = "denied"
		case 4:
			r.Object.Deleted = true
		case 9:
			r.Actor = AuditRef{Kind: "operator", Name: "alice@host"}
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

func sampleEvent() AuditEvent {
	return AuditEvent{Page: setting("Changed user role", SettingAuditLogs, settings, security, auditLogs), ID: "evt_01kb2v6x5ne8mvk2h4s9d0a1bc", Time: now, Recorded: now,
		Actor: AuditRef{Kind: "user", Name: "Dana Cruz", URL: "/u"}, Email: "dana@example.com",
		Action: AuditAction{Label: "Changed user role", ID: "user.role_changed"}, Sentence: "A member was given another role in this team.", Outcome: "ok",
		Object: AuditRef{Kind: "user", Name: "Sam Roe", URL: "/u2"}, ObjectID: "user_01kc2v6x5ne8mvk2h4s9d0a1bc",
		Changes: []Change{{"Role", "agent", "admin", false}, {"Note", "", "covers for Dana", false}, {"Phone", "", "", true}}, Reason: "Covers for Dana",
		Context: []Fact{{Label: "IP address", Value: "203.0.113.7", Mono: true}, {Label: "Browser", Value: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},
			{Label: "Session", Value: "ses_01kb2v6x5ne8mvk2h4s9d0a1bc", Mono: true}, {Label: "Via", Value: "web"}},
		JSON:   "{\n  \"id\": \"evt_01kb2v6x5ne8mvk2h4s9d0a1bc\",\n  \"time\": \"2026-11-23T18:44:14.123456Z\",\n  \"actor\": {\"type\": \"user\", \"name\": \"Dana Cruz\", \"email\": \"dana@example.com\"},\n  \"action\": \"user.role_changed\",\n  \"outcome\": \"ok\",\n  \"changes\": [{\"field\": \"role\", \"from\": \"agent\", \"to\": \"admin\"}]\n}",
		Pivots: []Link{{"Same actor", "?a"}, {"Same object", "?o"}, {"Same session", "?s"}, {"± 5 minutes", "?t"}}, NewerURL: "?n", OlderURL: "?o", BackURL: logURL}
}

// samples is every page in every state, by the name of its preview file.
func samples() map[string]templ.Component {
	pages := map[string]templ.Component{}
	addCalls(pages)
	addObjects(pages)
	addPeople(pages)
	addLog(pages)
	addExports(pages)
	addAlone(pages)
	return pages
}

func addCalls(pages map[string]templ.Component) {
	pages["calls"] = CallListPage(sampleCalls())
	none := sampleCalls()
	none.Rows, none.Search.Query, none.Dates.Error = nil, "nobody", "“tomorrow” is not a day; write 2026-11-23."
	pages["calls-none"] = CallListPage(none)
	pages["calls-new-team"] = CallListPage(CallList{Page: framed("Calls", SectionCalls), Search: Search{URL: "/c"}, Dates: DateRange{URL: "/c"}})
	done := sampleCalls()
	done.Flash = &Flash{Kind: FlashDone, Text: "The call with Patricia Brown was deleted.", Undo: &Undo{URL: "/restore", Hidden: []Hidden{{"version", "evt_1"}}}}
	pages["calls-flash"] = CallListPage(done)

	pages["call"] = CallPage(sampleCall())
	wrong := sampleCall()
	s := &wrong.Groups[0].Scores[0]
	s.Error, s.Input = "“a lot” is not a number; write a value from 0 to 100, e.g. 45.2.", "a lot"
	pages["call-wrong-value"] = CallPage(wrong)
	read := sampleCall()
	read.Page, read.Turns, read.ExportURL, read.DeleteURL = auditor(read.Page), nil, "", ""
	read.Withheld = "An Auditor sees everything about a call but what was said. Ask an Admin for the transcript."
	for i := range read.Groups {
		for j := range read.Groups[i].Scores {
			read.Groups[i].Scores[j].EditURL, read.Groups[i].Scores[j].ResetURL = "", ""
		}
	}
	read.History = History{LoadURL: "/history"}
	pages["call-auditor"] = CallPage(read)
	bare := sampleCall()
	bare.Groups, bare.Turns, bare.MetricsURL, bare.Duration = nil, nil, teamURL+"/metrics", 0
	bare.History = History{Notice: "History is part of the Audit Logs, which the plan Core does not have."}
	pages["call-bare"] = CallPage(bare)

	deleted := DeletedCallList{Page: framed("Deleted calls", SectionCalls, callsCrumb), Search: Search{URL: "/d"}, Paging: Paging{First: 1, Last: 2, Total: 2}}
	for i := range 2 {
		deleted.Rows = append(deleted.Rows, DeletedCallRow{URL: fmt.Sprint("/c/", i), Customer: "Patricia Brown", Agent: person(1), Started: now.Add(-time.Hour),
			DeletedAt: now, DeletedBy: person(0), Reason: []string{"", "Customer asked for it, ticket 4711"}[i], RestoreURL: "/r", Version: "evt_1"})
	}
	pages["calls-deleted"] = DeletedCallListPage(deleted)
	pages["calls-deleted-none"] = DeletedCallListPage(DeletedCallList{Page: framed("Deleted calls", SectionCalls, callsCrumb), Search: Search{URL: "/d"}})
	pages["call-tombstone"] = TombstonePage(Tombstone{Page: framed("Call with Patricia Brown", SectionCalls, callsCrumb), Noun: "call", At: now, By: person(0), Reason: "Customer asked for it",
		RestoreLabel: "Restore call", RestoreURL: "/r", EventURL: logURL + "/evt_1", BackURL: "/c", BackLabel: "All calls", Facts: []Fact{{Label: "Customer", Value: "Patricia Brown"}, {Label: "Call id", Value: "call_01kb2v6x5ne8mvk2h4s9d0a1bc", Mono: true}}, History: sampleHistory()})
	pages["metrics"] = MetricListPage(sampleMetrics())
	readMetrics := sampleMetrics()
	readMetrics.Page = auditor(readMetrics.Page)
	for i := range readMetrics.Groups {
		for j := range readMetrics.Groups[i].Metrics {
			readMetrics.Groups[i].Metrics[j].SwitchURL = ""
		}
	}
	pages["metrics-auditor"] = MetricListPage(readMetrics)
}

func sampleMetrics() MetricList {
	return MetricList{Page: framed("Metrics", SectionMetrics), Groups: []MetricGroup{
		{"Speech Analytics", []Metric{
			{Key: "talk-share", Name: "Talk share", Unit: "%", Bounds: "0 to 100", Formula: "The agent's speaking time divided by the speaking time of both sides. Overlapping speech counts for both.", Source: "Needs turn times", On: true, SwitchURL: "/s", Version: "evt_1"},
			{Key: "wpm", Name: "Words a minute", Unit: "words/min", Bounds: "0 to 400", Formula: "The agent's words divided by the agent's speaking time.", On: false, SwitchURL: "/s", Version: "evt_1"},
			{Key: "delay", Name: "Response delay", Unit: "s", Bounds: "0 to 600", Formula: "The median silence between the end of a customer's turn and the start of the agent's next one.", On: true, SwitchURL: "/s", Version: "evt_1"}}},
		{"Agent Assist", []Metric{
			{Key: "adherence", Name: "Checklist adherence", Unit: "%", Bounds: "0 to 100", Formula: "The share of the checklist's phrases that were said where in the call they must stand.", On: true, SwitchURL: "/s", Version: "evt_1"}}}}}
}

func addObjects(pages map[string]templ.Component) {
	pages["confirm-delete-call"] = ConfirmPage(Confirm{Page: framed("Delete this call?", SectionCalls, callsCrumb), URL: "/d", Text: []string{"The call leaves all lists. It can be restored under Deleted calls."},
		Subjects: []Subject{{Kind: "call", Name: "Patricia Brown", Detail: "2026-11-23 18:44 UTC, 4:14, Sam Roe"}}, Reason: ReasonInput(""), Button: "Delete call", Danger: true, CancelURL: "/c", Hidden: []Hidden{{"version", "evt_1"}}})
	pages["confirm-role"] = ConfirmPage(Confirm{Page: framed("Change role of Sam Roe", SectionUsers, usersCrumb), URL: "/r",
		Inputs: []Input{{Kind: KindSelect, Name: "role", Label: "Role", Options: sampleRoles()}}, Reason: ReasonInput("covers for Dana"), Button: "Change role", CancelURL: "/u",
		Error: "Dana Cruz is the last active Admin of this team. Make someone else an Admin first."})
	pages["confirm-bulk"] = ConfirmPage(Confirm{Page: framed("Block 3 users?", SectionUsers, usersCrumb), URL: "/b", Text: []string{"They are signed out at once and cannot sign in until unblocked."},
		Subjects: []Subject{{ID: "user_1", Kind: "user", Name: "Sam Roe", Detail: "sam.roe@example.com"}, {ID: "user_2", Kind: "user", Name: "Kenji Watanabe", Detail: "kenji@example.com"},
			{ID: "user_0", Name: "Dana Cruz", Detail: "dana@example.com", Refused: "the last active Admin; left out"}}, Reason: ReasonInput(""), Button: "Block", CancelURL: "/u"})
	pages["confirm-move"] = ConfirmPage(Confirm{Page: framed("Move desk-07.northwind", SectionDevices), URL: "/m", Inputs: []Input{{Kind: KindSelect, Name: "team", Label: "Team", Hint: "Teams in which you are an Admin too.",
		Options: []Option{{Value: "t2", Label: "Beta"}, {Value: "t3", Label: "Gamma"}}}}, Reason: ReasonInput(""), Button: "Move to another team", CancelURL: "/d"})
	pages["device-add"] = FormPage(Form{Page: framed("Add device", SectionDevices), URL: "/d", Inputs: []Input{{Name: "hostname", Label: "Hostname", Required: true, Value: "desk 7", Error: "“desk 7” holds a space; a hostname has letters, digits, dots and hyphens, e.g. desk-07.northwind."}}, Button: "Add device", CancelURL: "/d"})
	pages["device-moved"] = TombstonePage(Tombstone{Page: framed("desk-07.northwind", SectionDevices), Noun: "device", MovedTo: "Beta", NewURL: "/t/beta/devices/d", At: now, By: person(0), BackURL: "/d", BackLabel: "All devices", History: History{Hidden: true}})
	pages["devices"] = DeviceListPage(sampleDevices())
	pages["devices-none"] = DeviceListPage(DeviceList{Page: framed("Devices", SectionDevices), States: sampleDevices().States, Search: Search{URL: "/d", Query: "x"}, ClearURL: "/d"})
	pages["device"] = DevicePage(Device{Page: framed("desk-07.northwind", SectionDevices, Link{"Devices", "/d"}), ID: "dev_01kb2v6x5ne8mvk2h4s9d0a1bc", Person: person(1), State: DeviceAssigned, Added: now.Add(-9000 * time.Hour), LastSeen: now,
		MovedFrom: "Beta", MovedAt: now, Actions: sampleDevices().Rows[0].Actions, History: sampleHistory()})
}

func sampleRoles() []Option {
	return []Option{{Value: "admin", Label: "Admin"}, {Value: "auditor", Label: "Auditor"}, {Value: "agent", Label: "Agent", Selected: true}}
}

func addPeople(pages map[string]templ.Component) {
	pages["users"] = UserListPage(sampleUsers())
	read := sampleUsers()
	read.Page, read.AddURL, read.Bulk = auditor(read.Page), "", Bulk{}
	for i := range read.Rows {
		read.Rows[i].Actions = nil
	}
	pages["users-auditor"] = UserListPage(read)
	pages["users-none"] = UserListPage(UserList{Page: framed("Users", SectionUsers), Search: Search{URL: "/u", Query: "zz"}, ClearURL: "/u", Chips: []Chip{{Label: "Role: Admin", RemoveURL: "?"}}})
	pages["users-add"] = AddUsersPage(AddUsers{Page: framed("Add users", SectionUsers, usersCrumb), URL: "/add", Roles: sampleRoles(), CancelURL: "/u"})
	pages["users-add-wrong"] = AddUsersPage(AddUsers{Page: framed("Add users", SectionUsers, usersCrumb), URL: "/add", Roles: sampleRoles(), CancelURL: "/u", Emails: "sam@@example", EmailError: "“sam@@example” is not a mail address; write name@example.com."})
	added := UsersAdded{Page: framed("3 users added", SectionUsers, usersCrumb), Added: 3, Expires: now.Add(7 * 24 * time.Hour), BackURL: "/u",
		Skipped: []Skipped{{"dana@example.com", "already a member"}, {"Sam.Roe@Example.com", "twice in the list"}}}
	for i := range 3 {
		added.Links = append(added.Links, SignInLink{Name: people[i].name, Email: people[i].email, Role: people[i].role, URL: fmt.Sprintf("https://portal.example.com/link/%d_Xw4mH7n2Qk9rT5vB8yLcZ1dPfGjS3aUe", i)})
	}
	pages["users-added"] = UsersAddedPage(added)
	pages["user"] = UserPage(User{Page: framed("Sam Roe", SectionUsers, usersCrumb), ID: "user_01kb2v6x5ne8mvk2h4s9d0a1bc", Name: "Sam Roe", Email: "sam.roe@example.com", Role: "Agent", State: UserActive,
		Added: now.Add(-5000 * time.Hour), LastSeen: now, Devices: sampleDevices().Rows[:2], Actions: userActions("u"), History: sampleHistory()})
	pages["general"] = SettingsGeneralPage(SettingsGeneral{Page: setting("General", SettingGeneral, settings), URL: "/s", Name: "Northwind Support", Version: "evt_1", Plan: "Call Center AI", PlanHint: "Changed with “onrecord setup --plan”", ID: "team_01kb2v6x5ne8mvk2h4s9d0a1bc", Created: now.Add(-9999 * time.Hour), Members: 25, Devices: 37, Calls: 2593, History: sampleHistory()})
	pages["general-auditor"] = SettingsGeneralPage(SettingsGeneral{Page: auditor(setting("General", SettingGeneral, settings)), Name: "Northwind Support", Plan: "Call Center AI", ID: "team_1", Created: now})
	pages["security"] = SettingsSecurityPage(SettingsSecurity{Page: setting("Security", SettingSecurity, settings), AuditLogsURL: logURL, AuditLogsOn: true, APIKeysURL: keysURL})
	keys := setting("API keys", SettingAPIKeys, settings, security)
	pages["api-keys"] = APIKeyListPage(APIKeyList{Page: keys, AddURL: "/add", DocsURL: "/docs", Rows: []APIKeyRow{
		{ID: "key_1", Name: "SIEM in Frankfurt", Scope: "Read", State: APIKeyActive, Owner: person(0), Created: now.Add(-900 * time.Hour), Expires: now.Add(900 * time.Hour), Used: now, EventsURL: logURL, RevokeURL: "/r1"},
		{ID: "key_2", Name: "Nightly archive", Scope: "Read and write", State: APIKeyPaused, Owner: person(4), Created: now.Add(-2000 * time.Hour), EventsURL: logURL, RevokeURL: "/r2"},
		{ID: "key_3", Name: "Trial", Scope: "Read", State: APIKeyExpired, Owner: Ref{Name: "olga@console"}, Created: now.Add(-3000 * time.Hour), Expires: now.Add(-time.Hour), RevokeURL: "/r3"},
		{ID: "key_4", Name: "Leaked", Scope: "Read", State: APIKeyRevoked, Owner: person(2), Created: now.Add(-3000 * time.Hour), Used: now.Add(-500 * time.Hour), EventsURL: logURL}}})
	pages["api-keys-empty"] = APIKeyListPage(APIKeyList{Page: auditor(keys), DocsURL: "/docs"})
	pages["api-key-created"] = APIKeyCreatedPage(APIKeyCreated{Page: setting("API key created", SettingAPIKeys, settings, security), Name: "SIEM in Frankfurt",
		Token: "ork_01kb2v6x5ne8mvk2h4s9d0a1bcVn2rU8sQm5bE0pXyZ7kC1aLwJ3tGfHd9oI6NqRsTuWv", Expires: now.Add(900 * time.Hour), BackURL: keysURL})
	account := Account{Page: Page{Title: "Your account", Team: "Northwind Support", TeamURL: teamURL, TeamsURL: "/", Me: dana}, Name: "Dana Cruz", Email: "dana@example.com", NameURL: "/account/name", PasswordURL: "/account/password", MinLength: 12, EndOthersURL: "/account/sessions/end",
		PasswordErrors: PasswordErrors{Current: "This is not your present password."}, PasswordChanged: now.Add(-2000 * time.Hour), Teams: sampleTeams(),
		Sessions: []Session{{ID: "ses_1", Browser: "Chrome on Linux", IP: "203.0.113.7", Started: now.Add(-2 * time.Hour), LastSeen: now, Current: true}, {ID: "ses_2", Browser: "Safari on iPhone", IP: "2001:db8:85a3::8a2e:370:7334", Started: now.Add(-50 * time.Hour), LastSeen: now.Add(-20 * time.Hour), EndURL: "/account/sessions/ses_2/end"}}}
	pages["account"] = AccountPage(account)
}

func sampleTeams() []TeamChoice {
	return []TeamChoice{{"Northwind Support", "Admin", "Call Center AI", teamURL}, {"Beta", "Auditor", "Core", "/t/beta"}, {"Gamma", "Agent", "Call Center AI", ""}}
}

func addLog(pages map[string]templ.Component) {
	pages["log"] = AuditLogPage(sampleLog())
	filtered := sampleLog()
	filtered.Rows = filtered.Rows[:5]
	filtered.Search.Query = "actor:dana@example.com -action:call.viewed"
	filtered.Chips = []Chip{{Label: "Actor: Dana Cruz", RemoveURL: "?"}, {Label: "Action: Viewed call", Exclude: true, RemoveURL: "?"}}
	filtered.ClearURL, filtered.Actor.On, filtered.Action.On, filtered.Actor.Groups[0].Options[0].Selected = logURL, true, true, true
	filtered.Stopped, filtered.ContinueURL = "Searched back to 2026-08-03 12:00 UTC, 10,000 entries.", "?cursor"
	filtered.Quiet, filtered.TrackedURL = "", logURL
	pages["log-filtered"] = AuditLogPage(filtered)
	wrong := sampleLog()
	wrong.Search.Query = "actor:dana colour:red after:2026-11-01"
	wrong.QueryErr = &QueryError{Message: "“colour” is no field. Fields are actor, action, object, type, outcome, ip, after, before and via.", Start: 11, End: 17}
	pages["log-query-error"] = AuditLogPage(wrong)
	none := sampleLog()
	none.Rows, none.ClearURL, none.Chips = nil, logURL, filtered.Chips
	none.Count, none.NewerURL, none.OlderURL = "", "", ""
	pages["log-none"] = AuditLogPage(none)
	pages["log-new-team"] = AuditLogPage(AuditLog{Page: none.Page, Search: none.Search, Actor: CheckFilter{Name: "actor", URL: logURL}, Action: none.Action, Object: none.Object, Timestamp: none.Timestamp})
	pages["log-not-on-plan"] = AuditLogPage(AuditLog{Page: none.Page, NotOnPlan: "This team is on the plan Core. Everything that is done in it is recorded all the same, and is here as soon as the team has the plan Call Center AI."})
	pages["event"] = AuditEventPage(sampleEvent())
	denied := sampleEvent()
	denied.Outcome, denied.Error, denied.Changes = "denied", "Only an Admin may change a role.", nil
	pages["event-denied"] = AuditEventPage(denied)
	pages["history"] = HistoryListPage(HistoryList{Page: framed("History of Sam Roe", SectionUsers, usersCrumb), History: sampleHistory(), BackURL: "/u", Back: "Sam Roe"})
}

func addAlone(pages map[string]templ.Component) {
	pages["login"] = SignInPage(SignIn{URL: "/login"})
	pages["login-wrong"] = SignInPage(SignIn{URL: "/login", Email: "dana@example.com", Error: "The address or the password is not right."})
	pages["login-too-many"] = SignInPage(SignIn{URL: "/login", Email: "dana@example.com", TooMany: "Try again in 30 seconds."})
	pages["login-signed-out"] = SignInPage(SignIn{URL: "/login", Notice: "You have been signed out."})
	pages["link"] = ChoosePasswordPage(ChoosePassword{URL: "/link/x", Email: "sam.roe@example.com", Team: "Northwind Support", MinLength: 12, Expires: now})
	pages["link-wrong"] = ChoosePasswordPage(ChoosePassword{URL: "/link/x", Email: "sam.roe@example.com", Team: "Northwind Support", MinLength: 12, Name: "Sam Roe", Error: "“password1234” is among the passwords that are tried first. Choose another."})
	pages["teams"] = TeamChooserPage(TeamChooser{Page: Page{Title: "Choose a team", Me: dana}, Teams: sampleTeams()})
	pages["teams-none"] = TeamChooserPage(TeamChooser{Page: Page{Title: "Choose a team", Me: dana}})
	for status := range problems {
		pages[fmt.Sprint("problem-", status)] = ProblemPage(Problem{Page: framed("", SectionNone), Status: status, Next: []Link{{"All calls", "/c"}, {"Start page", "/"}}, RequestID: "req_01kb2v6x5ne8mvk2h4s9d0a1bc"})
	}
	pages["problem-agent"] = ProblemPage(Problem{Page: Page{Title: "No administration for Agents", Me: Person{Name: "Sam Roe", Role: "Agent", AccountURL: "/account", SignOutURL: "/logout"}, Team: "Northwind Support"}, Status: 403,
		Message: "As an Agent you handle calls; this portal is for Admins and Auditors. Ask an Admin of Northwind Support if you need more. The attempt is on the record.", Next: []Link{{"Your account", "/account"}}})
	pages["problem-410-signed-out"] = ProblemPage(Problem{Status: 410, Next: []Link{{"Sign in", "/login"}}})
}
