package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"onrecord/portal/portaltest"
)

// TestTwelveActions goes through every action that the log has a label for, as
// people do, once by keyboard alone and once without JavaScript, and then
// finds exactly these in the log.
func TestTwelveActions(t *testing.T) {
	t.Parallel()
	t.Run("by keyboard", func(t *testing.T) {
		t.Parallel()
		s, w := twelve(t)
		k := keyboard{w}
		k.enter(textbox("Email"), "bo@example.com")
		k.enter(textbox("Password"), portaltest.Password)
		k.follow(button("Sign in"))
		s.work(w, k)
		k.goTo(s.path(s.Alpha, "/calls"))
		openLog(k)
		s.findTwelve(w, k)

		k.visit(s.path(s.Alpha, "/calls"))
		k.tabBackTo(button("Sign out"))
		k.expect(http.StatusOK, k.lead(chromedp.KeyEvent(kb.Enter)))
		k.says("You have been signed out.")
	})
	t.Run("without JavaScript", func(t *testing.T) {
		t.Parallel()
		s, w := twelve(t)
		w.withoutScripts()
		w.visit("/login")
		m := mouse{w}
		m.enter(textbox("Email"), "bo@example.com")
		m.enter(textbox("Password"), portaltest.Password)
		m.follow(button("Sign in"))
		s.work(w, m)
		openLog(m)
		s.findTwelve(w, m)
	})
}

// twelve makes a team with a call and a device, and opens the sign-in page for
// Bo, who is an Admin in both teams.
func twelve(t *testing.T) (*site, *window) {
	t.Helper()
	s := serve(t)
	s.addCall(s.Alpha, callOf("Nora Lind"))
	s.AddDevice(t, s.Dana, s.Alpha, "desk-1")
	s.SignedIn(t, s.Alpha, s.Bo)
	w := open(t, s.origin)
	w.visit("/login")
	return s, w
}

// work does the twelve actions in Alpha.
func (s *site) work(w *window, h hand) {
	w.t.Helper()
	h.follow(link("Alpha").inMain())

	h.follow(link("Nora Lind").inMain())
	w.says("My card is blue. I lost it.")
	h.press(button("Export transcript"))
	name, file := h.fetch(button("Text (.txt)"))
	if !strings.HasSuffix(name, ".txt") || !strings.Contains(string(file), "My card is blue. I lost it.") || !strings.Contains(string(file), "Nora Lind") {
		w.t.Errorf("%s holds %q", name, file)
	}

	h.press(button("Edit").of("Talk share"))
	form := control{role: "dialog", name: "Edit Talk share"}
	h.enter(textbox("Value").in(form), "42")
	h.enter(textbox("Reason").in(form), "heard it again")
	h.follow(button("Save").in(form))
	w.says("42", "The value is saved.")
	h.follow(button("Reset").of("Talk share"))
	w.says("The value is back at its default.")

	h.follow(button("Delete call"))
	h.enter(textbox("Reason"), "asked for")
	h.follow(button("Delete call"))
	w.says("The call was deleted.", "No calls yet")
	h.follow(link("Deleted calls 1"))
	h.follow(button("Restore call").of("Nora Lind"))
	w.says("The call was restored.")

	h.follow(link("Users").inNav("Main"))
	h.follow(button("Add users"))
	h.enter(textbox("Emails"), "sam@example.com")
	h.choose(combobox("Role"), "Agent")
	h.follow(button("Add users"))
	w.says("1 user added", "sam@example.com")
	for _, step := range []struct{ action, done string }{
		{"Change role", "given the role Auditor"}, {"Block", "blocked"}, {"Unblock", "unblocked"}, {"Delete", "deleted"},
	} {
		h.follow(link("Users").inNav("Main"))
		h.press(button("Actions").of("sam@example.com"))
		h.follow(link(step.action).inMain())
		if step.action == "Change role" {
			h.choose(combobox("Role"), "Auditor")
		}
		h.enter(textbox("Reason"), "as agreed")
		h.follow(button(step.action))
		w.says("sam@example.com was " + step.done + ".")
	}

	h.follow(link("Devices").inNav("Main"))
	h.press(button("Actions").of("desk-1"))
	h.follow(link("Move to another team").inMain())
	h.choose(combobox("Team"), "Beta")
	h.follow(button("Move to another team"))
	w.says("desk-1 was moved to Beta.")
}

// theTwelve are the labels of the actions, as work does them.
var theTwelve = []string{
	"Viewed call", "Exported Call Transcript", "Edit metric value", "Reset metric value", "Deleted call", "Restore call",
	"Created new user", "Changed user role", "Blocked user", "Unblocked user", "Deleted user", "Move device",
}

// inMenuOrder are they as the menu Action lists them.
var inMenuOrder = []string{
	"Viewed call", "Exported Call Transcript", "Deleted call", "Restore call", "Edit metric value", "Reset metric value",
	"Created new user", "Changed user role", "Deleted user", "Blocked user", "Unblocked user", "Move device",
}

// findTwelve filters the log to the twelve actions and compares it with what
// work did, and with the people that the team began with.
func (s *site) findTwelve(w *window, h hand) {
	w.t.Helper()
	if got, want := w.columns(), []string{"Timestamp (UTC)", "Actor", "Action", "Object"}; !slices.Equal(got, want) {
		w.t.Errorf("the columns are %q, not %q", got, want)
	}
	filterActions(h, inMenuOrder...)
	var want []string
	for _, action := range theTwelve {
		object := "Call Nora Lind"
		switch action {
		case "Move device":
			object = "desk-1"
		case "Created new user", "Changed user role", "Blocked user", "Unblocked user", "Deleted user":
			object = "sam@example.com"
		}
		want = append([]string{"Bo Both: " + action + " " + object}, want...)
	}
	for _, name := range []string{"bo", "agnes", "audrey", "adam"} {
		want = append(want, "Dana Cruz: Created new user "+name+"@example.com")
	}
	want = append(want, "olga@console: Created new user dana@example.com")

	var got []string
	entries := w.entries()
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%s: %s %s", e.Actor, e.Action, e.Object))
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("the log shows\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, e := range entries[:len(theTwelve)] {
		if e.Link == "" {
			w.t.Errorf("%s: %s is no link", e.Action, e.Object)
			continue
		}
		w.visit(e.Link)
		switch e.Object {
		case "sam@example.com":
			w.says("This user was deleted on", "by Bo Both")
		case "desk-1":
			w.says("This device was moved to Beta on", "by Bo Both")
		default:
			w.says("Customer Nora Lind")
		}
	}
}
