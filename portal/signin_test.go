package portal_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

var elsewhere = portaltest.From("198.51.100.9")

func TestSignIn(t *testing.T) {
	f := portaltest.New(t)
	f.SignedIn(t, f.Alpha, f.Bo)
	f.Passed()
	in := must(f.SignIn(ctx, elsewhere, " BO@Example.com ", portaltest.Password))
	f.Expect(t, `alpha session.signed_in ok "Bo Both"`, `beta session.signed_in ok "Bo Both"`)
	if in.Caller.ID != f.Bo.ID || in.Caller.Session == "" || in.Caller.IP != elsewhere.IP || len(in.Memberships) != 2 {
		t.Errorf("signed in as %+v", in)
	}
	from := audit.Context{IP: "192.0.2.1", Request: "req_1", Via: "web"}
	again := must(f.Authenticate(ctx, from, in.Token))
	if again.Caller.Actor != in.Caller.Actor || again.Caller.Session != in.Caller.Session || again.Caller.IP != from.IP || again.Token != "" {
		t.Errorf("the token is %+v", again.Caller)
	}
	if m, ok := again.Membership(f.Beta); !ok || m.Role != portal.Admin || m.TeamName != "Beta" || m.Status != portal.Active {
		t.Errorf("in Beta: %+v", m)
	}
	check(t, f.SignOut(ctx, again.Caller))
	check(t, f.SignOut(ctx, again.Caller)) // twice is not an event
	f.Expect(t, `alpha session.signed_out ok "Bo Both"`, `beta session.signed_out ok "Bo Both"`)
	for _, token := range []string{in.Token, "", "nonsense"} {
		if _, err := f.Authenticate(ctx, from, token); !portal.SignedOut(err) {
			t.Errorf("the token %q: %v", token, err)
		}
	}
}

func TestSignInFails(t *testing.T) {
	f := portaltest.New(t)
	f.SignedIn(t, f.Alpha, f.Bo)
	f.Passed()
	const typed = "oops-My-Secret-Passw0rd"
	for _, try := range []struct{ email, password string }{
		{"bo@example.com", typed}, {typed, "x"}, {typed + "@example.com", "x"}, {"dana@example.com", typed},
	} {
		_, err := f.SignIn(ctx, elsewhere, try.email, try.password)
		refused(t, err, audit.CodeDenied)
		if err.Error() != "The mail address or the password is not right." {
			t.Errorf("%s: the answer tells more: %v", try.email, err)
		}
	}
	f.Expect(t,
		`alpha session.sign_in_failed denied "Bo Both": refusal=*`,
		`beta session.sign_in_failed denied "Bo Both": refusal=*`,
		`org session.sign_in_failed denied: refusal=*`,
		`org session.sign_in_failed denied: refusal=*`,
		`alpha session.sign_in_failed denied "Dana Cruz": refusal=*`,
	)
	for _, text := range []string{typed, "oops", "my-secret", "passw0rd"} {
		if holds(t, f, text) {
			t.Errorf("what was typed stands in the database: %s", text)
		}
	}
	if !holds(t, f, "Dana Cruz") {
		t.Error("the search in the files finds nothing at all")
	}
}

func TestSignInSlowsDown(t *testing.T) {
	f := portaltest.New(t)
	f.SignedIn(t, f.Alpha, f.Dana)
	f.Passed()
	var err error
	for range 5 {
		_, err = f.SignIn(ctx, elsewhere, "dana@example.com", "wrong")
		refused(t, err, audit.CodeDenied)
	}
	f.Passed()
	_, err = f.SignIn(ctx, elsewhere, "DANA@example.com", portaltest.Password)
	refused(t, err, audit.CodeTooMany)
	if wait, ok := errors.AsType[portal.RetryAfter](err); !ok || wait <= 0 {
		t.Errorf("the error does not say how long: %v", err)
	}
	f.Expect(t)
	f.Clock.Advance(5 * time.Second)
	must(f.SignIn(ctx, elsewhere, "DANA@example.com", portaltest.Password))
	f.Expect(t, `alpha session.signed_in ok "Dana Cruz"`)
}

func TestBlockedSignIn(t *testing.T) {
	f := portaltest.New(t)
	in := f.SignedIn(t, f.Alpha, f.Bo)
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""))
	f.Passed()
	if _, err := f.Authenticate(ctx, audit.Context{}, in.Token); !portal.SignedOut(err) {
		t.Errorf("the session still stands: %v", err)
	}
	in = must(f.SignIn(ctx, elsewhere, "bo@example.com", portaltest.Password)) // still an Admin of Beta
	if m, _ := in.Membership(f.Alpha); m.Status != portal.Blocked {
		t.Errorf("in Alpha Bo is %+v", m)
	}
	_, err := f.Users(ctx, in.Caller, f.Alpha, portal.UserFilter{})
	refused(t, err, audit.CodeDenied)
	must(f.Users(ctx, in.Caller, f.Beta, portal.UserFilter{}))
	f.Expect(t,
		`alpha session.signed_in ok "Bo Both"`, `beta session.signed_in ok "Bo Both"`,
		`alpha access.refused denied: page=users, refusal=*`,
	)
	must(f.BlockUser(ctx, f.Bea, f.Beta, f.Bo.ID, "", ""))
	f.Passed()
	_, err = f.SignIn(ctx, elsewhere, "bo@example.com", portaltest.Password)
	refused(t, err, audit.CodeDenied)
	_, err = f.SignIn(ctx, elsewhere, "bo@example.com", "wrong")
	refused(t, err, audit.CodeDenied)
	f.Expect(t,
		`alpha session.sign_in_failed denied "Bo Both": refusal=*`, `beta session.sign_in_failed denied "Bo Both": refusal=*`,
		`alpha session.sign_in_failed denied "Bo Both": refusal=*`, `beta session.sign_in_failed denied "Bo Both": refusal=*`,
	)
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""))
	must(f.DeleteUser(ctx, f.Bea, f.Beta, f.Bo.ID, "", ""))
	f.Passed()
	_, err = f.SignIn(ctx, elsewhere, "bo@example.com", portaltest.Password)
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `org session.sign_in_failed denied "Bo Both": refusal=*`)
}

// Block, delete, a new role and a new password end sessions in the same
// transaction.
func TestSessionsEndAtOnce(t *testing.T) {
	for name, end := range map[string]func(*portaltest.Fixture) error{
		"block": func(f *portaltest.Fixture) error {
			_, err := f.BlockUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", "")
			return err
		},
		"delete": func(f *portaltest.Fixture) error {
			_, err := f.DeleteUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", "")
			return err
		},
		"role": func(f *portaltest.Fixture) error {
			_, err := f.ChangeRole(ctx, f.Dana, f.Alpha, f.Bo.ID, portal.Auditor, "", "")
			return err
		},
		"link": func(f *portaltest.Fixture) error {
			link, err := f.NewLink(ctx, f.Operator, f.Alpha, f.Bo.ID, "")
			if err == nil {
				_, err = f.UseLink(ctx, elsewhere, link.Token, "", "violet harbour 62 pretzel cactus")
			}
			return err
		},
	} {
		f := portaltest.New(t)
		one := f.SignedIn(t, f.Alpha, f.Bo)
		two := must(f.SignIn(ctx, elsewhere, "bo@example.com", portaltest.Password))
		if err := end(f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, in := range []portal.SignedIn{one, two} {
			if _, err := f.Authenticate(ctx, audit.Context{}, in.Token); !portal.SignedOut(err) {
				t.Errorf("%s leaves a session: %v", name, err)
			}
		}
	}
}

func TestSessionExpires(t *testing.T) {
	f := portaltest.New(t)
	in := f.SignedIn(t, f.Alpha, f.Dana)
	for range 15 { // used every 11 hours it lasts for seven days
		f.Clock.Advance(11 * time.Hour)
		must(f.Authenticate(ctx, audit.Context{}, in.Token))
	}
	f.Clock.Advance(4 * time.Hour)
	if _, err := f.Authenticate(ctx, audit.Context{}, in.Token); !portal.SignedOut(err) {
		t.Errorf("after seven days: %v", err)
	}
	in = must(f.SignIn(ctx, elsewhere, "dana@example.com", portaltest.Password))
	f.Clock.Advance(12*time.Hour + time.Minute)
	if _, err := f.Authenticate(ctx, audit.Context{}, in.Token); !portal.SignedOut(err) {
		t.Errorf("after 12 idle hours: %v", err)
	}
	in = must(f.SignIn(ctx, elsewhere, "dana@example.com", portaltest.Password))
	if me := must(f.Account(ctx, in.Caller)); len(me.Sessions) != 1 || !me.Sessions[0].Current {
		t.Errorf("old sessions are listed: %+v", me.Sessions)
	}
}

func TestLink(t *testing.T) {
	f := portaltest.New(t)
	old := must(f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, "asked on the phone"))
	link := must(f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, ""))
	f.Expect(t, `alpha user.link_created ok "Agnes Ash"`, `alpha user.link_created ok "Agnes Ash"`)
	page := must(f.Link(ctx, elsewhere, link.Token))
	if page.Email != "agnes@example.com" || page.Team != "Alpha" || page.Name != "Agnes Ash" || !page.Expires.Equal(link.Expires) {
		t.Errorf("the link shows %+v", page)
	}
	must(f.Link(ctx, elsewhere, link.Token)) // looking does not use it up
	_, err := f.Link(ctx, elsewhere, old.Token)
	refused(t, err, audit.CodeNotFound) // the newer one took its place
	_, err = f.UseLink(ctx, elsewhere, link.Token, "Agnes", "short")
	refused(t, err, audit.CodeInvalid, "password")
	_, err = f.UseLink(ctx, elsewhere, link.Token, "a\x00", portaltest.Password)
	refused(t, err, audit.CodeInvalid, "name")
	f.Expect(t, `org account.password_set denied: refusal=*`)

	in := must(f.UseLink(ctx, elsewhere, link.Token, "Agnes Ashworth", portaltest.Password))
	f.Expect(t,
		`org account.password_set ok "Agnes Ashworth": name Agnes Ash→Agnes Ashworth, password_hash →, password_set_at →*`,
		`alpha account.password_set ok "Agnes Ashworth"`,
		`alpha session.signed_in ok "Agnes Ashworth"`,
	)
	must(f.Authenticate(ctx, audit.Context{}, in.Token))
	_, err = f.UseLink(ctx, elsewhere, link.Token, "", portaltest.Password)
	refused(t, err, audit.CodeGone)
	f.Expect(t, `alpha account.password_set failed conflict "Agnes Ashworth": refusal=*`)

	late := must(f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, ""))
	f.Passed()
	f.Clock.Advance(7*24*time.Hour + time.Second)
	_, err = f.UseLink(ctx, elsewhere, late.Token, "", portaltest.Password)
	refused(t, err, audit.CodeGone)
	f.Expect(t, `alpha account.password_set failed conflict "Agnes Ashworth": refusal=*`)
	if holds(t, f, link.Token) || holds(t, f, late.Token) {
		t.Error("a link's token stands in the database")
	}
}

func TestLinkOfBlocked(t *testing.T) {
	f := portaltest.New(t)
	link := must(f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, ""))
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", ""))
	f.Passed()
	_, err := f.UseLink(ctx, elsewhere, link.Token, "", portaltest.Password)
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `org account.password_set denied "Agnes Ash": refusal=*`)
}

// Of several who use one link at the same instant one gets in.
func TestLinkUsedAtOnce(t *testing.T) {
	f := portaltest.New(t)
	link := must(f.NewLink(ctx, f.Dana, f.Alpha, f.Agnes.ID, ""))
	var mu sync.Mutex
	won := 0
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			_, err := f.UseLink(ctx, elsewhere, link.Token, "", portaltest.Password)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if code := audit.CodeOf(err); code != audit.CodeGone {
				t.Errorf("a loser is told %q: %v", code, err)
			}
		})
	}
	wait.Wait()
	if won != 1 {
		t.Errorf("%d used the link", won)
	}
}

func TestAccount(t *testing.T) {
	f := portaltest.New(t)
	in := f.SignedIn(t, f.Alpha, f.Bo)
	other := must(f.SignIn(ctx, elsewhere, "bo@example.com", portaltest.Password))
	f.SignedIn(t, f.Alpha, f.Dana)
	third := must(f.SignIn(ctx, portaltest.From("192.0.2.7"), "bo@example.com", portaltest.Password))
	f.Passed()
	me := must(f.Account(ctx, in.Caller))
	if len(me.Sessions) != 3 || len(me.Memberships) != 2 || me.PasswordSet.IsZero() {
		t.Errorf("the account is %+v", me)
	}
	for _, s := range me.Sessions {
		if s.Current != (s.ID == in.Caller.Session) || s.ID == other.Caller.Session && s.IP != elsewhere.IP {
			t.Errorf("the session is %+v", s)
		}
	}
	check(t, f.EndSession(ctx, in.Caller, other.Caller.Session))
	refused(t, f.EndSession(ctx, in.Caller, other.Caller.Session), audit.CodeNotFound)
	check(t, f.EndOtherSessions(ctx, in.Caller))
	check(t, f.EndOtherSessions(ctx, in.Caller)) // there is none
	f.Expect(t,
		`alpha session.ended ok "Bo Both": ended=ses_*`, `beta session.ended ok "Bo Both": ended=ses_*`,
		`alpha session.ended denied "Bo Both": ended=ses_*, refusal=*`,
		`alpha session.ended ok "Bo Both": ended=all others`, `beta session.ended ok "Bo Both": ended=all others`,
	)
	for _, ended := range []portal.SignedIn{other, third} {
		if _, err := f.Authenticate(ctx, audit.Context{}, ended.Token); !portal.SignedOut(err) {
			t.Errorf("an ended session: %v", err)
		}
	}
	check(t, f.Rename(ctx, in.Caller, "Bo  Bothwell"))
	refused(t, f.Rename(ctx, in.Caller, "Bo Bothwell"), audit.CodeInvalid, "name")
	refused(t, f.Rename(ctx, in.Caller, " "), audit.CodeInvalid, "name")
	f.Expect(t,
		`org account.renamed ok "Bo Bothwell": from=Bo Both, name Bo Both→Bo Bothwell, to=Bo Bothwell`,
		`alpha account.renamed ok "Bo Bothwell": from=Bo Both, to=Bo Bothwell`,
		`beta account.renamed ok "Bo Bothwell": from=Bo Both, to=Bo Bothwell`,
	)
	if _, err := f.Account(ctx, elsewhere); !portal.SignedOut(err) {
		t.Errorf("nobody's account: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	f := portaltest.New(t)
	in := f.SignedIn(t, f.Alpha, f.Dana)
	other := must(f.SignIn(ctx, elsewhere, "dana@example.com", portaltest.Password))
	f.Passed()
	const next = "violet harbour 62 pretzel cactus"
	refused(t, f.ChangePassword(ctx, in.Caller, "wrong", next), audit.CodeDenied, "current")
	refused(t, f.ChangePassword(ctx, in.Caller, portaltest.Password, "dana dana dana dana"), audit.CodeInvalid, "password")
	check(t, f.ChangePassword(ctx, in.Caller, portaltest.Password, next))
	f.Expect(t,
		`org account.password_changed denied "Dana Cruz": refusal=*`,
		`alpha account.password_changed denied "Dana Cruz": refusal=*`,
		`org account.password_changed ok "Dana Cruz": password_hash →, password_set_at *→*`,
		`alpha account.password_changed ok "Dana Cruz"`,
	)
	must(f.Authenticate(ctx, audit.Context{}, in.Token))
	if _, err := f.Authenticate(ctx, audit.Context{}, other.Token); !portal.SignedOut(err) {
		t.Errorf("the other session still stands: %v", err)
	}
	_, err := f.SignIn(ctx, elsewhere, "dana@example.com", portaltest.Password)
	refused(t, err, audit.CodeDenied)
	must(f.SignIn(ctx, elsewhere, "dana@example.com", next))
	if holds(t, f, next) || holds(t, f, portaltest.Password) {
		t.Error("a password stands in the database")
	}
}
