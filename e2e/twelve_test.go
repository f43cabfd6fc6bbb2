package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// twelveByKeyboard goes through every action that the log has a label for, as
// people do who have no mouse, and then finds exactly these in the log.
func (d demonstration) twelveByKeyboard(t *testing.T) {
	w := open(t, d.origin)
	c := d.cast(w, "Customer Support", "kay@example.com")
	k := keyboard{w}
	k.goTo("/login")
	k.enter(textbox("Email"), d.email)
	k.enter(textbox("Password"), d.password)
	k.follow(button("Sign in"))
	c.work(k)
	k.goTo(c.path + "/calls")
	openLog(k)
	c.find(k)

	k.visit(c.path + "/calls")
	k.tabBackTo(button("Sign out"))
	k.expect(http.StatusOK, k.lead(chromedp.KeyEvent(kb.Enter)))
	k.says("You have been signed out.")
}

// twelveWithoutScripts does the same with JavaScript off, in another team.
func (d demonstration) twelveWithoutScripts(t *testing.T) {
	w := open(t, d.origin)
	c := d.cast(w, "Sales", "piet@example.com")
	w.withoutScripts()
	w.visit("/login")
	m := mouse{w}
	m.enter(textbox("Email"), d.email)
	m.enter(textbox("Password"), d.password)
	m.follow(button("Sign in"))
	c.work(m)
	openLog(m)
	c.find(m)
}

// cast are those on whom the twelve actions are done.
type cast struct {
	*window
	began       time.Time
	team, other string // names
	path        string // of the team's pages
	customer    string // of a call
	device      string
	newcomer    string // a mail address that nobody has
	gone        int    // calls that were deleted before
}

// cast looks for a call and a device in a team of the demonstration, and ends
// signed out.
func (d demonstration) cast(w *window, team, newcomer string) *cast {
	w.t.Helper()
	c := &cast{window: w, team: team, other: "Field Service", newcomer: newcomer}
	w.signIn(d.email, d.password)
	w.follow(link(c.team).inMain())
	c.path = teamPath(w)
	w.visit(c.path + "/calls/deleted")
	deleted := w.rowLinks()
	c.gone = len(deleted)
	w.visit(c.path + "/calls")
	calls := w.rowLinks()
	for _, name := range calls {
		if count(calls, name) == 1 && count(deleted, name) == 0 {
			c.customer = name
			break
		}
	}
	w.visit(c.path + "/devices")
	if devices := w.rowLinks(); len(devices) > 0 {
		c.device = devices[0]
	}
	if c.customer == "" || c.device == "" {
		w.t.Fatalf("%s has the calls %q and the device %q: nothing to work with", c.team, calls, c.device)
	}
	w.follow(button("Sign out"))
	c.began = time.Now().UTC().Truncate(time.Second)
	return c
}

// teams are the names on the page that chooses one.
func (w *window) teams() []string {
	w.t.Helper()
	return evaluate[[]string](w, "[...document.querySelectorAll('main a')].map((a) => a.textContent)")
}

// teamPath is the beginning of the addresses of the team that is shown.
func teamPath(w *window) string { return strings.Join(strings.SplitN(w.path(), "/", 4)[:3], "/") }

// rowLinks are the names that head the rows of a list.
func (w *window) rowLinks() []string {
	w.t.Helper()
	return evaluate[[]string](w, "[...document.querySelectorAll('main [data-row]')].map((a) => a.innerText.trim())")
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// work does the twelve actions.
func (c *cast) work(h hand) {
	c.t.Helper()
	h.follow(link(c.team).inMain())
	c.workOnCall(h)
	c.workOnPeople(h)

	h.follow(link("Devices").inNav("Main"))
	h.press(button("Actions").of(c.device))
	h.follow(link("Move to another team").inMain())
	h.choose(combobox("Team"), c.other)
	h.follow(button("Move to another team"))
	c.says(c.device + " was moved to " + c.other + ".")
}

// workOnCall views, exports, edits, resets, deletes and restores.
func (c *cast) workOnCall(h hand) {
	c.t.Helper()
	h.follow(link(c.customer).inMain())
	said := evaluate[[]string](c.window, "[...document.querySelectorAll('.turn-text')].map((e) => e.textContent)")
	if len(said) < 2 {
		c.t.Fatalf("the call shows no transcript: %s", c.text())
	}
	h.press(button("Export transcript"))
	name, file := h.fetch(button("Text (.txt)"))
	for _, want := range append(said, c.customer) {
		if !strings.HasSuffix(name, ".txt") || !strings.Contains(string(file), want) {
			c.t.Errorf("%s holds no %q: %q", name, want, file)
		}
	}

	h.press(button("Edit").of("Talk share"))
	form := control{role: "dialog", name: "Edit Talk share"}
	h.enter(textbox("Value").in(form), "42")
	h.enter(textbox("Reason").in(form), "heard it again")
	h.follow(button("Save").in(form))
	c.says("42", "The value is saved.")
	h.follow(button("Reset").of("Talk share"))
	c.says("The value is back at its default.")

	h.follow(button("Delete call"))
	h.enter(textbox("Reason"), "asked for")
	h.follow(button("Delete call"))
	c.says("The call was deleted.")
	if slices.Contains(c.rowLinks(), c.customer) {
		c.t.Errorf("the list still has the call of %s", c.customer)
	}
	h.follow(link(fmt.Sprintf("Deleted calls %d", c.gone+1)))
	h.follow(button("Restore call").of(c.customer))
	c.says("The call was restored.")
}

// workOnPeople adds somebody, changes the role, blocks, unblocks and deletes.
func (c *cast) workOnPeople(h hand) {
	c.t.Helper()
	h.follow(link("Users").inNav("Main"))
	h.follow(button("Add users"))
	h.enter(textbox("Emails"), c.newcomer)
	h.choose(combobox("Role"), "Agent")
	h.follow(button("Add users"))
	c.says("1 user added", c.newcomer)
	for _, step := range []struct{ action, done string }{
		{"Change role", "given the role Auditor"}, {"Block", "blocked"}, {"Unblock", "unblocked"}, {"Delete", "deleted"},
	} {
		h.follow(link("Users").inNav("Main"))
		h.press(button("Actions").of(c.newcomer))
		h.follow(link(step.action).inMain())
		if step.action == "Change role" {
			h.choose(combobox("Role"), "Auditor")
		}
		h.enter(textbox("Reason"), "as agreed")
		h.follow(button(step.action))
		c.says(c.newcomer + " was " + step.done + ".")
	}
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

// find filters the log to the twelve actions and compares its beginning with
// what work did: exactly that is newer than the beginning of the work, and
// each object leads to its place.
func (c *cast) find(h hand) {
	c.t.Helper()
	if got, want := c.columns(), []string{"Timestamp (UTC)", "Actor", "Action", "Object"}; !slices.Equal(got, want) {
		c.t.Errorf("the columns are %q, not %q", got, want)
	}
	filterActions(h, inMenuOrder...)
	var want []string
	for _, action := range theTwelve {
		want = append([]string{"Dana Cruz: " + action + " " + c.object(action)}, want...)
	}
	var got []string
	entries := c.entries()
	for _, e := range entries {
		at, err := time.Parse("2006-01-02 15:04:05", e.Time)
		if err != nil {
			c.t.Fatal(err)
		}
		if !at.Before(c.began) {
			got = append(got, fmt.Sprintf("%s: %s %s", e.Actor, e.Action, e.Object))
		}
		if !slices.Contains(theTwelve, e.Action) {
			c.t.Errorf("among the twelve actions is %q", e.Action)
		}
	}
	if !slices.Equal(got, want) {
		c.t.Fatalf("the log shows\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if !slices.IsSortedFunc(entries, func(a, b entry) int { return strings.Compare(b.Time, a.Time) }) {
		c.t.Error("the log is not newest first")
	}
	for _, e := range entries[:len(theTwelve)] {
		c.leads(e)
	}
}

// object is how the log names what an action was done to.
func (c *cast) object(action string) string {
	switch action {
	case "Move device":
		return c.device
	case "Created new user", "Changed user role", "Blocked user", "Unblocked user", "Deleted user":
		return c.newcomer
	}
	return "Call " + c.customer
}

// leads follows the link of an entry's object.
func (c *cast) leads(e entry) {
	c.t.Helper()
	if e.Link == "" {
		c.t.Errorf("%s: %s is no link", e.Action, e.Object)
		return
	}
	c.visit(e.Link)
	switch e.Object {
	case c.newcomer:
		c.says("This user was deleted on", "by Dana Cruz")
	case c.device:
		c.says("This device was moved to "+c.other+" on", "by Dana Cruz")
	default:
		c.says("Customer " + c.customer)
	}
}
