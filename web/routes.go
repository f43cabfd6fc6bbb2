package web

import (
	"net/http"

	"onrecord/web/assets"
)

// route is one address of the portal.
type route struct {
	pattern string             // method and path, as http.ServeMux takes them
	handle  func(*visit) error // an error becomes the page that says so
	open    bool               // for people who are not signed in
	static  bool               // the same for everybody
	body    int64              // bytes that a form may have; maxForm unless set
}

// anywhere is the pattern of every address that no other route has.
const anywhere = "/"

const (
	maxForm   = 64 << 10
	maxUpload = 2 << 20
)

// routes are all of them.
func (s *server) routes() []route {
	all := []route{
		{pattern: "GET " + assets.Prefix, handle: plain(assets.Handler()), open: true, static: true},
		{pattern: "GET /healthz", handle: plain(http.HandlerFunc(healthz)), open: true, static: true},
		{pattern: "GET /readyz", handle: plain(s.ready()), open: true, static: true},
		{pattern: "GET /metrics", handle: (*visit).figures, open: true, static: true},

		{pattern: "GET /login", handle: (*visit).signInPage, open: true},
		{pattern: "POST /login", handle: (*visit).signInWithPassword, open: true},
		{pattern: "POST /logout", handle: (*visit).signOut, open: true},
		{pattern: "GET /link/{token}", handle: (*visit).link, open: true},
		{pattern: "POST /link/{token}", handle: (*visit).useLink, open: true},

		{pattern: "GET /{$}", handle: (*visit).start},
		{pattern: "GET /account", handle: (*visit).account},
		{pattern: "POST /account/name", handle: (*visit).rename},
		{pattern: "POST /account/password", handle: (*visit).changePassword},
		{pattern: "POST /account/sessions/end", handle: (*visit).endSessions},
		{pattern: "POST /account/sessions/{session}/end", handle: (*visit).endSession},

		{pattern: "GET /t/{team}", handle: (*visit).teamStart},
		{pattern: "GET /t/{team}/calls", handle: (*visit).callList},
		{pattern: "GET /t/{team}/calls/deleted", handle: (*visit).deletedCalls},
		{pattern: "GET /t/{team}/calls/{call}", handle: (*visit).call},
		{pattern: "GET /t/{team}/calls/{call}/history", handle: historyOf("call", "call", "calls")},
		{pattern: "POST /t/{team}/calls/{call}/export", handle: (*visit).exportTranscript},
		{pattern: "GET /t/{team}/calls/{call}/delete", handle: (*visit).confirmDeleteCall},
		{pattern: "POST /t/{team}/calls/{call}/delete", handle: (*visit).deleteCall},
		{pattern: "POST /t/{team}/calls/{call}/restore", handle: (*visit).restoreCall},
		{pattern: "POST /t/{team}/calls/{call}/metrics/{metric}/edit", handle: (*visit).editValue},
		{pattern: "POST /t/{team}/calls/{call}/metrics/{metric}/reset", handle: (*visit).resetValue},

		{pattern: "GET /t/{team}/metrics", handle: (*visit).metrics},
		{pattern: "POST /t/{team}/metrics/{metric}", handle: (*visit).switchMetric},

		{pattern: "GET /t/{team}/users", handle: (*visit).userList},
		{pattern: "GET /t/{team}/users/add", handle: (*visit).addUsersPage},
		{pattern: "POST /t/{team}/users/add", handle: (*visit).addUsers, body: maxUpload},
		{pattern: "GET /t/{team}/users/bulk", handle: users.askMany(userChanges)},
		{pattern: "POST /t/{team}/users/bulk", handle: users.doMany(userChanges)},
		{pattern: "GET /t/{team}/users/{user}", handle: (*visit).user},
		{pattern: "GET /t/{team}/users/{user}/history", handle: historyOf("user", "user", "users")},
		{pattern: "GET /t/{team}/users/{user}/link", handle: (*visit).confirmLink},
		{pattern: "POST /t/{team}/users/{user}/link", handle: (*visit).newLink},

		{pattern: "GET /t/{team}/devices", handle: (*visit).deviceList},
		{pattern: "GET /t/{team}/devices/add", handle: (*visit).addDevicePage},
		{pattern: "POST /t/{team}/devices/add", handle: (*visit).addDevice},
		{pattern: "GET /t/{team}/devices/bulk", handle: devices.askMany(deviceChanges)},
		{pattern: "POST /t/{team}/devices/bulk", handle: devices.doMany(deviceChanges)},
		{pattern: "GET /t/{team}/devices/{device}", handle: (*visit).device},
		{pattern: "GET /t/{team}/devices/{device}/history", handle: historyOf("device", "device", "devices")},

		{pattern: "GET /t/{team}/settings", handle: (*visit).general},
		{pattern: "POST /t/{team}/settings", handle: (*visit).renameTeam},
		{pattern: "GET /t/{team}/settings/history", handle: historyOf("team", "", "settings")},
		{pattern: "GET /t/{team}/settings/security", handle: (*visit).security},
		{pattern: "GET /t/{team}/settings/security/api-keys", handle: (*visit).apiKeys},
		{pattern: "GET /t/{team}/settings/security/api-keys/add", handle: (*visit).addAPIKeyPage},
		{pattern: "POST /t/{team}/settings/security/api-keys/add", handle: (*visit).addAPIKey},
		{pattern: "GET /t/{team}/settings/security/api-keys/{key}/revoke", handle: (*visit).confirmRevoke},
		{pattern: "POST /t/{team}/settings/security/api-keys/{key}/revoke", handle: (*visit).revokeAPIKey},
		{pattern: "GET /t/{team}/settings/security/audit-logs", handle: (*visit).auditLog},
		{pattern: "GET /t/{team}/settings/security/audit-logs/objects", handle: (*visit).suggestObjects},
		{pattern: "GET /t/{team}/settings/security/audit-logs/suggest", handle: (*visit).suggest},
		{pattern: "GET /t/{team}/settings/security/audit-logs/facets", handle: (*visit).auditFacets},
		{pattern: "GET /t/{team}/settings/security/audit-logs/live", handle: (*visit).live},
		{pattern: "GET /t/{team}/settings/security/audit-logs/export", handle: (*visit).exportPage},
		{pattern: "POST /t/{team}/settings/security/audit-logs/export", handle: (*visit).exportLog},
		{pattern: "GET /t/{team}/settings/security/audit-logs/export/{export}", handle: (*visit).oneExport},
		{pattern: "GET /t/{team}/settings/security/audit-logs/export/{export}/rest", handle: (*visit).restOfExport},
		{pattern: "GET /t/{team}/settings/security/audit-logs/views", handle: (*visit).savedViews},
		{pattern: "GET /t/{team}/settings/security/audit-logs/views/add", handle: (*visit).addViewPage},
		{pattern: "POST /t/{team}/settings/security/audit-logs/views/add", handle: (*visit).addView},
		{pattern: "GET /t/{team}/settings/security/audit-logs/views/{view}", handle: (*visit).viewPage},
		{pattern: "POST /t/{team}/settings/security/audit-logs/views/{view}", handle: (*visit).changeView},
		{pattern: "POST /t/{team}/settings/security/audit-logs/views/{view}/delete", handle: (*visit).deleteView},
		{pattern: "GET /t/{team}/settings/security/audit-logs/{event}", handle: (*visit).auditEvent},

		{pattern: anywhere, handle: (*visit).nowhere},
	}
	for _, c := range userChanges { // role, block, unblock, delete
		all = append(all,
			route{pattern: "GET /t/{team}/users/{user}/" + c.name, handle: users.ask(c)},
			route{pattern: "POST /t/{team}/users/{user}/" + c.name, handle: users.do(c)})
	}
	for _, c := range deviceChanges { // assign, unassign, block, unblock, move
		all = append(all,
			route{pattern: "GET /t/{team}/devices/{device}/" + c.name, handle: devices.ask(c)},
			route{pattern: "POST /t/{team}/devices/{device}/" + c.name, handle: devices.do(c)})
	}
	return all
}
