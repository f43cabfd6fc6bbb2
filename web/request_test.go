package web

import (
	"net/http"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

var (
	allEvents = audit.Filter{}
	firstPage = audit.Page{Limit: 1000}
)

// ask is one request of Bo, an Admin of both teams, and the exact events that
// it causes. In paths and forms {alpha}, {call} and the like stand for ids.
type ask struct {
	request string // "GET /t/{alpha}/calls"
	form    string // "reason=x&role=agent", not escaped
	status  int
	events  []string
}

func events(lines ...string) []string { return lines }

func (s *site) ids() *strings.Replacer {
	return strings.NewReplacer("{alpha}", s.Alpha, "{beta}", s.Beta, "{call}", s.call, "{deleted}", s.deleted, "{device}", s.device,
		"{event}", s.event, "{export}", s.export, "{mine}", s.mine, "{key}", s.key, "{view}", s.view, "{boview}", s.boView, "{adam}", s.Adam.ID, "{agnes}", s.Agnes.ID, "{audrey}", s.Audrey.ID, "{bo}", s.Bo.ID, "{dana}", s.Dana.ID,
		"{tracked}", "action:"+strings.Join(portal.Catalogue.Tracked(), ","))
}

func (b *tab) ask(request, form string) answer {
	ids := b.site.ids()
	method, path, _ := strings.Cut(ids.Replace(request), " ")
	if method == "GET" {
		return b.get(path)
	}
	var pairs []string
	for pair := range strings.SplitSeq(ids.Replace(form), "&") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, name, value)
	}
	return b.post(path, pairs...)
}

const (
	ok      = http.StatusOK
	seeNext = http.StatusSeeOther
	invalid = http.StatusUnprocessableEntity
)

var asks = []ask{
	{"GET /healthz", "", ok, nil},
	{"GET /readyz", "", ok, nil},
	{"GET /metrics", "", http.StatusNotFound, nil},
	{"GET /assets/none.css", "", http.StatusNotFound, nil},
	{"GET /nowhere", "", http.StatusNotFound, nil},
	{"GET /login", "", seeNext, nil},
	{"GET /", "", ok, nil},
	{"GET /t/{alpha}", "", seeNext, nil},

	{"GET /t/{alpha}/calls", "", ok, nil},
	{"GET /t/{alpha}/calls?q=customer&direction=inbound&from=2026-02-27&to=2026-02-27&agent=Agnes+Ash", "", ok, nil},
	{"GET /t/{alpha}/calls?from=yesterday", "", invalid, nil},
	{"GET /t/{alpha}/calls/deleted", "", ok, nil},
	{"GET /t/{alpha}/calls/{call}", "", ok, events(`alpha call.viewed ok "Call Customer one"`)},
	{"GET /t/{alpha}/calls/{call}", "", ok, events(`alpha call.viewed ok "Call Customer one"`)},
	{"GET /t/{alpha}/calls/{deleted}", "", ok, nil},
	{"GET /t/{alpha}/calls/{call}/history", "", ok, events(`alpha audit_log.viewed ok: query=object:{call}`)},
	{"POST /t/{alpha}/calls/{call}/export", "format=txt", ok, events(`alpha call.transcript_exported ok "Call Customer one": format=txt`)},
	{"POST /t/{alpha}/calls/{call}/export", "format=pdf", invalid, nil},
	{"POST /t/{alpha}/calls/{call}/metrics/talk_share/edit", "value=55.5&reason=hold music", seeNext, events(`alpha metric.value_edited ok "Call Customer one": call_id →*, metric →talk_share, value →55.5`)},
	{"POST /t/{alpha}/calls/{call}/metrics/talk_share/edit", "value=a lot", invalid, nil},
	{"POST /t/{alpha}/calls/{call}/metrics/talk_share/edit", "value=55.5&version=evt_stale", http.StatusConflict, events(`alpha metric.value_edited failed conflict "Call Customer one": refusal=*`)},
	{"POST /t/{alpha}/calls/{call}/metrics/talk_share/reset", "", seeNext, events(`alpha metric.value_reset ok "Call Customer one": value 55.5→`)},
	{"GET /t/{alpha}/calls/{call}/delete", "", ok, nil},
	{"POST /t/{alpha}/calls/{call}/delete", "reason=asked for", seeNext, events(`alpha call.deleted ok "Call Customer one": deleted_at →*`)},
	{"POST /t/{alpha}/calls/{call}/restore", "", seeNext, events(`alpha call.restored ok "Call Customer one": deleted_at *→`)},

	{"GET /t/{alpha}/metrics", "", ok, nil},
	{"POST /t/{alpha}/metrics/talk_share", "on=0", seeNext, events(`alpha metric.disabled ok "Talk share": enabled →0`)},
	{"POST /t/{alpha}/metrics/talk_share", "on=1", seeNext, events(`alpha metric.enabled ok "Talk share": enabled 0→1`)},

	{"GET /t/{alpha}/users?q=a&role=admin&state=invited&sort=-seen", "", ok, nil},
	{"GET /t/{alpha}/users?sort=shoes", "", invalid, nil},
	{"GET /t/{alpha}/users/add", "", ok, nil},
	{"POST /t/{alpha}/users/add", "emails=new@example.com, NEW@example.com, adam@example.com, nonsense&role=auditor", ok, events(
		`alpha user.created ok "new@example.com": added_at →*, role →auditor, status →active`,
		`org account.created ok "new@example.com": email →new@example.com, email_key →new@example.com, name →`,
		`alpha user.link_created ok "new@example.com"`)},
	{"POST /t/{alpha}/users/add", "emails=&role=agent", invalid, nil},
	{"POST /t/{alpha}/users/add", "emails=sam@example.com&role=agent", seeNext, events(
		`alpha user.created ok "sam@example.com": added_at →*, role →agent, status →active`,
		`org account.created ok "sam@example.com": email →sam@example.com, email_key →sam@example.com, name →`)},
	{"GET /t/{alpha}/users/{agnes}", "", ok, nil},
	{"GET /t/{alpha}/users/{agnes}/history", "", ok, events(`alpha audit_log.viewed ok: query=object:{agnes}`)},
	{"GET /t/{alpha}/users/{agnes}/link", "", ok, nil},
	{"POST /t/{alpha}/users/{agnes}/link", "reason=lost it", ok, events(`alpha user.link_created ok "Agnes Ash"`)},
	{"GET /t/{alpha}/users/{agnes}/role", "", ok, nil},
	{"POST /t/{alpha}/users/{agnes}/role", "role=auditor&reason=covers", seeNext, events(`alpha user.role_changed ok "Agnes Ash": role agent→auditor`)},
	{"POST /t/{alpha}/users/{agnes}/role", "role=king", invalid, nil},
	{"GET /t/{alpha}/users/{agnes}/block", "", ok, nil},
	{"POST /t/{alpha}/users/{agnes}/block", "", seeNext, events(`alpha user.blocked ok "Agnes Ash": status active→blocked`)},
	{"POST /t/{alpha}/users/{agnes}/block", "", http.StatusConflict, events(`alpha user.blocked failed conflict "Agnes Ash": refusal=*`)},
	{"GET /t/{alpha}/users/{agnes}/unblock", "", ok, nil},
	{"POST /t/{alpha}/users/{agnes}/unblock", "", seeNext, events(`alpha user.unblocked ok "Agnes Ash": status blocked→active`)},
	{"GET /t/{alpha}/users/bulk?action=block&id={agnes}&id={audrey}", "", ok, nil},
	{"GET /t/{alpha}/users/bulk?action=block", "", seeNext, nil},
	{"POST /t/{alpha}/users/bulk", "action=block&id={agnes}&id={audrey}&id={agnes}&reason=leave", seeNext, events(
		`alpha user.blocked ok "Agnes Ash": status active→blocked`,
		`alpha user.blocked ok "Audrey Abe": status active→blocked`)},
	{"GET /t/{alpha}/users/{audrey}/delete", "", ok, nil},
	{"POST /t/{alpha}/users/{audrey}/delete", "", seeNext, events(`alpha user.deleted ok "Audrey Abe": deleted_at →*`)},
	{"GET /t/{alpha}/users/{audrey}", "", ok, nil},
	{"POST /t/{alpha}/users/{audrey}/delete", "", http.StatusGone, events(`alpha user.deleted failed conflict "Audrey Abe": refusal=*`)},

	{"GET /t/{alpha}/devices?q=desk&state=unassigned&sort=-person", "", ok, nil},
	{"GET /t/{alpha}/devices/add", "", ok, nil},
	{"POST /t/{alpha}/devices/add", "hostname=desk-7", seeNext, events(`alpha device.added ok "desk-7": added_at →*, hostname →desk-7, state →unassigned`)},
	{"POST /t/{alpha}/devices/add", "hostname=desk 7", invalid, nil},
	{"POST /t/{alpha}/devices/add", "hostname=DESK-7", http.StatusConflict, events(`alpha device.added failed conflict: refusal=*`)},
	{"GET /t/{alpha}/devices/{device}", "", ok, nil},
	{"GET /t/{alpha}/devices/{device}/history", "", ok, events(`alpha audit_log.viewed ok: query=object:{device}`)},
	{"GET /t/{alpha}/devices/{device}/assign", "", ok, nil},
	{"POST /t/{alpha}/devices/{device}/assign", "user={adam}", seeNext, events(`alpha device.assigned ok "desk-1": state unassigned→assigned, user_id →*`)},
	{"GET /t/{alpha}/devices/{device}/block", "", ok, nil},
	{"POST /t/{alpha}/devices/{device}/block", "", seeNext, events(`alpha device.blocked ok "desk-1": state assigned→blocked`)},
	{"GET /t/{alpha}/devices/{device}/unblock", "", ok, nil},
	{"POST /t/{alpha}/devices/{device}/unblock", "", seeNext, events(`alpha device.unblocked ok "desk-1": state blocked→assigned`)},
	{"GET /t/{alpha}/devices/{device}/unassign", "", ok, nil},
	{"POST /t/{alpha}/devices/{device}/unassign", "", seeNext, events(`alpha device.unassigned ok "desk-1": state assigned→unassigned, user_id *→`)},
	{"GET /t/{alpha}/devices/bulk?action=block&id={device}", "", ok, nil},
	{"POST /t/{alpha}/devices/bulk", "action=block&id={device}", seeNext, events(`alpha device.blocked ok "desk-1": state unassigned→blocked`)},
	{"GET /t/{alpha}/devices/{device}/move", "", ok, nil},
	{"POST /t/{alpha}/devices/{device}/move", "team={beta}&reason=new office", seeNext, events(
		`alpha device.moved ok "desk-1": deleted_at →*, moved_device →*, moved_to →*`,
		`beta device.moved ok "desk-1": added_at →*, hostname →desk-1, moved_from →*, state →blocked`)},
	{"GET /t/{alpha}/devices/{device}", "", ok, nil},

	{"GET /t/{alpha}/settings", "", ok, nil},
	{"POST /t/{alpha}/settings", "name=Alpha One", seeNext, events(
		`alpha team.renamed ok "Alpha One": from=Alpha, to=Alpha One`,
		`org team.renamed ok "Alpha One": name Alpha→Alpha One, name_key alpha→alpha one`)},
	{"POST /t/{alpha}/settings", "name=", invalid, nil},
	{"GET /t/{alpha}/settings/history", "", ok, events(`alpha audit_log.viewed ok: query=object:{alpha}`)},
	{"GET /t/{alpha}/settings/security", "", ok, nil},
	{"GET /t/{alpha}/settings/security/api-keys", "", ok, nil},
	{"GET /t/{alpha}/settings/security/api-keys/add", "", ok, nil},
	{"POST /t/{alpha}/settings/security/api-keys/add", "name=Nightly&scope=read&expires=30&reason=archive", ok, events(
		`alpha api_key.created ok "Nightly": created_at →*, created_by →*, expires_at →*, name →Nightly, scope →read, token_hash →`)},
	{"POST /t/{alpha}/settings/security/api-keys/add", "name=nightly&scope=read&expires=never", http.StatusConflict, events(
		`alpha api_key.created failed conflict: refusal=*`)},
	{"POST /t/{alpha}/settings/security/api-keys/add", "name=&scope=read&expires=never", invalid, nil},
	{"POST /t/{alpha}/settings/security/api-keys/add", "name=x&scope=all&expires=never", invalid, nil},
	{"POST /t/{alpha}/settings/security/api-keys/add", "name=x&scope=read&expires=31", invalid, nil},
	{"GET /t/{alpha}/settings/security/api-keys/{key}/revoke", "", ok, nil},
	{"POST /t/{alpha}/settings/security/api-keys/{key}/revoke", "reason=leaked", seeNext, events(`alpha api_key.revoked ok "SIEM": revoked_at →*`)},
	{"POST /t/{alpha}/settings/security/api-keys/{key}/revoke", "", http.StatusGone, events(`alpha api_key.revoked failed conflict "SIEM": refusal=*`)},
	{"GET /t/{alpha}/settings/security/audit-logs", "", ok, events(`alpha audit_log.viewed ok: query={tracked}`)},
	{"GET /t/{alpha}/settings/security/audit-logs?all=1", "", ok, events(`alpha audit_log.viewed ok`)},
	{"GET /t/{alpha}/settings/security/audit-logs?all=1", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs?q=action:call.viewed", "", ok, events(`alpha audit_log.viewed ok: query=action:call.viewed`)},
	{"GET /t/{alpha}/settings/security/audit-logs?q=colour:red", "", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs?set=action&action=call.viewed", "", seeNext, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/objects?object=des", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/suggest?q=actor:da&at=8", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/facets?q=action:call.viewed", "", ok, nil}, // that reading is on the record
	{"GET /t/{alpha}/settings/security/audit-logs/facets?q=type:call", "", ok, events(`alpha audit_log.viewed ok: query=type:call`)},
	{"GET /t/{alpha}/settings/security/audit-logs/live?all=1", "", ok, nil}, // that reading is on the record
	{"GET /t/{alpha}/settings/security/audit-logs/live?q=outcome:failed&after=3", "", ok, events(`alpha audit_log.viewed ok: query=outcome:failed`)},
	{"GET /t/{alpha}/settings/security/audit-logs/live?after=x", "", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/live?q=colour:red", "", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/export", "", ok, events(`alpha audit_log.viewed ok: query=action:audit_log.exported outcome:ok`)},
	{"GET /t/{alpha}/settings/security/audit-logs/export?all=1", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/export?q=colour:red", "", invalid, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=csv&q=action:team.created", ok, events(
		`alpha audit_log.exported ok "audit-log.csv": format=csv, query=action:team.created, size=*`,
		`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=1, format=csv, sha256=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=report&q=action:team.created", ok, events(
		`alpha audit_log.exported ok "audit-log.html": format=report, query=action:team.created, size=*`,
		`alpha audit_log.export_ended ok "audit-log.html": bytes=*, events=1, format=report, sha256=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=csv&column=id&column=time&q=action:team.created", ok, events(
		`alpha audit_log.exported ok "audit-log.csv": columns=id,time, format=csv, query=action:team.created, size=*`,
		`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=1, format=csv, sha256=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=xlsx", invalid, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=csv&q=colour:red", invalid, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/export", "format=csv&column=colour", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/export/{export}", "", ok, events(`alpha audit_log.viewed ok: export=exp_*`)},
	{"GET /t/{alpha}/settings/security/audit-logs/export/{mine}/rest?from=10", "", ok, events(
		`alpha audit_log.exported ok "audit-log.csv": format=csv, from=10`,
		`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=1, format=csv, sha256=*`)},
	{"GET /t/{alpha}/settings/security/audit-logs/export/{mine}/rest?from=x", "", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/export/{export}/rest", "", http.StatusForbidden, events(`alpha audit_log.exported denied: refusal=*, tried=export exp_*`)},
	{"GET /t/{alpha}/settings/security/audit-logs/{event}", "", ok, events(`alpha audit_log.viewed ok: event=evt_*`)},
	{"GET /t/{alpha}/settings/security/audit-logs/{event}", "", ok, nil},

	{"GET /t/{alpha}/settings/security/audit-logs/views", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/views/add?q=type:call", "", ok, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/views/add", "name=Night&query=hours:22-6&shared=1&preferred=1", seeNext, events(
		`alpha saved_view.created ok "Night": created_at →*, name →Night, owner →*, preferred →1, query →hours:22:00-06:00, shared →1`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/add", "name=night&query=type:call", http.StatusConflict, events(`alpha saved_view.created failed conflict: refusal=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/add", "name=x&query=colour:red", invalid, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/views/add", "name=x&query=", invalid, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/views/add", "name=&query=type:call", invalid, nil},
	{"GET /t/{alpha}/settings/security/audit-logs", "", seeNext, nil}, // the preferred view
	{"GET /t/{alpha}/settings/security/audit-logs?q=", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/views/{boview}", "", ok, nil},
	{"GET /t/{alpha}/settings/security/audit-logs/views/{view}", "", http.StatusNotFound, events(`alpha saved_view.changed denied "": refusal=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/{boview}", "name=Calls&query=type:call&preferred=1", seeNext, events(
		`alpha saved_view.changed ok "Calls": name Calls of Bo Both→Calls, preferred 0→1, preferred 1→0`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/{boview}", "name=Calls&query=type:call&preferred=1", seeNext, nil},
	{"POST /t/{alpha}/settings/security/audit-logs/views/{boview}", "name=Other&query=type:call&version=evt_stale", http.StatusConflict, events(`alpha saved_view.changed failed conflict "": refusal=*`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/{boview}/delete", "", seeNext, events(`alpha saved_view.deleted ok "Calls": deleted_at →*, preferred 1→0`)},
	{"POST /t/{alpha}/settings/security/audit-logs/views/{boview}/delete", "", http.StatusGone, events(`alpha saved_view.deleted failed conflict "": refusal=*`)},

	{"GET /account", "", ok, nil},
	{"POST /account/name", "name=Bo Boulanger", seeNext, events(
		`org account.renamed ok "Bo Boulanger": from=Bo Both, name Bo Both→Bo Boulanger, to=Bo Boulanger`,
		`alpha account.renamed ok "Bo Boulanger": from=Bo Both, to=Bo Boulanger`,
		`beta account.renamed ok "Bo Boulanger": from=Bo Both, to=Bo Boulanger`)},
	{"POST /account/name", "name=", invalid, nil},
	{"POST /account/password", "current=wrong&password=" + otherPassword, http.StatusForbidden, events(
		`org account.password_changed denied "Bo Boulanger": refusal=*`,
		`alpha account.password_changed denied "Bo Boulanger": refusal=*`,
		`beta account.password_changed denied "Bo Boulanger": refusal=*`)},
	{"POST /account/password", "current=" + portaltest.Password + "&password=short", invalid, nil},
	{"POST /account/password", "current=" + portaltest.Password + "&password=" + otherPassword, seeNext, events(
		`org account.password_changed ok "Bo Boulanger": password_hash →, password_set_at *→*`,
		`alpha account.password_changed ok "Bo Boulanger"`,
		`beta account.password_changed ok "Bo Boulanger"`)},
	{"POST /account/sessions/end", "", seeNext, nil},
	{"POST /account/sessions/ses_none/end", "", http.StatusNotFound, events(`alpha session.ended denied "Bo Boulanger": ended=ses_none, refusal=*`)},
	{"GET /link/unknown", "", http.StatusNotFound, events(`org account.password_set denied: refusal=*`)},
	{"POST /link/unknown", "password=" + otherPassword, http.StatusNotFound, events(`org account.password_set denied: refusal=*`)},
	{"POST /logout", "", seeNext, events(
		`alpha session.signed_out ok "Bo Boulanger"`,
		`beta session.signed_out ok "Bo Boulanger"`)},
	{"POST /logout", "", seeNext, nil},
	{"POST /login", "email=bo@example.com&password=wrong", http.StatusForbidden, events(
		`alpha session.sign_in_failed denied "Bo Boulanger": refusal=*`,
		`beta session.sign_in_failed denied "Bo Boulanger": refusal=*`)},
	{"POST /login", "email=nobody@example.com&password=" + otherPassword, http.StatusForbidden, events(`org session.sign_in_failed denied: refusal=*`)},
	{"POST /login", "email=BO@example.com&password=" + otherPassword, seeNext, events(
		`alpha session.signed_in ok "Bo Boulanger"`,
		`beta session.signed_in ok "Bo Boulanger"`)},
}

const otherPassword = "walnut Bridge falcon 93 teapot"

// TestRequestsCauseTheseEvents goes over every route.
func TestRequestsCauseTheseEvents(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	for _, a := range asks {
		t.Run(a.request+" "+a.form, func(t *testing.T) {
			bo.site.t = t
			bo.ask(a.request, a.form).status(a.status)
			var want []string
			for _, e := range a.events {
				want = append(want, s.ids().Replace(e))
			}
			s.Expect(t, want...)
		})
	}
	for _, r := range s.server.routes() {
		if !s.seen[r.pattern] {
			t.Errorf("no request of this test asks for %s: add one with the events that it causes", r.pattern)
		}
	}
}
