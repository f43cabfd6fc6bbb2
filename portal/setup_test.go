package portal_test

import (
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestSetup(t *testing.T) {
	f := portaltest.Empty(t)
	first := f.Setup(t, portal.NewTeam{Organization: "Acme", Team: " Alpha  Team ", Email: "Dana@Example.com", AdminName: "Dana Cruz", Password: portaltest.Password})
	f.Alpha = first.Team
	if !first.PasswordSet || first.Admin.Role != portal.Admin || first.Admin.Invited {
		t.Errorf("the first Admin is %+v", first)
	}
	f.Expect(t,
		`org organization.created ok "Acme": name →Acme`,
		`org team.created ok "Alpha Team": name →Alpha Team, name_key →alpha team, plan →call-center-ai`,
		`alpha team.created ok "Alpha Team": plan=call-center-ai`,
		`alpha user.created ok "Dana@Example.com": added_at →*, role →admin, status →active`,
		`org account.created ok "Dana Cruz": email →Dana@Example.com, email_key →dana@example.com, name →Dana Cruz, password_hash →, password_set_at →*`,
	)

	second := f.Setup(t, portal.NewTeam{Team: "Beta", Plan: portal.PlanCore, Email: "dana@EXAMPLE.com", Password: "another one entirely 97 kayak"})
	f.Beta = second.Team
	if second.PasswordSet || second.Admin.ID != first.Admin.ID || second.Organization != first.Organization {
		t.Errorf("the same person became %+v", second)
	}
	f.Expect(t,
		`org team.created ok "Beta": name →Beta, name_key →beta, plan →core`,
		`beta team.created ok "Beta": plan=core`,
		`beta user.created ok "Dana@Example.com": added_at →*, role →admin, status →active`,
	)
	if _, err := f.SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password); err != nil {
		t.Errorf("the first password does not hold any more: %v", err)
	}
	f.Passed()

	_, err := f.Portal.Setup(ctx, f.Operator, portal.NewTeam{Team: "BETA", Email: "x@example.com"})
	refused(t, err, audit.CodeConflict)
	f.Expect(t, `org team.created failed conflict: refusal=*`)
	_, err = f.Portal.Setup(ctx, portaltest.As(first.Admin), portal.NewTeam{Team: "Gamma", Email: "x@example.com"})
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `org team.created denied: refusal=*`)
}

func TestSetupInput(t *testing.T) {
	f := portaltest.Empty(t)
	for field, n := range map[string]portal.NewTeam{
		"team":         {Email: "a@example.com"},
		"organization": {Team: "A", Organization: "a\x00b", Email: "a@example.com"},
		"plan":         {Team: "A", Plan: "gold", Email: "a@example.com"},
		"admin":        {Team: "A", Email: "nobody"},
		"name":         {Team: "A", Email: "a@example.com", AdminName: strings.Repeat("x", portal.MaxName+1)},
		"password":     {Team: "A", Email: "a@example.com", Password: "short"},
	} {
		_, err := f.Portal.Setup(ctx, f.Operator, n)
		refused(t, err, audit.CodeInvalid, field)
	}
	if f.Organization() != "" {
		t.Error("bad input made an organization")
	}
}

func TestTeamSettings(t *testing.T) {
	f := portaltest.New(t)
	page := must(f.Team(ctx, f.Audrey, f.Alpha))
	if page.Name != "Alpha" || page.Members != 5 || page.Plan != portal.PlanCallCenterAI || page.Created.IsZero() {
		t.Errorf("the team is %+v", page)
	}
	must(f.RenameTeam(ctx, f.Dana, f.Alpha, "Alpha One", page.Version, "new office"))
	f.Expect(t,
		`alpha team.renamed ok "Alpha One": from=Alpha, to=Alpha One`,
		`org team.renamed ok "Alpha One": name Alpha→Alpha One, name_key alpha→alpha one`,
	)
	_, err := f.RenameTeam(ctx, f.Dana, f.Alpha, "Alpha Two", page.Version, "")
	refused(t, err, audit.CodeConflict)
	_, err = f.RenameTeam(ctx, f.Dana, f.Alpha, "beta", "", "")
	refused(t, err, audit.CodeConflict)
	_, err = f.RenameTeam(ctx, f.Audrey, f.Alpha, "Mine", "", "")
	refused(t, err, audit.CodeDenied)
	f.Expect(t,
		`alpha team.renamed failed conflict "Alpha One": refusal=*`,
		`alpha team.renamed failed conflict "Alpha One": refusal=*`,
		`alpha team.renamed denied "Alpha One": refusal=*`,
	)
	_, err = f.RenameTeam(ctx, f.Dana, f.Alpha, "Alpha One", "", "")
	refused(t, err, audit.CodeInvalid, "name")
	must(f.RenameTeam(ctx, f.Dana, f.Alpha, "ALPHA ONE", "", "")) // its own name in other letters
	f.Passed()

	must(f.ChangePlan(ctx, f.Operator, f.Alpha, portal.PlanCore, ""))
	f.Expect(t,
		`alpha team.plan_changed ok "ALPHA ONE": from=call-center-ai, to=core`,
		`org team.plan_changed ok "ALPHA ONE": plan call-center-ai→core`,
	)
	_, err = f.ChangePlan(ctx, f.Dana, f.Alpha, portal.PlanCallCenterAI, "")
	refused(t, err, audit.CodeDenied)
	_, err = f.ChangePlan(ctx, f.Operator, f.Alpha, portal.PlanCore, "")
	refused(t, err, audit.CodeInvalid, "plan")
	f.Expect(t, `alpha team.plan_changed denied "ALPHA ONE": refusal=*`)
}

func TestFindTeam(t *testing.T) {
	f := portaltest.New(t)
	for _, text := range []string{"alpha", " ALPHA ", f.Alpha} {
		if found := must(f.FindTeam(ctx, f.Operator, text)); found.ID != f.Alpha {
			t.Errorf("%q finds %+v", text, found)
		}
	}
	_, err := f.FindTeam(ctx, f.Operator, "Gamma")
	refused(t, err, audit.CodeNotFound)
	if !strings.Contains(err.Error(), "Alpha, Beta") {
		t.Errorf("the error does not name the teams: %v", err)
	}
	_, err = f.FindTeam(ctx, f.Dana, "Alpha")
	refused(t, err, audit.CodeDenied)
}
