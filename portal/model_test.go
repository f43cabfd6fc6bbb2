package portal_test

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/portal"
	"onrecord/portal/metric"
	"onrecord/portal/portaltest"
)

// The model of a team: what ought to be true after each step.
type (
	teamModel struct {
		id, name, plan string
		members        map[string]*memberModel // by user
		devices        map[string]*deviceModel
		calls          map[string]*callModel
		off            map[string]bool // metrics that are switched off
		events         map[string]int  // by action and outcome
	}
	memberModel struct {
		role             portal.Role
		blocked, deleted bool
	}
	deviceModel struct {
		hostname, user string
		blocked, moved bool
	}
	callModel struct {
		source  int
		deleted bool
		edited  map[string]string // values that differ from the default, by metric
	}
)

type model struct {
	f      *portaltest.Fixture
	run    int
	teams  []*teamModel
	people []portal.Caller // the operator and everybody with an account, members or not
	emails map[string]string
}

// TestModel lets several people do random things in two teams, permitted or
// not, and compares every answer with a model; at the end the logs alone must
// lead to the model's state.
//
// The steps of one run are many: 40 runs take as long as 100 of other tests.
func TestModel(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		check(t, checks.Value.Set("40"))
		t.Cleanup(func() { checks.Value.Set(checks.DefValue) })
	}
	f := portaltest.New(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{f: f, run: run, people: []portal.Caller{f.Operator, f.Agnes}, emails: map[string]string{}}
		for i := range 2 {
			email := fmt.Sprintf("admin%d@run%d.example", i, run)
			name := fmt.Sprintf("Run %d team %d", run, i)
			made := f.Setup(t, portal.NewTeam{Team: name, Email: email})
			m.emails[email] = made.Admin.ID
			m.people = append(m.people, portaltest.As(made.Admin))
			m.teams = append(m.teams, &teamModel{
				id: made.Team, name: name, plan: portal.PlanCallCenterAI,
				members: map[string]*memberModel{made.Admin.ID: {role: portal.Admin}},
				devices: map[string]*deviceModel{}, calls: map[string]*callModel{}, off: map[string]bool{},
				events: map[string]int{"user.created ok": 1, "team.created ok": 1},
			})
		}
		actions := map[string]func(*rapid.T){
			"add user": m.addUser, "change role": m.changeRole, "block user": m.blockUser, "unblock user": m.unblockUser,
			"delete user": m.deleteUser, "new link": m.newLink,
			"add device": m.addDevice, "assign": m.assign, "unassign": m.unassign, "block device": m.blockDevice,
			"unblock device": m.unblockDevice, "move": m.move,
			"import": m.importCall, "view": m.view, "export": m.export, "delete call": m.deleteCall, "restore": m.restore,
			"edit": m.edit, "reset": m.reset, "metric": m.metric,
			"rename team": m.rename, "plan": m.changePlan, "read": m.read,
		}
		for range 3 { // what happens late needs what happened before
			rt.Repeat(actions)
		}
		m.compare(rt)
	})
}

// step is who does something where. Time passes between steps, so that no
// refusals are merged.
type step struct {
	rt   *rapid.T
	m    *model
	by   portal.Caller
	team *teamModel
}

func (m *model) step(rt *rapid.T) step {
	m.f.Clock.Advance(7 * time.Second)
	s := step{rt: rt, m: m, team: rapid.SampledFrom(m.teams).Draw(rt, "team")}
	// Most of the time somebody who may, or the states would stay poor.
	by := m.people
	if rapid.IntRange(0, 3).Draw(rt, "whoever") > 0 {
		by = slices.DeleteFunc(slices.Clone(by), func(c portal.Caller) bool { return may(c, s.team, portal.Admin) != "" })
	}
	s.by = by[rapid.IntRange(0, len(by)-1).Draw(rt, "by")]
	return s
}

// may gives the refusal of somebody who may not act in a team.
func may(by portal.Caller, in *teamModel, roles ...portal.Role) audit.Code {
	if by.Type == audit.ActorOperator {
		return ""
	}
	switch m := in.members[by.ID]; {
	case m == nil || m.deleted:
		return audit.CodeNotFound
	case m.blocked || !slices.Contains(roles, m.role):
		return audit.CodeDenied
	}
	return ""
}

// first gives the first refusal of several checks.
func first(codes ...audit.Code) audit.Code {
	for _, c := range codes {
		if c != "" {
			return c
		}
	}
	return ""
}

func when(refused bool, code audit.Code) audit.Code {
	if refused {
		return code
	}
	return ""
}

// settle compares the answer with the one expected, counts the event and tells
// whether the model has to follow.
func (s step) settle(action string, err error, want audit.Code) bool {
	s.rt.Helper()
	if got := audit.CodeOf(err); got != want {
		s.rt.Fatalf("%s by %s in %s: %q (%v), want %q", action, s.by.Email, s.team.name, got, err, want)
	}
	switch want {
	case "":
		s.team.events[action+" ok"]++
	case audit.CodeDenied, audit.CodeNotFound:
		s.team.events[action+" denied"]++
	case audit.CodeConflict, audit.CodeGone:
		s.team.events[action+" failed"]++
	}
	return want == ""
}

// pick draws one of the team's things, or any of both teams, or one that nobody
// has.
func pick[T any](s step, what, prefix string, of func(*teamModel) map[string]T) string {
	teams := s.m.teams
	own := len(of(s.team)) > 0 && rapid.IntRange(0, 5).Draw(s.rt, "any "+what) > 0
	if own {
		teams = []*teamModel{s.team}
	}
	var ids []string
	for _, team := range teams {
		for id := range of(team) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if !own {
		ids = append(ids, audit.NewID(prefix, s.m.f.Clock.Now()))
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(s.rt, what)]
}

// version is "" or one that nobody can have seen.
func (s step) version() (version string, stale audit.Code) {
	if rapid.IntRange(0, 9).Draw(s.rt, "stale") == 0 {
		return audit.NewID("evt", s.m.f.Clock.Now()), audit.CodeConflict
	}
	return "", ""
}

func (s step) reason() string {
	return rapid.SampledFrom([]string{"", "because", "weil ü"}).Draw(s.rt, "reason")
}

func (s step) user() (id string, m *memberModel, absent audit.Code) {
	id = pick(s, "user", "user", func(t *teamModel) map[string]*memberModel { return t.members })
	m = s.team.members[id]
	switch {
	case m == nil:
		return id, &memberModel{}, audit.CodeNotFound
	case m.deleted:
		return id, m, audit.CodeGone
	}
	return id, m, ""
}

// lastAdmin tells whether nobody else is an active Admin.
func (t *teamModel) lastAdmin(id string) bool {
	for other, m := range t.members {
		if m.role == portal.Admin && !m.blocked && !m.deleted && other != id {
			return false
		}
	}
	m := t.members[id]
	return m != nil && m.role == portal.Admin && !m.blocked
}

func (m *model) addUser(rt *rapid.T) {
	s := m.step(rt)
	email := fmt.Sprintf("%s@run%d.example", rapid.SampledFrom([]string{"sam", "SAM", "kim", "lee", "admin0", "admin1"}).Draw(rt, "email"), m.run)
	role := rapid.SampledFrom(portal.Roles).Draw(rt, "role")
	done, err := m.f.AddUsers(ctx, s.by, s.team.id, []portal.NewUser{{Email: email}}, role, s.reason())
	key := strings.ToLower(email)
	id := m.emails[key]
	if was := s.team.members[id]; err == nil && was != nil && !was.deleted {
		if len(done.Skipped) != 1 || may(s.by, s.team, portal.Admin) != "" {
			rt.Fatalf("adding a member again: %+v", done)
		}
		return
	}
	if !s.settle("user.created", err, may(s.by, s.team, portal.Admin)) {
		return
	}
	if len(done.Added) != 1 || id != "" && done.Added[0].ID != id {
		rt.Fatalf("adding %s, known as %q: %+v", email, id, done)
	}
	added := done.Added[0]
	if id == "" {
		m.emails[key] = added.ID
		m.people = append(m.people, portaltest.As(added.Member))
	}
	if added.Link != nil {
		s.team.events["user.link_created ok"]++
	}
	s.team.members[added.ID] = &memberModel{role: role}
}

func (m *model) changeRole(rt *rapid.T) {
	s := m.step(rt)
	id, u, absent := s.user()
	version, stale := s.version()
	role := rapid.SampledFrom(portal.Roles).Draw(rt, "role")
	_, err := m.f.ChangeRole(ctx, s.by, s.team.id, id, role, version, s.reason())
	if s.settle("user.role_changed", err, first(may(s.by, s.team, portal.Admin), absent, stale,
		when(u.role == role, audit.CodeInvalid), when(s.team.lastAdmin(id), audit.CodeConflict))) {
		u.role = role
	}
}

func (m *model) blockUser(rt *rapid.T) {
	s := m.step(rt)
	id, u, absent := s.user()
	version, stale := s.version()
	_, err := m.f.BlockUser(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("user.blocked", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(u.blocked || s.team.lastAdmin(id), audit.CodeConflict))) {
		u.blocked = true
	}
}

func (m *model) unblockUser(rt *rapid.T) {
	s := m.step(rt)
	id, u, absent := s.user()
	version, stale := s.version()
	_, err := m.f.UnblockUser(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("user.unblocked", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(!u.blocked, audit.CodeConflict))) {
		u.blocked = false
	}
}

func (m *model) deleteUser(rt *rapid.T) {
	s := m.step(rt)
	id, u, absent := s.user()
	version, stale := s.version()
	_, err := m.f.DeleteUser(ctx, s.by, s.team.id, id, version, s.reason())
	if !s.settle("user.deleted", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(s.team.lastAdmin(id), audit.CodeConflict))) {
		return
	}
	u.deleted = true
	for _, d := range s.team.devices {
		if d.user == id && !d.moved {
			d.user = ""
			s.team.events["device.unassigned ok"]++
		}
	}
}

func (m *model) newLink(rt *rapid.T) {
	s := m.step(rt)
	id, u, absent := s.user()
	elsewhere := audit.Code("")
	for _, team := range m.teams {
		if in := team.members[id]; in != nil && !in.deleted && may(s.by, team, portal.Admin) != "" {
			elsewhere = audit.CodeDenied
		}
	}
	_, err := m.f.NewLink(ctx, s.by, s.team.id, id, s.reason())
	s.settle("user.link_created", err, first(may(s.by, s.team, portal.Admin), absent, when(u.blocked, audit.CodeConflict), elsewhere))
}

// has tells whether a device of the team has the hostname, whatever its case.
func (t *teamModel) has(hostname string) bool {
	for _, d := range t.devices {
		if !d.moved && strings.EqualFold(d.hostname, hostname) {
			return true
		}
	}
	return false
}

func (s step) device() (id string, d *deviceModel, absent audit.Code) {
	id = pick(s, "device", "dev", func(t *teamModel) map[string]*deviceModel { return t.devices })
	d = s.team.devices[id]
	switch {
	case d == nil:
		return id, &deviceModel{}, audit.CodeNotFound
	case d.moved:
		return id, d, audit.CodeGone
	}
	return id, d, ""
}

func (m *model) addDevice(rt *rapid.T) {
	s := m.step(rt)
	hostname := rapid.SampledFrom([]string{"desk-1", "DESK-1", "desk-2", "desk-3", "no host"}).Draw(rt, "hostname")
	d, err := m.f.Portal.AddDevice(ctx, s.by, s.team.id, hostname, s.reason())
	if s.settle("device.added", err, first(when(hostname == "no host", audit.CodeInvalid), may(s.by, s.team, portal.Admin), when(s.team.has(hostname), audit.CodeConflict))) {
		s.team.devices[d.ID] = &deviceModel{hostname: hostname}
	}
}

func (m *model) assign(rt *rapid.T) {
	s := m.step(rt)
	id, d, absent := s.device()
	user, u, noUser := s.user()
	version, stale := s.version()
	_, err := m.f.AssignDevice(ctx, s.by, s.team.id, id, user, version, s.reason())
	if s.settle("device.assigned", err, first(may(s.by, s.team, portal.Admin), absent, stale, noUser, when(u.blocked || d.blocked || d.user == user, audit.CodeConflict))) {
		d.user = user
	}
}

func (m *model) unassign(rt *rapid.T) {
	s := m.step(rt)
	id, d, absent := s.device()
	version, stale := s.version()
	_, err := m.f.UnassignDevice(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("device.unassigned", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(d.user == "", audit.CodeConflict))) {
		d.user = ""
	}
}

func (m *model) blockDevice(rt *rapid.T) {
	s := m.step(rt)
	id, d, absent := s.device()
	version, stale := s.version()
	_, err := m.f.BlockDevice(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("device.blocked", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(d.blocked, audit.CodeConflict))) {
		d.blocked = true
	}
}

func (m *model) unblockDevice(rt *rapid.T) {
	s := m.step(rt)
	id, d, absent := s.device()
	version, stale := s.version()
	_, err := m.f.UnblockDevice(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("device.unblocked", err, first(may(s.by, s.team, portal.Admin), absent, stale, when(!d.blocked, audit.CodeConflict))) {
		d.blocked = false
	}
}

func (m *model) move(rt *rapid.T) {
	s := m.step(rt)
	id, d, absent := s.device()
	version, stale := s.version()
	to := rapid.SampledFrom(m.teams).Draw(rt, "to")
	moved, err := m.f.MoveDevice(ctx, s.by, s.team.id, id, to.id, version, s.reason())
	if s.settle("device.moved", err, first(may(s.by, s.team, portal.Admin), absent, stale,
		when(to == s.team, audit.CodeInvalid), may(s.by, to, portal.Admin), when(to.has(d.hostname), audit.CodeConflict))) {
		d.moved = true
		to.devices[moved] = &deviceModel{hostname: d.hostname, blocked: d.blocked}
		to.events["device.moved ok"]++
	}
}

func (s step) call() (id string, c *callModel, absent audit.Code) {
	id = pick(s, "call", "call", func(t *teamModel) map[string]*callModel { return t.calls })
	c = s.team.calls[id]
	switch {
	case c == nil:
		return id, &callModel{}, audit.CodeNotFound
	case c.deleted:
		return id, c, audit.CodeGone
	}
	return id, c, ""
}

func (m *model) importCall(rt *rapid.T) {
	s := m.step(rt)
	n := rapid.IntRange(0, 4).Draw(rt, "source")
	var told portal.Imported
	_, err := m.f.Import(ctx, s.by, s.team.id, source(newCall(n)), func(i portal.Imported) { told = i })
	for _, c := range s.team.calls {
		if err == nil && c.source == n {
			if !told.Same || may(s.by, s.team, portal.Admin) != "" {
				rt.Fatalf("importing a call again: %+v", told)
			}
			return
		}
	}
	if s.settle("call.imported", err, may(s.by, s.team, portal.Admin)) {
		s.team.calls[told.ID] = &callModel{source: n, edited: map[string]string{}}
	}
}

func (m *model) view(rt *rapid.T) {
	s := m.step(rt)
	id, _, absent := s.call()
	_, err := m.f.ViewCall(ctx, s.by, s.team.id, id)
	s.settle("call.viewed", err, first(may(s.by, s.team, portal.Admin), absent))
}

func (m *model) export(rt *rapid.T) {
	s := m.step(rt)
	id, _, absent := s.call()
	_, err := m.f.ExportTranscript(ctx, s.by, s.team.id, id, "vtt")
	s.settle("call.transcript_exported", err, first(may(s.by, s.team, portal.Admin), absent))
}

func (m *model) deleteCall(rt *rapid.T) {
	s := m.step(rt)
	id, c, absent := s.call()
	version, stale := s.version()
	_, err := m.f.DeleteCall(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("call.deleted", err, first(may(s.by, s.team, portal.Admin), when(absent == audit.CodeNotFound, absent), stale, when(c.deleted, audit.CodeConflict))) {
		c.deleted = true
	}
}

func (m *model) restore(rt *rapid.T) {
	s := m.step(rt)
	id, c, absent := s.call()
	version, stale := s.version()
	_, err := m.f.RestoreCall(ctx, s.by, s.team.id, id, version, s.reason())
	if s.settle("call.restored", err, first(may(s.by, s.team, portal.Admin), when(absent == audit.CodeNotFound, absent), stale, when(!c.deleted, audit.CodeConflict))) {
		c.deleted = false
	}
}

var modelMetrics = []string{"questions_asked", "filler_words", "no_metric"}

// now is the value of a metric as it stands.
func (c *callModel) now(key string) string {
	if v, ok := c.edited[key]; ok {
		return v
	}
	for _, r := range metric.Compute(newCall(c.source).Turns) {
		if r.Key == key && r.Available() {
			return r.Value.String()
		}
	}
	return ""
}

func (m *model) edit(rt *rapid.T) {
	s := m.step(rt)
	id, c, absent := s.call()
	key := rapid.SampledFrom(modelMetrics).Draw(rt, "metric")
	value := strconv.Itoa(rapid.IntRange(-1, 3).Draw(rt, "value"))
	version, stale := s.version()
	_, err := m.f.EditValue(ctx, s.by, s.team.id, id, key, value, version, s.reason())
	if s.settle("metric.value_edited", err, first(may(s.by, s.team, portal.Admin), absent, when(key == "no_metric", audit.CodeNotFound),
		when(s.team.off[key], audit.CodeConflict), stale, when(value == "-1" || value == c.now(key), audit.CodeInvalid))) {
		c.edited[key] = value
	}
}

func (m *model) reset(rt *rapid.T) {
	s := m.step(rt)
	id, c, absent := s.call()
	key := rapid.SampledFrom(modelMetrics).Draw(rt, "metric")
	version, stale := s.version()
	_, edited := c.edited[key]
	_, err := m.f.ResetValue(ctx, s.by, s.team.id, id, key, version, s.reason())
	if s.settle("metric.value_reset", err, first(may(s.by, s.team, portal.Admin), absent, when(key == "no_metric", audit.CodeNotFound),
		when(s.team.off[key], audit.CodeConflict), stale, when(!edited, audit.CodeConflict))) {
		delete(c.edited, key)
	}
}

func (m *model) metric(rt *rapid.T) {
	s := m.step(rt)
	key, on := rapid.SampledFrom(modelMetrics).Draw(rt, "metric"), rapid.Bool().Draw(rt, "on")
	version, stale := s.version()
	_, err := m.f.SetMetric(ctx, s.by, s.team.id, key, on, version, s.reason())
	action := map[bool]string{true: "metric.enabled", false: "metric.disabled"}[on]
	if s.settle(action, err, first(may(s.by, s.team, portal.Admin), when(key == "no_metric", audit.CodeNotFound), stale, when(s.team.off[key] != on, audit.CodeConflict))) {
		s.team.off[key] = !on
	}
}

func (m *model) rename(rt *rapid.T) {
	s := m.step(rt)
	name := fmt.Sprintf("Run %d %s", m.run, rapid.SampledFrom([]string{"team 0", "TEAM 0", "Team 2"}).Draw(rt, "name"))
	taken := slices.ContainsFunc(m.teams, func(t *teamModel) bool { return t != s.team && strings.EqualFold(t.name, name) })
	version, stale := s.version()
	_, err := m.f.RenameTeam(ctx, s.by, s.team.id, name, version, s.reason())
	if s.settle("team.renamed", err, first(may(s.by, s.team, portal.Admin), stale, when(s.team.name == name, audit.CodeInvalid), when(taken, audit.CodeConflict))) {
		s.team.name = name
	}
}

func (m *model) changePlan(rt *rapid.T) {
	s := m.step(rt)
	plan := rapid.SampledFrom([]string{portal.PlanCore, portal.PlanCallCenterAI}).Draw(rt, "plan")
	_, err := m.f.ChangePlan(ctx, s.by, s.team.id, plan, s.reason())
	if s.settle("team.plan_changed", err, first(may(s.by, s.team, portal.Admin),
		when(s.by.Type != audit.ActorOperator, audit.CodeDenied), when(s.team.plan == plan, audit.CodeInvalid))) {
		s.team.plan = plan
	}
}

// read shows lists, which leaves an event only if it is refused.
func (m *model) read(rt *rapid.T) {
	s := m.step(rt)
	lists := map[string]func() error{
		"users":   func() error { _, err := m.f.Users(ctx, s.by, s.team.id, portal.UserFilter{}); return err },
		"devices": func() error { _, err := m.f.Devices(ctx, s.by, s.team.id, portal.DeviceFilter{}); return err },
		"metrics": func() error { _, err := m.f.Metrics(ctx, s.by, s.team.id); return err },
		"calls": func() error {
			_, err := m.f.Calls(ctx, s.by, s.team.id, portal.CallFilter{}, audit.Page{})
			return err
		},
	}
	err := lists[rapid.SampledFrom([]string{"users", "devices", "metrics", "calls"}).Draw(rt, "list")]()
	if want := may(s.by, s.team, portal.Admin, portal.Auditor); want != "" || err != nil {
		s.settle("access.refused", err, want)
	}
}

func (m *model) compare(rt *rapid.T) {
	org, err := audittest.Fold(ctx, m.f.Log(), m.f.Org)
	if err != nil {
		rt.Fatal(err)
	}
	for _, team := range m.teams {
		got, err := audittest.Fold(ctx, m.f.Log(), team.id)
		if err != nil {
			rt.Fatal(err)
		}
		if a, b := lines(got.Events), lines(team.events); a != b {
			rt.Errorf("events of %s:\n%s\nwant\n%s", team.name, a, b)
		}
		state := map[string]int{}
		for row, f := range got.Rows {
			if line := said(row, f); line != "" {
				state[line]++
			}
		}
		row := org.Rows[audittest.Row{Type: "team", ID: team.id}]
		state[fmt.Sprintf("team %v %v", row["name"], row["plan"])]++
		if a, b := lines(state), lines(team.said()); a != b {
			rt.Errorf("the log of %s leads to\n%s\nthe model has\n%s", team.name, a, b)
		}
	}
	for email, id := range m.emails {
		if got := org.Rows[audittest.Row{Type: "account", ID: id}]["email_key"]; got != email {
			rt.Errorf("the account %s is %v in the log, want %s", id, got, email)
		}
	}
}

func lines(counts map[string]int) string {
	var all []string
	for what, n := range counts {
		all = append(all, fmt.Sprintf("%s: %d", what, n))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// said is what the log says of a row, in the words of the model.
func said(row audittest.Row, f map[string]any) string {
	switch row.Type {
	case "user":
		if f["deleted_at"] != nil {
			return fmt.Sprintf("user %s deleted", row.ID)
		}
		return fmt.Sprintf("user %s %v %v", row.ID, f["role"], f["status"])
	case "device":
		if f["deleted_at"] != nil {
			return fmt.Sprintf("device %s moved", row.ID)
		}
		user := f["user_id"]
		if user == nil {
			user = ""
		}
		return fmt.Sprintf("device %s %v %v %v", row.ID, f["hostname"], f["state"], user)
	case "call":
		return fmt.Sprintf("call %s deleted %t", row.ID, f["deleted_at"] != nil)
	case "score":
		if f["value"] != nil {
			return fmt.Sprintf("score %v %v %v", f["call_id"], f["metric"], f["value"])
		}
	case "metric":
		if f["enabled"] == 0.0 {
			return "off " + row.ID
		}
	}
	return ""
}

func (t *teamModel) said() map[string]int {
	all := map[string]int{fmt.Sprintf("team %s %s", t.name, t.plan): 1}
	for id, m := range t.members {
		switch {
		case m.deleted:
			all[fmt.Sprintf("user %s deleted", id)]++
		case m.blocked:
			all[fmt.Sprintf("user %s %s blocked", id, m.role)]++
		default:
			all[fmt.Sprintf("user %s %s active", id, m.role)]++
		}
	}
	for id, d := range t.devices {
		state := portal.DeviceStateUnassigned
		switch {
		case d.blocked:
			state = portal.DeviceStateBlocked
		case d.user != "":
			state = portal.DeviceStateAssigned
		}
		if d.moved {
			all[fmt.Sprintf("device %s moved", id)]++
		} else {
			all[fmt.Sprintf("device %s %s %s %s", id, d.hostname, state, d.user)]++
		}
	}
	for id, c := range t.calls {
		all[fmt.Sprintf("call %s deleted %t", id, c.deleted)]++
		for key, value := range c.edited {
			all[fmt.Sprintf("score %s %s %s", id, key, value)]++
		}
	}
	for key, off := range t.off {
		if off {
			all["off "+key]++
		}
	}
	return all
}
