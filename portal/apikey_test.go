package portal_test

import (
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// from is where the program with the key asks.
var from = audit.Context{IP: "198.51.100.7", UserAgent: "siem/1", Request: "req_1"}

func aKey(t *testing.T, f *portaltest.Fixture, by portal.Caller, n portal.NewAPIKey) (portal.APIKey, string) {
	t.Helper()
	if n.Name == "" {
		n.Name = "SIEM"
	}
	if n.Scope == "" {
		n.Scope = portal.ScopeRead
	}
	k, token, err := f.CreateAPIKey(ctx, by, f.Alpha, n)
	check(t, err)
	f.Passed()
	return k, token
}

// readWith opens the log with a key and reads it.
func readWith(f *portaltest.Fixture, token string) error {
	h, err := f.AuthenticateKey(ctx, from, token)
	if err != nil {
		return err
	}
	_, err = f.SearchLog(ctx, h.Caller, h.Team, audit.Filter{}, audit.Page{})
	return err
}

func keyRefused(t *testing.T, err error, says string) {
	t.Helper()
	if !portal.KeyRefused(err) || !strings.Contains(err.Error(), says) {
		t.Fatalf("the key is answered %v, not refused with %q", err, says)
	}
}

func TestAKeyReadsTheLogForItsPerson(t *testing.T) {
	f := portaltest.New(t)
	k, token, err := f.CreateAPIKey(ctx, f.Dana, f.Alpha, portal.NewAPIKey{Name: " SIEM  ", Scope: "read", Expires: f.Clock.Now().Add(time.Hour), Reason: "for the SOC"})
	check(t, err)
	f.Expect(t, `alpha api_key.created ok "SIEM": created_at →*, created_by →*, expires_at →*, name →SIEM, scope →read, token_hash →`)
	if !strings.HasPrefix(token, "ork_"+strings.TrimPrefix(f.Alpha, "team_")) || len(token) != 73 {
		t.Errorf("the token is %q", token)
	}
	h, err := f.AuthenticateKey(ctx, from, token)
	check(t, err)
	if h.Team != f.Alpha || h.Scope != portal.ScopeRead || h.Caller.Actor != (audit.Actor{Type: audit.ActorAPIKey, ID: k.ID, Name: "SIEM", For: f.Dana.ID}) || h.Caller.Via != "api" {
		t.Errorf("the holder is %+v", h)
	}
	f.Expect(t)
	check(t, readWith(f, token))
	f.Expect(t, `alpha audit_log.viewed ok`)
	check(t, readWith(f, token)) // the same filter in the same hour
	f.Expect(t)
	found := must(f.Log().Search(ctx, f.Alpha, audit.Filter{Actor: audit.Values{Any: []string{k.ID}}}, audit.Page{}))
	if len(found.Events) != 1 || *found.Events[0].Actor != h.Caller.Actor || found.Events[0].Context.IP != from.IP {
		t.Errorf("the reading is recorded as %+v", found.Events)
	}
	all := must(f.APIKeys(ctx, f.Audrey, f.Alpha))
	if len(all) != 1 || all[0].State != portal.KeyActive || all[0].Owner != (audit.Ref{Type: "user", ID: f.Dana.ID, Name: "Dana Cruz"}) || all[0].Used.IsZero() {
		t.Errorf("listed is %+v", all)
	}
}

func TestAKeyEndsAtOnce(t *testing.T) {
	f := portaltest.New(t)
	k, token := aKey(t, f, f.Dana, portal.NewAPIKey{})
	h := must(f.AuthenticateKey(ctx, from, token))
	must(f.RevokeAPIKey(ctx, f.Adam, f.Alpha, k.ID, "leaked"))
	f.Expect(t, `alpha api_key.revoked ok "SIEM": revoked_at →*`)
	// Also for what is under way already.
	_, err := f.SearchLog(ctx, h.Caller, f.Alpha, audit.Filter{}, audit.Page{})
	keyRefused(t, err, "was revoked on 2026-03-01 09:00 UTC")
	f.Expect(t, `alpha audit_log.viewed denied: refusal=*`)
	for range 3 { // one event an hour
		keyRefused(t, readWith(f, token), "was revoked")
	}
	f.Expect(t, `alpha access.refused denied "SIEM": refusal=*`)
	f.Clock.Advance(time.Hour)
	keyRefused(t, readWith(f, token), "was revoked")
	f.Expect(t, `alpha access.refused denied "SIEM": refusal=*`)
	_, err = f.RevokeAPIKey(ctx, f.Dana, f.Alpha, k.ID, "")
	refused(t, err, audit.CodeGone)

	_, token = aKey(t, f, f.Dana, portal.NewAPIKey{Expires: f.Clock.Now().Add(time.Minute)}) // the name is free again
	check(t, readWith(f, token))
	f.Clock.Advance(time.Minute)
	f.Passed()
	keyRefused(t, readWith(f, token), "expired on")
	f.Expect(t, `alpha access.refused denied "SIEM": refusal=*`)
}

func TestAKeyGoesWithItsPerson(t *testing.T) {
	f := portaltest.New(t)
	_, token := aKey(t, f, f.Adam, portal.NewAPIKey{})
	state := func(want portal.KeyState) {
		t.Helper()
		if all := must(f.APIKeys(ctx, f.Dana, f.Alpha)); all[0].State != want {
			t.Errorf("the key is %s, not %s", all[0].State, want)
		}
	}
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	keyRefused(t, readWith(f, token), "is blocked")
	state(portal.KeyPaused)
	must(f.UnblockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	check(t, readWith(f, token))
	must(f.ChangeRole(ctx, f.Dana, f.Alpha, f.Adam.ID, portal.Auditor, "", ""))
	check(t, readWith(f, token))
	must(f.ChangeRole(ctx, f.Dana, f.Alpha, f.Adam.ID, portal.Agent, "", ""))
	keyRefused(t, readWith(f, token), "is an Agent now")
	state(portal.KeyPaused)
	f.Passed()
	must(f.DeleteUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	f.Expect(t, `alpha user.deleted ok "Adam Ames": deleted_at →*`, `alpha api_key.revoked ok "SIEM": revoked_at →*`)
	f.Add(t, f.Dana, f.Alpha, "adam@example.com", "", portal.Admin)
	keyRefused(t, readWith(f, token), "was revoked") // for good
	state(portal.KeyRevoked)
}

func TestWhatAKeyMayDo(t *testing.T) {
	f := portaltest.New(t)
	_, reads := aKey(t, f, f.Dana, portal.NewAPIKey{Name: "reads"})
	_, writes := aKey(t, f, f.Adam, portal.NewAPIKey{Name: "writes", Scope: portal.ScopeWrite})
	holder := func(token string) portal.Caller { return must(f.AuthenticateKey(ctx, from, token)).Caller }
	add := func(by portal.Caller, team string) error {
		_, err := f.Portal.AddDevice(ctx, by, team, "desk-"+by.Name, "")
		return err
	}
	refused(t, add(holder(reads), f.Alpha), audit.CodeDenied)
	f.Expect(t, `alpha device.added denied: refusal=*`)
	check(t, add(holder(writes), f.Alpha))
	refused(t, add(holder(writes), f.Beta), audit.CodeNotFound) // another team is not there
	f.Passed()
	must(f.ChangeRole(ctx, f.Dana, f.Alpha, f.Adam.ID, portal.Auditor, "", ""))
	refused(t, add(holder(writes), f.Alpha), audit.CodeDenied)
	must(f.ChangeRole(ctx, f.Dana, f.Alpha, f.Adam.ID, portal.Admin, "", ""))
	f.Passed()
	_, _, err := f.CreateAPIKey(ctx, holder(writes), f.Alpha, portal.NewAPIKey{Name: "more", Scope: "read"})
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `alpha api_key.created denied: refusal=*`)
	_, err = f.SearchLog(ctx, holder(reads), f.Org, audit.Filter{}, audit.Page{})
	refused(t, err, audit.CodeNotFound)
	must(f.ChangePlan(ctx, f.Operator, f.Alpha, portal.PlanCore, ""))
	err = readWith(f, reads)
	refused(t, err, audit.CodeDenied, "plan")
}

func TestWhoMakesAndSeesKeys(t *testing.T) {
	f := portaltest.New(t)
	for _, c := range []struct {
		by    portal.Caller
		n     portal.NewAPIKey
		code  audit.Code
		field string
	}{
		{f.Audrey, portal.NewAPIKey{Name: "k", Scope: "read"}, audit.CodeDenied, ""},
		{f.Agnes, portal.NewAPIKey{Name: "k", Scope: "read"}, audit.CodeDenied, ""},
		{f.Bea, portal.NewAPIKey{Name: "k", Scope: "read"}, audit.CodeNotFound, ""},
		{f.Dana, portal.NewAPIKey{Name: " ", Scope: "read"}, audit.CodeInvalid, "name"},
		{f.Dana, portal.NewAPIKey{Name: "k", Scope: "all"}, audit.CodeInvalid, "scope"},
		{f.Dana, portal.NewAPIKey{Name: "k", Scope: "read", Expires: f.Clock.Now()}, audit.CodeInvalid, "expires"},
		{f.Dana, portal.NewAPIKey{Name: "k", Scope: "read", Reason: strings.Repeat("x", 501)}, audit.CodeInvalid, "reason"},
		{f.Dana, portal.NewAPIKey{Name: "k", Scope: "read", For: f.Adam.ID}, audit.CodeDenied, ""},
		{f.Operator, portal.NewAPIKey{Name: "k", Scope: "read", For: f.Agnes.ID}, audit.CodeConflict, ""},
		{f.Operator, portal.NewAPIKey{Name: "k", Scope: "read", For: f.Bea.ID}, audit.CodeNotFound, ""},
	} {
		_, token, err := f.CreateAPIKey(ctx, c.by, f.Alpha, c.n)
		refused(t, err, c.code, c.field)
		if token != "" {
			t.Error("a refusal gives a token")
		}
	}
	k, _ := aKey(t, f, f.Dana, portal.NewAPIKey{Name: "One"})
	_, _, err := f.CreateAPIKey(ctx, f.Adam, f.Alpha, portal.NewAPIKey{Name: "one", Scope: "read"})
	refused(t, err, audit.CodeConflict)
	f.Passed()
	_, err = f.APIKeys(ctx, f.Agnes, f.Alpha)
	refused(t, err, audit.CodeDenied)
	_, err = f.APIKey(ctx, f.Bea, f.Beta, k.ID)
	refused(t, err, audit.CodeNotFound)
	_, err = f.RevokeAPIKey(ctx, f.Bea, f.Beta, k.ID, "")
	refused(t, err, audit.CodeNotFound)
	f.Expect(t, `alpha access.refused denied: page=api keys, refusal=*`, `beta access.refused denied "": page=api keys, refusal=*`, `beta api_key.revoked denied "": refusal=*`)
	if got := must(f.APIKey(ctx, f.Audrey, f.Alpha, k.ID)); got.Name != "One" {
		t.Errorf("shown is %+v", got)
	}
}

func TestAnOperatorsKey(t *testing.T) {
	f := portaltest.New(t)
	olga := must(f.Portal.Operator(ctx, "olga@console"))
	own, token := aKey(t, f, olga, portal.NewAPIKey{Name: "own"})
	check(t, readWith(f, token))
	lent, token := aKey(t, f, olga, portal.NewAPIKey{Name: "lent", For: f.Adam.ID})
	check(t, readWith(f, token))
	if own.Owner.ID != olga.ID || lent.Owner.ID != f.Adam.ID {
		t.Errorf("they are answered for by %+v and %+v", own.Owner, lent.Owner)
	}
	all := must(f.APIKeys(ctx, f.Dana, f.Alpha))
	if all[0].Owner.Name != "Adam Ames" || all[1].Owner != (audit.Ref{Type: "operator", ID: olga.ID, Name: "olga@console"}) {
		t.Errorf("listed is %+v", all)
	}
}

func TestUnknownKeys(t *testing.T) {
	f := portaltest.New(t)
	_, token := aKey(t, f, f.Dana, portal.NewAPIKey{})
	for _, unknown := range []string{"", "nonsense", token[:72] + "!", strings.ToUpper(token), token + "A", "ork_" + strings.TrimPrefix(f.Beta, "team_") + token[30:]} {
		f.Clock.Advance(time.Hour) // refusals of the same minute are merged, failures are forgotten
		_, err := f.AuthenticateKey(ctx, from, unknown)
		keyRefused(t, err, "not known")
		f.Expect(t, `org access.refused denied: refusal=*`)
	}
	f.Clock.Advance(24 * time.Hour)
	slow := 0
	for range 50 {
		_, err := f.AuthenticateKey(ctx, from, "ork_guess")
		if audit.CodeOf(err) == audit.CodeTooMany {
			slow++
		}
	}
	if recorded := len(f.Passed()); recorded > 10 || slow != 50-recorded {
		t.Errorf("%d of 50 unknown keys are recorded and %d slowed down", recorded, slow)
	}
	check(t, readWith(f, token)) // who has a key is not kept waiting
}
