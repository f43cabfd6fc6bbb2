package e2e

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// evil is what somebody might type so that it runs where others read it.
const evil = `"'><img src=x onerror=canary=1><script>canary=1</script></textarea></title>`

// more are further tries, for fields that hold longer texts.
const more = evil + ` <svg onload=canary=1> <a href="javascript:canary=1">x</a> <iframe srcdoc="<script>parent.canary=1</script>"></iframe> <style>@import "//evil.example"</style> <!--`

// TestTypedScripts puts markup and scripts into every text that a person can
// give, then looks at every page.
func TestTypedScripts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ctx := context.Background()
	c := callOf(evil)
	c.Agent, c.Device, c.Topic = evil, evil, evil
	for i := range c.Turns {
		c.Turns[i].Text = more
	}
	c.Turns[2].Speaker = evil
	call := s.addCall(s.Alpha, c)
	gone := s.addCall(s.Alpha, callOf("<script>canary=1</script>"))
	if _, err := s.DeleteCall(ctx, s.Dana, s.Alpha, gone, "", more); err != nil {
		t.Fatal(err)
	}
	device := s.AddDevice(t, s.Dana, s.Alpha, "desk-1").ID

	w := s.browser(s.Alpha, s.Dana)
	s.typeEverywhere(w, call, device)

	kinds := s.crawl(w, "/")
	team := "/t/*"
	for _, kind := range []string{"/account", team + "/calls/*", team + "/calls/*/history", team + "/calls/*/delete", team + "/users/*/role", team + "/devices/*/move", team + "/metrics", team + "/settings", team + logPath + "/*"} {
		if kinds[kind] == 0 {
			t.Errorf("no page of the kind %s among those that were found: %v", kind, kinds)
		}
	}
	w.visit(s.path(s.Alpha, "/calls/"+call))
	w.says(evil, "<iframe srcdoc=")
	w.visit(s.path(s.Alpha, logPath))
	w.says(evil)

	// What an address asks for is shown again as well.
	for _, path := range []string{"/calls?q=", "/users?q=", "/devices?q=", "/calls?agent=", logPath + "?object=", logPath + "?actor="} {
		w.visit(s.path(s.Alpha, path+url.QueryEscape(evil)))
	}
	for _, path := range []string{"/calls?from=", "/calls?direction=", logPath + "?q=colour:", logPath + "?from="} {
		w.expect(http.StatusUnprocessableEntity, w.goTo(s.path(s.Alpha, path+url.QueryEscape(evil))))
	}
	for _, path := range []string{"/calls/", "/users/", "/devices/", logPath + "/"} {
		w.expect(http.StatusNotFound, w.goTo(s.path(s.Alpha, path+url.PathEscape(evil))))
	}
	w.visit("/login?notice=" + url.QueryEscape(evil) + "&next=" + url.QueryEscape("javascript:canary=1"))
	w.follow(button("Sign out"))
	w.visit("/login?notice=" + url.QueryEscape(evil) + "&next=" + url.QueryEscape("javascript:canary=1"))
	evaluate[bool](w, "document.forms[0].noValidate = true")
	w.fill(textbox("Email"), evil)
	w.fill(textbox("Password"), evil)
	w.expect(http.StatusForbidden, w.clickTo(button("Sign in")))
	w.expect(http.StatusNotFound, w.goTo("/link/"+url.PathEscape(evil)))
}

// typeEverywhere fills every field of the portal's forms with markup.
func (s *site) typeEverywhere(w *window, opened, device string) {
	w.t.Helper()
	refused := http.StatusUnprocessableEntity

	w.visit("/account")
	w.fill(textbox("Name"), evil)
	w.follow(button("Save name"))
	if got := evaluate[string](w, "document.getElementById('account-name').value"); got != evil {
		w.t.Errorf("the name reads %q", got)
	}

	w.visit(s.path(s.Alpha, "/settings"))
	w.fill(textbox("Team name"), evil)
	w.follow(button("Save"))

	w.visit(s.path(s.Alpha, "/users/add"))
	file := filepath.Join(folder(w.t), "people.csv")
	if err := os.WriteFile(file, []byte("email,name\nmia@example.com,\""+strings.ReplaceAll(evil, `"`, `""`)+"\"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	upload := call(w, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.querySelector('input[type=file]')"})
	call(w, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, ObjectID: upload.Result.ObjectID})
	w.fill(textbox("Emails"), `lea@example.com <script>canary=1</script>@example.com `+evil)
	w.fill(textbox("Reason"), more)
	mouse{w}.choose(combobox("Role"), "Auditor")
	w.follow(button("Add users"))
	w.says("2 users added", "script>canary=1</script>@example.com cannot be a mail address")

	w.visit(s.path(s.Alpha, "/users/"+s.Agnes.ID))
	for _, action := range []string{"Block", "Unblock"} {
		w.follow(button(action))
		w.fill(textbox("Reason"), more)
		w.follow(button(action))
	}

	w.visit(s.path(s.Alpha, "/devices/add"))
	w.fill(textbox("Hostname"), evil)
	w.expect(refused, w.clickTo(button("Add device")))
	w.visit(s.path(s.Alpha, "/devices/"+device))
	w.follow(button("Block"))
	w.fill(textbox("Reason"), more)
	w.follow(button("Block"))

	w.visit(s.path(s.Alpha, "/calls/"+opened))
	for _, value := range []string{evil[:32], "5"} {
		w.click(button("Edit").of("Filler words"))
		form := control{role: "dialog", name: "Edit Filler words"}
		w.fill(textbox("Value").in(form), value)
		w.fill(textbox("Reason").in(form), more)
		if value == "5" {
			w.follow(button("Save").in(form))
			break
		}
		w.expect(refused, w.clickTo(button("Save").in(form)))
		w.visit(s.path(s.Alpha, "/calls/"+opened))
	}
}

// ids are the parts of addresses that differ between pages of one kind.
var ids = regexp.MustCompile(`[a-z]+_[0-9a-z]{26}`)

// crawl follows links from a page, and opens the pages of the forms that ask
// by GET, until every kind of page was seen, and twelve events. No link may be
// dead. It gives the kinds, with how many pages of each it opened.
func (s *site) crawl(w *window, from string) map[string]int {
	w.t.Helper()
	waiting, kinds := []string{from}, map[string]int{}
	for len(waiting) > 0 {
		next := waiting[0]
		waiting = waiting[1:]
		w.visit(next)
		for _, l := range evaluate[[]string](w, `[...document.querySelectorAll("a[href]:not([download])")].map((a) => new URL(a.getAttribute("href"), document.baseURI).href)
			.concat([...document.querySelectorAll("form[method=get]:not([id=bulk])")].filter((f) => f.elements.length === 1).map((f) => f.action))`) {
			u, err := url.Parse(l)
			if err != nil || u.Scheme+"://"+u.Host != s.origin {
				w.t.Errorf("%s leads out of the portal, to %s", w.address(), l)
				continue
			}
			kind := ids.ReplaceAllString(u.Path, "*")
			most := 1
			if strings.HasSuffix(kind, logPath+"/*") {
				most = 12
			} else {
				for _, name := range slices.Sorted(maps.Keys(u.Query())) {
					kind += " " + name
				}
			}
			if kinds[kind] < most {
				kinds[kind]++
				waiting = append(waiting, u.RequestURI())
			}
		}
	}
	return kinds
}

// TestWindowNotices makes sure that the other tests would notice a page that
// misbehaves.
func TestWindowNotices(t *testing.T) {
	t.Parallel()
	var faulty http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Security-Policy", "script-src 'self'")
			w.Write([]byte(`<!doctype html><script>canary=1</script><img src="/missing.png"><script src="/script.js"></script>`))
		case "/script.js":
			w.Header().Set("Content-Type", "text/javascript")
			w.Write([]byte(`console.error("a complaint"); alert("a dialog"); undefinedName();`))
		case "/favicon.ico": // the browser asks when it likes
			w.WriteHeader(http.StatusNoContent)
		default:
			http.NotFound(w, r)
		}
	}
	server := httptest.NewServer(faulty)
	defer server.Close()
	w := launch(t, server.URL)
	w.visit("/")
	for _, want := range []string{"a complaint", "a dialog", "undefinedName", "Content Security Policy", "404"} {
		if all := strings.Join(w.found(), "\n"); !strings.Contains(all, want) {
			t.Errorf("%q is not among what was noticed:\n%s", want, all)
		}
	}
	w.expect(http.StatusNotFound, w.goTo("/nowhere"))
	before := len(w.found())
	w.goTo("/elsewhere")
	if got := w.found(); len(got) != before {
		t.Errorf("a page whose status is asked for is a fault: %v", got)
	}
}
