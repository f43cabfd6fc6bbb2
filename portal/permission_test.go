package portal_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/transcript"
)

// attempt is one method that acts in a team: on one object of it, if kind is
// set.
type attempt struct {
	action string // what a refusal is recorded as
	kind   string // prefix of the object's id, or ""
	reads  bool   // Auditors may
	do     func(f *portaltest.Fixture, by portal.Caller, team, object string) error
}

var attempts = map[string]attempt{
	"Findings": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Findings(ctx, by, team))
	}},
	"LogSeal": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogSeal(ctx, by, team))
	}},
	"APIKey": {action: portal.AccessRefused, kind: "key", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.APIKey(ctx, by, team, object))
	}},
	"APIKeys": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.APIKeys(ctx, by, team))
	}},
	"AddDevice": {action: portal.DeviceAdded, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Portal.AddDevice(ctx, by, team, "desk-99", ""))
	}},
	"AddUsers": {action: portal.UserCreated, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.AddUsers(ctx, by, team, []portal.NewUser{{Email: "new@example.com"}}, portal.Agent, ""))
	}},
	"AssignDevice": {action: portal.DeviceAssigned, kind: "dev", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.AssignDevice(ctx, by, team, object, f.Dana.ID, "", ""))
	}},
	"BlockDevice": {action: portal.DeviceBlocked, kind: "dev", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.BlockDevice(ctx, by, team, object, "", ""))
	}},
	"BlockUser": {action: portal.UserBlocked, kind: "user", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.BlockUser(ctx, by, team, object, "", ""))
	}},
	"CallAgents": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.CallAgents(ctx, by, team))
	}},
	"CallPage": {action: portal.CallViewed, kind: "call", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.CallPage(ctx, by, team, object))
	}},
	"Calls": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Calls(ctx, by, team, portal.CallFilter{}, audit.Page{}))
	}},
	"ChangePlan": {action: portal.TeamPlanChanged, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.ChangePlan(ctx, by, team, portal.PlanCore, ""))
	}},
	"ChangeRole": {action: portal.UserRoleChanged, kind: "user", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ChangeRole(ctx, by, team, object, portal.Admin, "", ""))
	}},
	"CreateAPIKey": {action: portal.APIKeyCreated, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		_, _, err := f.CreateAPIKey(ctx, by, team, portal.NewAPIKey{Name: "SIEM", Scope: portal.ScopeRead})
		return err
	}},
	"DeleteCall": {action: portal.CallDeleted, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.DeleteCall(ctx, by, team, object, "", ""))
	}},
	"DeleteUser": {action: portal.UserDeleted, kind: "user", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.DeleteUser(ctx, by, team, object, "", ""))
	}},
	"DeletedCalls": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.DeletedCalls(ctx, by, team))
	}},
	"Device": {action: portal.AccessRefused, kind: "dev", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.Device(ctx, by, team, object))
	}},
	"Devices": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Devices(ctx, by, team, portal.DeviceFilter{}))
	}},
	"EditValue": {action: portal.MetricValueEdited, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.EditValue(ctx, by, team, object, "questions_asked", "3", "", ""))
	}},
	"ExportTranscript": {action: portal.CallTranscriptExported, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ExportTranscript(ctx, by, team, object, "txt"))
	}},
	"History": {action: portal.AuditLogViewed, kind: "user", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.History(ctx, by, team, audit.Ref{Type: "user", ID: object}, audit.Page{}))
	}},
	"Import": {action: portal.CallImported, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Import(ctx, by, team, func(func(transcript.Call, error) bool) {}, nil))
	}},
	"FollowLog": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.FollowLog(ctx, by, team, audit.Filter{}, -1))
	}},
	"LastLeaf": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LastLeaf(ctx, by, team))
	}},
	"LogInOrder": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogInOrder(ctx, by, team, audit.Filter{}, -1, 10))
	}},
	"LogCheckpoint": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogCheckpoint(ctx, by, team, -1))
	}},
	"ExportLog": {action: portal.AuditLogExported, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.ExportLog(ctx, by, team, audit.Filter{}, portal.ExportOptions{Format: "csv"}))
	}},
	"ResumeLogExport": {action: portal.AuditLogExported, kind: "exp", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ResumeLogExport(ctx, by, team, object, 0))
	}},
	"LogExport": {action: portal.AuditLogViewed, kind: "exp", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.LogExport(ctx, by, team, object))
	}},
	"LogExports": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogExports(ctx, by, team))
	}},
	"LiveFrom": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LiveFrom(ctx, by, team))
	}},
	"LogConsistency": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogConsistency(ctx, by, team, 0, 1))
	}},
	"LogProof": {action: portal.AuditLogViewed, kind: "evt", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		_, _, err := f.LogProof(ctx, by, team, object)
		return err
	}},
	"LogEvent": {action: portal.AuditLogViewed, kind: "evt", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.LogEvent(ctx, by, team, object))
	}},
	"LogNames": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogNames(ctx, by, team, audit.NameQuery{}))
	}},
	"LogTotals": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogTotals(ctx, by, team))
	}},
	"MayChange": {action: portal.AccessRefused, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return f.MayChange(ctx, by, team, "users")
	}},
	"Metrics": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Metrics(ctx, by, team))
	}},
	"MoveDevice": {action: portal.DeviceMoved, kind: "dev", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.MoveDevice(ctx, by, team, object, f.Beta, "", ""))
	}},
	"NewLink": {action: portal.UserLinkCreated, kind: "user", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.NewLink(ctx, by, team, object, ""))
	}},
	"ReadLog": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		for _, err := range f.ReadLog(ctx, by, team, audit.Filter{}, 1) {
			return err
		}
		return nil
	}},
	"RevokeAPIKey": {action: portal.APIKeyRevoked, kind: "key", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.RevokeAPIKey(ctx, by, team, object, ""))
	}},
	"RenameTeam": {action: portal.TeamRenamed, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.RenameTeam(ctx, by, team, "Taken over", "", ""))
	}},
	"ResetValue": {action: portal.MetricValueReset, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ResetValue(ctx, by, team, object, "questions_asked", "", ""))
	}},
	"RestoreCall": {action: portal.CallRestored, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.RestoreCall(ctx, by, team, object, "", ""))
	}},
	"SearchLog": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.SearchLog(ctx, by, team, audit.Filter{}, audit.Page{}))
	}},
	"SetMetric": {action: portal.MetricDisabled, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.SetMetric(ctx, by, team, "questions_asked", false, "", ""))
	}},
	"Team": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Team(ctx, by, team))
	}},
	"UnassignDevice": {action: portal.DeviceUnassigned, kind: "dev", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.UnassignDevice(ctx, by, team, object, "", ""))
	}},
	"UnblockDevice": {action: portal.DeviceUnblocked, kind: "dev", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.UnblockDevice(ctx, by, team, object, "", ""))
	}},
	"UnblockUser": {action: portal.UserUnblocked, kind: "user", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.UnblockUser(ctx, by, team, object, "", ""))
	}},
	"User": {action: portal.AccessRefused, kind: "user", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.User(ctx, by, team, object))
	}},
	"Users": {action: portal.AccessRefused, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.Users(ctx, by, team, portal.UserFilter{}))
	}},
	"ViewAfterEdit": {action: portal.CallViewed, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ViewAfterEdit(ctx, by, team, object))
	}},
	"ViewCall": {action: portal.CallViewed, kind: "call", do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ViewCall(ctx, by, team, object))
	}},
	"BeginReading": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return f.BeginReading(ctx, by, team, audit.Filter{})
	}},
	"ChangeView": {action: portal.SavedViewChanged, kind: "view", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.ChangeView(ctx, by, team, portal.SavedView{ID: object, Name: "Taken over", Query: "outcome:denied"}))
	}},
	"DeleteView": {action: portal.SavedViewDeleted, kind: "view", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.DeleteView(ctx, by, team, object))
	}},
	"LogCountOf": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		_, _, err := f.LogCountOf(ctx, by, team, audit.Filter{}, time.Second)
		return err
	}},
	"LogFacets": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogFacets(ctx, by, team, audit.Filter{}, audit.FacetQuery{}))
	}},
	"LogHistogram": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.LogHistogram(ctx, by, team, audit.Filter{}, audit.HistogramQuery{}))
	}},
	"LogNeighbours": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		_, _, err := f.LogNeighbours(ctx, by, team, audit.Filter{}, object)
		return err
	}},
	"SaveView": {action: portal.SavedViewCreated, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.SaveView(ctx, by, team, portal.SavedView{Name: "Refusals", Query: "outcome:denied"}))
	}},
	"SavedView": {action: portal.SavedViewChanged, kind: "view", reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, object string) error {
		return failing(f.SavedView(ctx, by, team, object))
	}},
	"SavedViews": {action: portal.AuditLogViewed, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.SavedViews(ctx, by, team))
	}},
	"VerifyLog": {action: portal.AuditLogVerified, reads: true, do: func(f *portaltest.Fixture, by portal.Caller, team, _ string) error {
		return failing(f.VerifyLog(ctx, by, team, portal.VerifyOptions{}))
	}},
}

func failing[T any](_ T, err error) error { return err }

// Whoever adds a method that takes a caller and a team adds it above, or says
// here that its text is no team, or that only operators have it.
func TestEveryMethodIsTried(t *testing.T) {
	noTeam := []string{"BackUp", "ChangePassword", "EndSession", "FindMember", "FindTeam", "KnownFaults", "Link", "Rename", "RetireSigningKey", "SignIn", "UseLink"}
	methods := reflect.TypeFor[*portal.Portal]()
	for i := range methods.NumMethod() {
		m := methods.Method(i)
		if m.Type.NumIn() < 4 || m.Type.In(2) != reflect.TypeFor[portal.Caller]() || m.Type.In(3).Kind() != reflect.String || slices.Contains(noTeam, m.Name) {
			continue
		}
		if _, tried := attempts[m.Name]; !tried {
			t.Errorf("no test tries %s as a stranger", m.Name)
		}
	}
}

// denied runs an attempt and wants it refused with the code and recorded by
// exactly one event, which begins so and holds the fact.
func denied(t *testing.T, f *portaltest.Fixture, name string, err error, code audit.Code, log, action, fact string) {
	t.Helper()
	if audit.CodeOf(err) != code {
		t.Errorf("%s: the error is %q (%v), not %q", name, audit.CodeOf(err), err, code)
	}
	lines := f.Passed()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], log+" "+action+" denied") || !strings.Contains(lines[0], fact) {
		t.Errorf("%s is recorded as %q, not %s %s denied … %s", name, lines, log, action, fact)
	}
	f.Clock.Advance(2 * time.Minute) // more than ten refusals a minute are counted, not listed
}

// Whatever a team's id names, it is not there for those who are no members.
func TestStrangers(t *testing.T) {
	f := portaltest.New(t)
	device := f.AddDevice(t, f.Dana, f.Alpha, "desk-1").ID
	key, _, err := f.CreateAPIKey(ctx, f.Dana, f.Alpha, portal.NewAPIKey{Name: "Archive", Scope: portal.ScopeRead})
	check(t, err)
	objects := map[string]string{"view": must(f.SaveView(ctx, f.Audrey, f.Alpha, portal.SavedView{Name: "Deletions", Query: "action:call.deleted"})).ID,
		"user": f.Agnes.ID, "dev": device, "key": key.ID, "call": audit.NewID("call", f.Clock.Now()),
		"evt": must(f.User(ctx, f.Dana, f.Alpha, f.Agnes.ID)).Version, "exp": begin(t, f, f.Audrey, audit.Filter{}, portal.ExportOptions{Format: "csv"}).ID}
	f.Passed()
	for name, a := range attempts {
		err := a.do(f, f.Bea, f.Alpha, objects[a.kind])
		denied(t, f, name+" in another team", err, audit.CodeNotFound, "alpha", a.action, "")
		nobody := audit.NewID("team", f.Clock.Now())
		err = a.do(f, f.Dana, nobody, objects[a.kind])
		denied(t, f, name+" in no team", err, audit.CodeNotFound, "org", a.action, "tried=team team_*")
		err = a.do(f, f.Dana, "../x", objects[a.kind])
		denied(t, f, name+" in a malformed team", err, audit.CodeNotFound, "org", a.action, "team ../x")
		err = a.do(f, f.Dana, f.Org, objects[a.kind])
		denied(t, f, name+" in the organization", err, audit.CodeNotFound, "org", a.action, "")
	}
}

// An id of another team, or of nothing, is not there for one's own Admins.
func TestForeignIDs(t *testing.T) {
	f := portaltest.New(t)
	key, _, err := f.CreateAPIKey(ctx, f.Bea, f.Beta, portal.NewAPIKey{Name: "Archive", Scope: portal.ScopeRead})
	check(t, err)
	foreign := map[string]string{
		"view": must(f.SaveView(ctx, f.Bea, f.Beta, portal.SavedView{Name: "Deletions", Query: "action:call.deleted"})).ID,
		"key":  key.ID,
		"user": f.Bea.ID,
		"dev":  f.AddDevice(t, f.Bea, f.Beta, "desk-1").ID,
		"call": audit.NewID("call", f.Clock.Now()),
		"evt":  must(f.User(ctx, f.Bea, f.Beta, f.Bea.ID)).Version,
		"exp":  must(f.ExportLog(ctx, f.Bea, f.Beta, audit.Filter{}, portal.ExportOptions{Format: "csv"})).ID,
	}
	f.Passed()
	for name, a := range attempts {
		if a.kind == "" {
			continue
		}
		denied(t, f, name+" on a foreign id", a.do(f, f.Bo, f.Alpha, foreign[a.kind]), audit.CodeNotFound, "alpha", a.action, "")
		for _, id := range []string{"nonsense\x00'--", ""} {
			err := a.do(f, f.Bo, f.Alpha, id)
			fact := "nonsense"
			if id == "" {
				fact = ""
			}
			denied(t, f, name+" on "+id, err, audit.CodeNotFound, "alpha", a.action, fact)
		}
	}
	device := f.AddDevice(t, f.Dana, f.Alpha, "desk-2").ID
	f.Passed()
	_, err = f.AssignDevice(ctx, f.Dana, f.Alpha, device, f.Bea.ID, "", "")
	denied(t, f, "a device for a stranger", err, audit.CodeNotFound, "alpha", portal.DeviceAssigned, "tried=user user_*")
}

// Auditors read and change nothing; Agents have no administration; who was
// blocked or deleted has nothing at all.
func TestRoles(t *testing.T) {
	f := portaltest.New(t)
	device := f.AddDevice(t, f.Dana, f.Alpha, "desk-1").ID
	key, _, err := f.CreateAPIKey(ctx, f.Dana, f.Alpha, portal.NewAPIKey{Name: "Archive", Scope: portal.ScopeRead})
	check(t, err)
	objects := map[string]string{"view": must(f.SaveView(ctx, f.Audrey, f.Alpha, portal.SavedView{Name: "Deletions", Query: "action:call.deleted"})).ID,
		"user": f.Agnes.ID, "dev": device, "key": key.ID, "call": audit.NewID("call", f.Clock.Now()),
		"evt": must(f.User(ctx, f.Dana, f.Alpha, f.Agnes.ID)).Version, "exp": begin(t, f, f.Audrey, audit.Filter{}, portal.ExportOptions{Format: "csv"}).ID}
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""))
	f.Passed()
	for name, a := range attempts {
		denied(t, f, name+" by an Agent", a.do(f, f.Agnes, f.Alpha, objects[a.kind]), audit.CodeDenied, "alpha", a.action, "")
		denied(t, f, name+" by a blocked Admin", a.do(f, f.Adam, f.Alpha, objects[a.kind]), audit.CodeDenied, "alpha", a.action, "")
		denied(t, f, name+" by a deleted Admin", a.do(f, f.Bo, f.Alpha, objects[a.kind]), audit.CodeNotFound, "alpha", a.action, "")
		if !a.reads {
			denied(t, f, name+" by an Auditor", a.do(f, f.Audrey, f.Alpha, objects[a.kind]), audit.CodeDenied, "alpha", a.action, "")
		} else if err := a.do(f, f.Audrey, f.Alpha, objects[a.kind]); audit.CodeOf(err) == audit.CodeDenied {
			t.Errorf("%s is denied to an Auditor: %v", name, err)
		}
		f.Passed()
	}
}
