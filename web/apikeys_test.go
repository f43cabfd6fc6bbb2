package web

import (
	"net/http"
	"regexp"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
)

func TestAPIKeysAreShownOnce(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := keyPath(s.Alpha)
	dana.get("/t/"+s.Alpha+"/settings/security").has("API keys", path)
	dana.get(path+"/add").has("Create API key", "Never", `value="90" selected`)
	page := dana.post(path+"/add", "name", script, "scope", "read", "expires", "30").status(http.StatusOK).harmless().has("This key is shown once.", "It ends on 2026-03-31")
	token := regexp.MustCompile(`ork_[0-9a-z]{26}[\w-]{43}`).FindString(page.body)
	holder, err := s.AuthenticateKey(t.Context(), audit.Context{IP: "198.51.100.7"}, token)
	if err != nil || holder.Team != s.Alpha || holder.Scope != portal.ScopeRead {
		t.Fatalf("the key opens %+v, %v", holder, err)
	}
	list := dana.get(path).status(http.StatusOK).harmless().has("Active", "Dana Cruz", "2026-03-31").lacks(token)
	log := regexp.MustCompile(`href="([^"]*audit-logs\?q=actor[^"]*)"`).FindStringSubmatch(list.body)[1]
	dana.get(log).status(http.StatusOK)
	// The log leads back to the key.
	dana.get(logPath(s.Alpha, "") + "?q=action:api_key.created").harmless().has(`href="` + path + "#" + holder.Caller.ID + `"`).lacks(token)
	key := path + "/" + holder.Caller.ID + "/revoke"
	dana.get(key).harmless().has("stops working at once")
	dana.follow(dana.post(key, "reason", "leaked").leads(path)).has("The key was revoked.", "Revoked")
	if _, err := s.AuthenticateKey(t.Context(), audit.Context{IP: "198.51.100.7"}, token); !portal.KeyRefused(err) {
		t.Errorf("the revoked key is answered %v", err)
	}
}
