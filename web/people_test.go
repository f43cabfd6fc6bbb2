package web

import (
	"bytes"
	"encoding/base64"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// upload posts a form with a file.
func (b *tab) upload(path, file string, pairs ...string) answer {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		m.WriteField(pairs[i], pairs[i+1])
	}
	w, _ := m.CreateFormFile("csv", "users.csv")
	w.Write([]byte(file))
	m.Close()
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

func TestAddUsers(t *testing.T) {
	s := newSite(t, func(c *Config) { c.URL = "http://portal.example.com" })
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/users/add"
	page := dana.upload(path, "email,name\nzoe@example.com,Zoe Zest\nbea@example.com,\nadam@example.com,\n", "emails", "yan@example.com", "role", "admin", "reason", "new shift").
		status(http.StatusOK).has("3 users added", "These links are shown once.", "Zoe Zest", "yan@example.com", "Already a member", "1 user added without a link", "is also a member of another team")
	links := regexp.MustCompile(`http://portal\.example\.com(/link/[\w-]{43})`).FindAllStringSubmatch(page.body, -1)
	if len(links) != 2 {
		t.Fatalf("%d links on the page", len(links))
	}
	file, err := base64.StdEncoding.DecodeString(regexp.MustCompile(`base64,([^"]*)"`).FindStringSubmatch(page.body)[1])
	if err != nil || strings.Count(string(file), "\n") != 3 || !strings.Contains(string(file), links[0][0]) {
		t.Errorf("the file of links is %q, %v", file, err)
	}
	dana.get("/t/"+s.Alpha+"/users").has("Zoe Zest", "yan@example.com", "Invited").lacks("/link/")
	s.open().get(links[0][1]).status(http.StatusOK).has("Choose a password")
	s.Passed()

	dana.upload(path, "name\nZoe\n", "emails", "", "role", "admin").status(http.StatusUnprocessableEntity).has("The file has no mail address")
	dana.upload(path, "", "emails", "", "role", "agent").status(http.StatusUnprocessableEntity)
	dana.post(path, "emails", "x@example.com", "role", "king", "reason", "r").status(http.StatusUnprocessableEntity).has("The role &#34;king&#34; is not known", ">x@example.com</textarea>", `value="r"`)
	dana.post(path, "emails", "x@example.com", "role", "agent", "reason", strings.Repeat("r", 501)).status(http.StatusUnprocessableEntity).has("The reason has 501 characters")
	s.Expect(t)
}

func TestNewSignInLink(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/users/" + s.Agnes.ID + "/link"
	dana.get(path).has("New sign-in link for Agnes Ash", "Reason")
	page := dana.post(path).status(http.StatusOK).has("Sign-in link for Agnes Ash", "http://example.com/link/")
	token := regexp.MustCompile(`/link/([\w-]{43})`).FindStringSubmatch(page.body)[1]
	agnes := s.open()
	agnes.post("/link/"+token, "name", "Agnes Ash", "password", otherPassword).leads("/")
	agnes.get("/").status(http.StatusOK).has("Alpha", "Agent")
	if _, err := s.BlockUser(t.Context(), s.Dana, s.Alpha, s.Agnes.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	agnes.get("/").leads("/login")
	dana.post(path).status(http.StatusConflict).has("is blocked")
}

func TestTheLastAdminStays(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	users := "/t/" + s.Alpha + "/users"
	told := dana.post(users+"/bulk", "action", "delete", "id", s.Adam.ID, "id", s.Bo.ID, "id", s.Dana.ID, "reason", "clean up").leads(users)
	dana.follow(told).has("2 users were deleted. 1 not:", "is the last active Admin of the team")
	s.Passed()
	for _, change := range []string{"delete", "block"} {
		dana.post(users+"/"+s.Dana.ID+"/"+change, "reason", "try").status(http.StatusConflict).has("is the last active Admin of the team", `value="try"`)
	}
	dana.post(users+"/"+s.Dana.ID+"/role", "role", "agent").status(http.StatusConflict).has("is the last active Admin of the team", `value="agent" selected`)
	dana.post(users+"/bulk", "action", "block", "id", s.Dana.ID).status(http.StatusConflict).has("is the last active Admin of the team")
	dana.get(users).status(http.StatusOK).has("Dana Cruz", "you")
}

func TestChangesEndSessionsAtOnce(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	users := "/t/" + s.Alpha + "/users/"
	adam := s.as(s.Alpha, s.Adam)
	adam.get("/t/" + s.Alpha + "/users").status(http.StatusOK)
	dana.post(users+s.Adam.ID+"/role", "role", "auditor").leads(users + s.Adam.ID)
	adam.get("/t/" + s.Alpha + "/users").status(http.StatusSeeOther)
	adam.post("/t/"+s.Alpha+"/devices/add", "hostname", "late").leads("/login")
	dana.follow(dana.post(users+s.Adam.ID+"/block", "reason", "gone").leads(users+s.Adam.ID)).has("Adam Ames was blocked.", "Blocked")
	dana.follow(dana.post(users + s.Adam.ID + "/delete").leads("/t/" + s.Alpha + "/users")).has("Adam Ames was deleted.")
}

func TestStaleFormsAreRefused(t *testing.T) {
	s := newSite(t)
	dana, adam := s.as(s.Alpha, s.Dana), s.as(s.Alpha, s.Adam)
	user := "/t/" + s.Alpha + "/users/" + s.Agnes.ID
	name := "version." + s.Agnes.ID
	seen := dana.get(user + "/block").hidden(name)
	adam.post(user+"/role", "role", "auditor").status(http.StatusSeeOther)
	again := dana.post(user+"/block", name, seen).status(http.StatusConflict).has("has been changed since")
	dana.post(user+"/block", name, again.hidden(name)).status(http.StatusSeeOther)
	settings := "/t/" + s.Alpha + "/settings"
	version := dana.get(settings).hidden("version")
	adam.post(settings, "name", "Alpha Two").leads(settings)
	dana.post(settings, "name", "Alpha Three", "version", version).status(http.StatusConflict).has(`value="Alpha Three"`, "has been changed since")
}

func TestDevices(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	devices := "/t/" + s.Alpha + "/devices"
	one := devices + "/" + s.device
	added := bo.post(devices+"/add", "hostname", "desk-9").leads(devices)
	bo.follow(added).has("desk-9 was added.", "Unassigned", "Assigned", "Blocked")
	bo.get(one+"/assign").has("Assign desk-1?", "Adam Ames (adam@example.com)")
	bo.follow(bo.post(one+"/assign", "user", s.Adam.ID)).has("desk-1 was assigned.", "Adam Ames")
	bo.get(devices + "?state=assigned").has("desk-1").lacks("desk-9")
	bo.get("/t/" + s.Alpha + "/users/" + s.Adam.ID).has("desk-1")
	bo.get(one+"/move").has("Move desk-1 to another team", ">Beta</option>").lacks(">Alpha</option>")
	bo.follow(bo.post(one+"/move", "team", s.Beta, "reason", "new office").leads(devices)).has("desk-1 was moved to Beta.", "Open it there")
	bo.get(one).has("This device was moved to", "new office", "Bo Both")
	bo.get("/t/"+s.Beta+"/devices").has("desk-1", "desk-2")
	bo.post(one + "/block").status(http.StatusGone)
	bo.get(one + "/block").leads(one)
	selected := devices + "/bulk?action=block&id=" + s.device
	bo.get(selected).has("is no longer here")
	if got := bo.get(devices + "/bulk?action=explode&id=" + s.device); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d for an unknown action", got.StatusCode)
	}
}

func TestAccount(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	other := s.open()
	other.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1")
	other.post("/login", "email", "dana@example.com", "password", "tulip gravel Kayak ostrich 41").leads("/")
	page := dana.get("/account").has("Safari on iPhone", "this one", "dana@example.com", "End all others")
	end := regexp.MustCompile(`action="(/account/sessions/ses_[^"]*/end)"`).FindStringSubmatch(page.body)[1]
	dana.follow(dana.post(end).leads("/account")).has("The session has ended.").lacks("Safari on iPhone", "End all others")
	other.get("/account").status(http.StatusSeeOther)
	dana.post("/account/password", "current", "wrong", "password", otherPassword).status(http.StatusForbidden).has("The current password is not right.")
	dana.post("/account/password", "current", "tulip gravel Kayak ostrich 41", "password", "password password").status(http.StatusUnprocessableEntity).has("easy to guess")
	dana.follow(dana.post("/account/password", "current", "tulip gravel Kayak ostrich 41", "password", otherPassword).leads("/account")).has("Your password is changed.")
}

func TestBrowserNames(t *testing.T) {
	for agent, want := range map[string]string{
		"": "Unknown browser",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15":        "Safari on Mac",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36":                  "Chrome on Android",
		"curl/8.0": "curl", "my-script/1.0": "my-script/1.0",
	} {
		if got := browser(agent); got != want {
			t.Errorf("%q is named %q, not %q", agent, got, want)
		}
	}
}
