package portal_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestAddUsers(t *testing.T) {
	f := portaltest.New(t)
	done := must(f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{
		{Email: "Nina@Example.com", Name: "Nina Noor"}, {Email: "nina@example.COM"}, {Email: "nobody"}, {Email: "AGNES@example.com"}, {Email: "olaf@example.com"},
	}, portal.Auditor, "the new office"))
	if len(done.Added) != 2 || len(done.Skipped) != 3 {
		t.Fatalf("added %+v", done)
	}
	for i, why := range []string{"twice", "no @", "Already a member"} {
		if !strings.Contains(done.Skipped[i].Why, why) {
			t.Errorf("%s was skipped because %q", done.Skipped[i].Email, done.Skipped[i].Why)
		}
	}
	for _, a := range done.Added {
		if a.Link == nil || a.Link.Token == "" || a.Link.Expires.Sub(a.Added).Round(time.Minute) != 7*24*time.Hour || a.Event != a.Version {
			t.Errorf("%s: %+v, link %+v", a.Email, a.Member, a.Link)
		}
	}
	f.Expect(t,
		`alpha user.created ok "Nina@Example.com": added_at →*, role →auditor, status →active`,
		`org account.created ok "Nina Noor": email →Nina@Example.com, email_key →nina@example.com, name →Nina Noor`,
		`alpha user.link_created ok "Nina Noor"`,
		`alpha user.created ok "olaf@example.com": added_at →*, role →auditor, status →active`,
		`org account.created ok "olaf@example.com": email →olaf@example.com, email_key →olaf@example.com, name →`,
		`alpha user.link_created ok "olaf@example.com"`,
	)

	// An Agent needs no link; a person who was there before keeps their account.
	agent := must(f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{{Email: "bea@example.com"}}, portal.Agent, "")).Added[0]
	if agent.ID != f.Bea.ID || agent.Link != nil || agent.Name != "Bea Brown" {
		t.Errorf("Bea in Alpha is %+v", agent)
	}
	f.Expect(t, `alpha user.created ok "bea@example.com": added_at →*, role →agent, status →active`)

	_, err := f.AddUsers(ctx, f.Dana, f.Alpha, nil, portal.Agent, "")
	refused(t, err, audit.CodeInvalid, "emails")
	_, err = f.AddUsers(ctx, f.Dana, f.Alpha, make([]portal.NewUser, 1001), portal.Agent, "")
	refused(t, err, audit.CodeInvalid, "emails")
	_, err = f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{{Email: "x@example.com"}}, "boss", "")
	refused(t, err, audit.CodeInvalid, "role")
	_, err = f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{{Email: "x@example.com"}}, portal.Agent, strings.Repeat("x", 501))
	refused(t, err, audit.CodeInvalid, "reason")
	f.Expect(t)
	_, err = f.AddUsers(ctx, f.Audrey, f.Alpha, []portal.NewUser{{Email: "x@example.com"}, {Email: "y@example.com"}}, portal.Agent, "")
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `alpha user.created denied: refusal=*`)
}

func TestAddAgain(t *testing.T) {
	f := portaltest.New(t)
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", ""))
	f.Expect(t, `alpha user.deleted ok "Agnes Ash": deleted_at →*`)
	again := must(f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{{Email: "Agnes@example.com"}}, portal.Auditor, "")).Added
	if len(again) != 1 || again[0].ID != f.Agnes.ID || !again[0].Deleted.IsZero() || again[0].Link == nil {
		t.Fatalf("Agnes came back as %+v", again)
	}
	f.Expect(t,
		`alpha user.created ok "agnes@example.com": added_at *→*, deleted_at *→, role agent→auditor`,
		`alpha user.link_created ok "Agnes Ash"`,
	)
}

// A link sets the password that opens every team of a person, so an Admin of
// one team must not get one for somebody in another.
func TestLinkForMemberElsewhere(t *testing.T) {
	f := portaltest.New(t)
	added := must(f.AddUsers(ctx, f.Dana, f.Alpha, []portal.NewUser{{Email: "bea@example.com"}}, portal.Admin, "")).Added[0]
	if added.Link != nil || added.NoLink == "" {
		t.Errorf("Dana got a link that opens Beta: %+v", added)
	}
	f.Expect(t, `alpha user.created ok "bea@example.com": added_at →*, role →admin, status →active`)
	_, err := f.NewLink(ctx, f.Dana, f.Alpha, f.Bea.ID, "")
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `alpha user.link_created denied "Bea Brown": refusal=*`)
	if _, err := f.NewLink(ctx, f.Bo, f.Alpha, f.Bea.ID, ""); err != nil {
		t.Errorf("Bo is an Admin of both teams: %v", err)
	}
	f.Expect(t, `alpha user.link_created ok "Bea Brown"`)
}

func TestChangeUser(t *testing.T) {
	f := portaltest.New(t)
	agnes := must(f.User(ctx, f.Dana, f.Alpha, f.Agnes.ID))
	event := must(f.ChangeRole(ctx, f.Dana, f.Alpha, f.Agnes.ID, "Auditor", agnes.Version, "covers for Audrey"))
	if now := must(f.User(ctx, f.Dana, f.Alpha, f.Agnes.ID)); now.Role != portal.Auditor || now.Version != event {
		t.Errorf("Agnes is %+v", now)
	}
	if e := must(f.Log().Event(ctx, f.Alpha, event)); e.Reason != "covers for Audrey" || e.Actor.ID != f.Dana.ID || e.Context.IP != f.Dana.IP {
		t.Errorf("the event is %+v", e)
	}
	_, err := f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, agnes.Version, "")
	refused(t, err, audit.CodeConflict)
	_, err = f.ChangeRole(ctx, f.Dana, f.Alpha, f.Agnes.ID, portal.Auditor, "", "")
	refused(t, err, audit.CodeInvalid, "role")
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, event, ""))
	_, err = f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", "")
	refused(t, err, audit.CodeConflict)
	_, err = f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, "")
	refused(t, err, audit.CodeConflict)
	must(f.UnblockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", ""))
	_, err = f.UnblockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", "")
	refused(t, err, audit.CodeConflict)
	f.Expect(t,
		`alpha user.role_changed ok "Agnes Ash": role agent→auditor`,
		`alpha user.blocked failed conflict "Agnes Ash": refusal=*`,
		`alpha user.blocked ok "Agnes Ash": status active→blocked`,
		`alpha user.blocked failed conflict "Agnes Ash": refusal=*`,
		`alpha user.link_created failed conflict "Agnes Ash": refusal=*`,
		`alpha user.unblocked ok "Agnes Ash": status blocked→active`,
		`alpha user.unblocked failed conflict "Agnes Ash": refusal=*`,
	)
}

func TestDeleteUser(t *testing.T) {
	f := portaltest.New(t)
	d := f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	b := f.AddDevice(t, f.Dana, f.Alpha, "desk-2")
	for _, id := range []string{d.ID, b.ID} {
		must(f.AssignDevice(ctx, f.Dana, f.Alpha, id, f.Agnes.ID, "", ""))
	}
	must(f.BlockDevice(ctx, f.Dana, f.Alpha, b.ID, "", ""))
	f.Passed()
	event := must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", "left"))
	f.Expect(t,
		`alpha user.deleted ok "Agnes Ash": deleted_at →*`,
		`alpha device.unassigned ok "desk-1": state assigned→unassigned, user_id *→`,
		`alpha device.unassigned ok "desk-2": user_id *→`,
	)
	page := must(f.User(ctx, f.Audrey, f.Alpha, f.Agnes.ID))
	if page.Deleted.IsZero() || page.Deletion == nil || page.Deletion.By.ID != f.Dana.ID || page.Deletion.Reason != "left" || page.Deletion.Event != event || len(page.Devices) != 0 {
		t.Errorf("the tombstone is %+v", page)
	}
	_, err := f.DeleteUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", "")
	refused(t, err, audit.CodeGone)
	_, err = f.ChangeRole(ctx, f.Dana, f.Alpha, f.Agnes.ID, portal.Admin, "", "")
	refused(t, err, audit.CodeGone)
	f.Expect(t,
		`alpha user.deleted failed conflict "Agnes Ash": refusal=*`,
		`alpha user.role_changed failed conflict "Agnes Ash": refusal=*`,
	)
	if list := must(f.Users(ctx, f.Dana, f.Alpha, portal.UserFilter{Text: "agnes"})); list.Total != 0 {
		t.Errorf("the list still has %+v", list.Users)
	}
}

func TestLastAdmin(t *testing.T) {
	f := portaltest.New(t)
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""))
	f.Passed()
	for _, by := range []portal.Caller{f.Dana, f.Operator} {
		for name, change := range map[string]func() (string, error){
			"demote": func() (string, error) { return f.ChangeRole(ctx, by, f.Alpha, f.Dana.ID, portal.Agent, "", "") },
			"block":  func() (string, error) { return f.BlockUser(ctx, by, f.Alpha, f.Dana.ID, "", "") },
			"delete": func() (string, error) { return f.DeleteUser(ctx, by, f.Alpha, f.Dana.ID, "", "") },
		} {
			if _, err := change(); audit.CodeOf(err) != audit.CodeConflict {
				t.Errorf("%s: the error is %v", name, err)
			}
		}
	}
	f.Passed()
	must(f.UnblockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Dana.ID, "", "goes herself"))
	f.Expect(t,
		`alpha user.unblocked ok "Adam Ames": status blocked→active`,
		`alpha user.deleted ok "Dana Cruz": deleted_at →*`,
	)
}

// Two Admins demote each other at the same instant: one wins, and the team
// never is without an Admin.
func TestAdminsDemoteEachOther(t *testing.T) {
	f := portaltest.New(t)
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""))
	for round := range 20 {
		f.Passed()
		errs := make([]error, 2)
		var wait sync.WaitGroup
		start := make(chan struct{})
		for i, pair := range [][2]portal.Caller{{f.Dana, f.Adam}, {f.Adam, f.Dana}} {
			wait.Go(func() {
				<-start
				_, errs[i] = f.ChangeRole(ctx, pair[0], f.Alpha, pair[1].ID, portal.Agent, "", "")
			})
		}
		close(start)
		wait.Wait()
		won, lost := f.Dana, f.Adam
		if errs[0] != nil {
			won, lost = lost, won
			errs[0], errs[1] = errs[1], errs[0]
		}
		check(t, errs[0])
		refused(t, errs[1], audit.CodeDenied)
		admins := must(f.Users(ctx, won, f.Alpha, portal.UserFilter{Role: portal.Admin}))
		if admins.Total != 1 || admins.Users[0].ID != won.ID {
			t.Fatalf("round %d: the Admins are %+v", round, admins.Users)
		}
		must(f.ChangeRole(ctx, won, f.Alpha, lost.ID, portal.Admin, "", ""))
	}
}

func TestUsers(t *testing.T) {
	f := portaltest.New(t)
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", ""))
	f.SignedIn(t, f.Alpha, f.Audrey)
	f.Add(t, f.Dana, f.Alpha, "zoe@example.com", "Ázé ÇELIK", portal.Agent)
	f.Passed()
	names := func(filter portal.UserFilter) string {
		t.Helper()
		var all []string
		for _, m := range must(f.Users(ctx, f.Audrey, f.Alpha, filter)).Users {
			name, _, _ := strings.Cut(m.Label(), " ")
			all = append(all, name)
		}
		return strings.Join(all, " ")
	}
	for want, filter := range map[string]portal.UserFilter{
		"Adam Agnes Audrey Bo Dana Ázé": {},
		"Ázé Dana Bo Audrey Agnes Adam": {Desc: true},
		"Adam Bo Dana Audrey Agnes Ázé": {Sort: "role"},
		"Agnes Ázé":                     {Role: portal.Agent},
		"Agnes":                         {State: portal.StateBlocked},
		"Audrey":                        {State: portal.StateActive},
		"Adam Bo Dana Ázé":              {State: portal.StateInvited},
		"Ázé":                           {Text: "çel"},
		"Dana":                          {Text: "CRUZ dana@"},
		"":                              {Text: "cruz bo"},
		"Agnes Audrey":                  {Offset: 1, Limit: 2},
		"Audrey Adam Agnes Bo Dana Ázé": {Sort: "seen", Desc: true},
	} {
		if got := names(filter); got != want {
			t.Errorf("%+v gives %q, not %q", filter, got, want)
		}
	}
	list := must(f.Users(ctx, f.Dana, f.Alpha, portal.UserFilter{Role: portal.Agent, Limit: 1}))
	if list.Total != 2 || list.States["blocked"] != 1 || list.States["invited"] != 1 || list.Roles[portal.Admin] != 3 || len(list.Users) != 1 {
		t.Errorf("the counts are %+v", list)
	}
	for field, bad := range map[string]portal.UserFilter{"sort": {Sort: "email"}, "state": {State: "gone"}, "role": {Role: "boss"}, "limit": {Limit: 1001}, "offset": {Offset: -1}} {
		_, err := f.Users(ctx, f.Dana, f.Alpha, bad)
		refused(t, err, audit.CodeInvalid, field)
	}
	f.Expect(t)
}
