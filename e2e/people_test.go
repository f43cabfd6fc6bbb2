package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// TestEveryActionIsThereAtOnce does things in one browser and looks into the
// log with another one straight after.
func TestEveryActionIsThereAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	call := s.addCall(s.Alpha, callOf("Nora Lind"))
	desk := s.AddDevice(t, s.Dana, s.Alpha, "desk-1").ID
	a, b := s.browser(s.Alpha, s.Dana), s.browser(s.Alpha, s.Adam)
	user, device := s.path(s.Alpha, "/users/"+s.Agnes.ID), s.path(s.Alpha, "/devices/"+desk)
	for _, step := range []struct {
		action, object string
		do             func()
	}{
		{"Viewed call", "Call Nora Lind", func() { a.visit(s.path(s.Alpha, "/calls/"+call)) }},
		{"Edit metric value", "Call Nora Lind", func() {
			a.click(button("Edit").of("Filler words"))
			form := control{role: "dialog", name: "Edit Filler words"}
			a.fill(textbox("Value").in(form), "7")
			a.follow(button("Save").in(form))
		}},
		{"Deleted call", "Call Nora Lind", func() { a.follow(button("Delete call")); a.follow(button("Delete call")) }},
		{"Restore call", "Call Nora Lind", func() { a.follow(button("Undo")) }},
		{"Changed user role", "Agnes Ash", func() {
			a.visit(user)
			a.follow(button("Change role"))
			mouse{a}.choose(combobox("Role"), "Admin")
			a.follow(button("Change role"))
		}},
		{"Blocked user", "Agnes Ash", func() { a.follow(button("Block")); a.follow(button("Block")) }},
		{"Unblocked user", "Agnes Ash", func() { a.follow(button("Unblock")); a.follow(button("Unblock")) }},
		{"Assigned device", "desk-1", func() {
			a.visit(device)
			a.follow(button("Assign"))
			mouse{a}.choose(combobox("Person"), "Adam Ames (adam@example.com)")
			a.follow(button("Assign"))
		}},
		{"Disabled metric", "Filler words", func() {
			a.visit(s.path(s.Alpha, "/metrics"))
			a.follow(control{role: "switch", name: "Filler words"})
		}},
		{"Renamed team", "Alpha One", func() {
			a.visit(s.path(s.Alpha, "/settings"))
			a.fill(textbox("Team name"), "Alpha One")
			a.follow(button("Save"))
		}},
		{"Changed name", "Dana Diaz", func() {
			a.visit("/account")
			a.fill(textbox("Name"), "Dana Diaz")
			a.follow(button("Save name"))
		}},
	} {
		step.do()
		b.visit(s.path(s.Alpha, logPath))
		if first := b.entries()[0]; first.Action != step.action || first.Object != step.object || !strings.HasPrefix(first.Actor, "Dana") {
			t.Errorf("the first row after “%s” on %s is %+v", step.action, step.object, first)
		}
	}
}

// TestBlockedAtOnce blocks somebody who is at work in another browser.
func TestBlockedAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.addCall(s.Alpha, callOf("Nora Lind"))
	victim, admin := s.browser(s.Alpha, s.Dana), s.browser(s.Alpha, s.Adam)
	victim.visit(s.path(s.Alpha, "/calls"))

	admin.visit(s.path(s.Alpha, "/users/"+s.Dana.ID))
	admin.follow(button("Block"))
	admin.fill(textbox("Reason"), "left the company")
	admin.follow(button("Block"))
	admin.says("Dana Cruz was blocked.")

	victim.follow(link("Nora Lind").inMain())
	if victim.path() != "/login" {
		t.Fatalf("a blocked person still sees %s: %s", victim.address(), victim.text())
	}
	victim.fill(textbox("Email"), s.Dana.Email)
	victim.fill(textbox("Password"), portaltest.Password)
	victim.expect(http.StatusForbidden, victim.clickTo(button("Sign in")))

	admin.visit(s.path(s.Alpha, "/users/"+s.Dana.ID))
	admin.follow(button("Unblock"))
	admin.follow(button("Unblock"))
	victim.signIn(s.Dana.Email, portaltest.Password)
	victim.follow(link("Nora Lind").inMain())
	victim.says("My card is blue.")
}

// TestSignInRefused tells nobody whether it was the address or the password.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.browser(s.Alpha, s.Dana)
	w := open(t, s.origin)
	var answers []string
	for _, email := range []string{"dana@example.com", "nobody@example.com"} {
		w.visit("/login")
		w.fill(textbox("Email"), email)
		w.fill(textbox("Password"), "not the password of anybody")
		w.expect(http.StatusForbidden, w.clickTo(button("Sign in")))
		if got := evaluate[string](w, "document.getElementById('email').value"); got != email {
			t.Errorf("the address that was typed is lost: %q", got)
		}
		answers = append(answers, w.text())
	}
	if answers[0] != answers[1] {
		t.Errorf("the page tells who has an account: %q and %q", answers[0], answers[1])
	}
	for _, path := range []string{"/", "/account", s.path(s.Alpha, "/calls"), s.path(s.Alpha, logPath)} {
		w.visit(path)
		if w.path() != "/login" {
			t.Errorf("%s shows %s to strangers", path, w.address())
		}
	}
	admin.visit(s.path(s.Alpha, logPath+"?q="+url.QueryEscape("action:"+portal.SessionSignInFailed)))
	if e := admin.entries(); len(e) != 1 || !strings.Contains(e[0].Action, "Failed sign-in") || e[0].Object != "Dana Cruz" {
		t.Errorf("the failures in the team's log are %+v", e)
	}
}

// TestOneTimeLink lets a new Admin in: link, first password, out, in again.
func TestOneTimeLink(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.browser(s.Alpha, s.Dana)
	admin.visit(s.path(s.Alpha, "/users"))
	admin.follow(button("Add users"))
	admin.fill(textbox("Emails"), "new@example.com, dana@example.com")
	mouse{admin}.choose(combobox("Role"), "Admin")
	admin.follow(button("Add users"))
	admin.says("These links are shown once.", "dana@example.com")
	address := evaluate[string](admin, `[...document.querySelectorAll("td")].map((td) => td.textContent.trim()).find((text) => text.includes("/link/"))`)

	w := open(t, s.origin)
	w.visit(address)
	w.says("Choose a password", "new@example.com", "Alpha")
	w.fill(textbox("Your name"), "Nia New")
	w.fill(textbox("Password"), "password")
	w.expect(http.StatusUnprocessableEntity, w.clickTo(button("Save password")))
	w.fill(textbox("Password"), portaltest.Password)
	w.follow(button("Save password"))
	w.visit(s.path(s.Alpha, "/users"))
	w.says("Nia New")
	w.follow(button("Sign out"))
	w.says("You have been signed out.")

	w.expect(http.StatusGone, w.goTo(address))
	w.signIn("New@Example.com", portaltest.Password)
	w.visit(s.path(s.Alpha, logPath))
	want := []string{"Set password\nFailed Nia New", "Set password Nia New", "Created sign-in link new@example.com", "Created new user new@example.com"}
	for i, e := range w.entries()[:len(want)] {
		if got := e.Action + " " + e.Object; got != want[i] {
			t.Errorf("row %d of the log is %q, not %q", i, got, want[i])
		}
	}
}

// TestAuditorAndAgent sees what the two other roles see.
func TestAuditorAndAgent(t *testing.T) {
	t.Parallel()
	s := serve(t)
	call := s.addCall(s.Alpha, callOf("Nora Lind"))
	s.AddDevice(t, s.Dana, s.Alpha, "desk-1")

	w := s.browser(s.Alpha, s.Audrey)
	w.visit(s.path(s.Alpha, "/calls/"+call))
	w.says("Nora Lind", "Talk share", "The transcript is not shown")
	if strings.Contains(evaluate[string](w, "document.documentElement.outerHTML"), "blue") {
		t.Error("an Auditor's page holds words of the transcript")
	}
	for _, path := range []string{"/calls", "/calls/" + call, "/metrics", "/users", "/users/" + s.Dana.ID, "/devices", "/settings", "/settings/security", logPath} {
		w.visit(s.path(s.Alpha, path))
		if forms := evaluate[[]string](w, `[...document.querySelectorAll("form[method=post]")].map((f) => new URL(f.action).pathname).filter((p) => p !== "/logout")`); len(forms) > 0 {
			t.Errorf("an Auditor's page %s has forms to %v", path, forms)
		}
		if path != "/calls" && (w.has(button("Add users")) || w.has(button("Actions").of("desk-1")) || w.has(button("Delete call"))) {
			t.Errorf("an Auditor's page %s offers changes", path)
		}
	}
	w.expect(http.StatusForbidden, w.goTo(s.path(s.Alpha, "/users/add")))
	w.visit(s.path(s.Alpha, logPath))
	if first := w.entries()[0]; !strings.HasPrefix(first.Action, "Refused access") || first.Actor != "Audrey Abe" {
		t.Errorf("the refusal is not on top of the log: %+v", first)
	}
	if views := s.count(t, portal.CallViewed); views != 0 {
		t.Errorf("an Auditor's look at a call made %d views", views)
	}

	w = s.browser(s.Alpha, s.Agnes)
	w.says("Alpha", "Agents have no administration")
	for _, path := range []string{"/calls", "/calls/" + call, "/users", "/settings", logPath} {
		w.expect(http.StatusForbidden, w.goTo(s.path(s.Alpha, path)))
		if w.has(link("Users")) {
			t.Errorf("an Agent is offered pages on %s", path)
		}
	}
	w.visit("/account")
	w.says("agnes@example.com")
}

// count tells how many events of an action are in Alpha's log.
func (s *site) count(t testing.TB, action string) int {
	t.Helper()
	n := 0
	for _, r := range s.raw(t, s.Alpha) {
		if r.is(action) {
			n++
		}
	}
	return n
}
