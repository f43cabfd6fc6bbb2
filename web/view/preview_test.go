package view

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"onrecord/web/assets"
)

var preview = flag.String("preview", "", "folder to write every page and its assets to, for looking at them in a browser")

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// element is one element of a page with what the checks ask about it.
type element struct {
	name     string
	attr     map[string]string
	children []*element
	text     string // of this element and all under it
}

func (e *element) walk(visit func(*element)) {
	visit(e)
	for _, c := range e.children {
		c.walk(visit)
	}
}

func (e *element) all(name string) []*element {
	var found []*element
	e.walk(func(x *element) {
		if x.name == name {
			found = append(found, x)
		}
	})
	return found
}

// parse reads a page as the well-formed markup that templ writes; an element
// that is not closed is an error.
func parse(page string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := &element{name: "#page"}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) != 1 {
				return nil, errors.New("not closed: " + stack[len(stack)-1].name)
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			e := &element{name: x.Name.Local, attr: map[string]string{}}
			for _, a := range x.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			top := stack[len(stack)-1]
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			for _, e := range stack {
				e.text += string(x)
			}
		}
	}
}

func TestPages(t *testing.T) {
	for name, component := range samples() {
		t.Run(name, func(t *testing.T) {
			page := render(t, component)
			if strings.Contains(page, "TemplFailedSanitizationURL") {
				t.Error("an address was refused")
			}
			root, err := parse(page)
			if err != nil {
				t.Fatal(err)
			}
			checkPolicy(t, root)
			checkHeadings(t, root)
			checkIDs(t, root)
			checkNames(t, root)
			checkForms(t, root)
			checkTables(t, root)
		})
	}
}

// checkPolicy holds pages to a Content-Security-Policy without 'unsafe-inline'.
func checkPolicy(t *testing.T, root *element) {
	root.walk(func(e *element) {
		switch {
		case e.name == "style":
			t.Error("a style element")
		case e.name == "script" && (e.attr["src"] == "" || strings.TrimSpace(e.text) != ""):
			t.Error("an inline script")
		}
		for attr, value := range e.attr {
			if attr == "style" || strings.HasPrefix(attr, "on") {
				t.Errorf("<%s %s=%q>", e.name, attr, value)
			}
			if (attr == "src" || e.name == "link") && strings.Contains(value, "//") {
				t.Errorf("<%s %s=%q> asks another server", e.name, attr, value)
			}
		}
	})
}

func checkHeadings(t *testing.T, root *element) {
	if h := root.all("h1"); len(h) != 1 || strings.TrimSpace(h[0].text) == "" {
		t.Errorf("%d headings h1, want one with text", len(h))
	}
	if titles := root.all("head")[0].all("title"); len(titles) != 1 || !strings.HasSuffix(titles[0].text, "OnRecord") {
		t.Error("the window has no title")
	}
	if root.all("html")[0].attr["lang"] == "" {
		t.Error("the page names no language")
	}
}

func checkIDs(t *testing.T, root *element) {
	seen := map[string]bool{}
	root.walk(func(e *element) {
		if id := e.attr["id"]; id != "" {
			if seen[id] {
				t.Errorf("id %q twice", id)
			}
			seen[id] = true
		}
	})
	root.walk(func(e *element) {
		for _, attr := range []string{"for", "form", "aria-labelledby", "aria-describedby", "popovertarget", "list"} {
			for _, id := range strings.Fields(e.attr[attr]) {
				if !seen[id] {
					t.Errorf("<%s %s=%q> points nowhere", e.name, attr, id)
				}
			}
		}
		if href := e.attr["href"]; len(href) > 1 && href[0] == '#' && !seen[href[1:]] {
			t.Errorf("link %q points nowhere", href)
		}
	})
}

// checkNames wants an accessible name on everything that can be operated.
func checkNames(t *testing.T, root *element) {
	labelled := map[string]bool{}
	wrapped := map[*element]bool{}
	for _, l := range root.all("label") {
		if strings.TrimSpace(l.text) == "" {
			t.Errorf("the label for %q is empty", l.attr["for"])
		}
		labelled[l.attr["for"]] = true
		l.walk(func(e *element) { wrapped[e] = l.attr["for"] == "" })
	}
	root.walk(func(e *element) {
		name := e.attr["aria-label"] + e.attr["aria-labelledby"]
		switch e.name {
		case "input", "select", "textarea":
			if e.attr["type"] != "hidden" && name == "" && !labelled[e.attr["id"]] && !wrapped[e] {
				t.Errorf("<%s name=%q> has no label", e.name, e.attr["name"])
			}
		case "a", "button":
			if name == "" && strings.TrimSpace(e.text) == "" {
				t.Errorf("<%s> without a name: %v", e.name, e.attr)
			}
		case "nav", "section", "dialog":
			if name == "" && e.attr["class"] != "card" {
				t.Errorf("<%s> without a name", e.name)
			}
		case "svg":
			if e.attr["aria-hidden"] != "true" {
				t.Error("an icon that is read aloud")
			}
		}
	})
}

func checkForms(t *testing.T, root *element) {
	for _, f := range root.all("form") {
		if !slices.Contains([]string{"get", "post", "dialog"}, f.attr["method"]) {
			t.Errorf("form to %q with method %q", f.attr["action"], f.attr["method"])
		}
		if f.attr["action"] == "" && f.attr["method"] != "dialog" {
			t.Error("a form without an address")
		}
		submits := 0
		for _, b := range f.all("button") {
			if b.attr["type"] != "button" {
				submits++
			}
		}
		if submits == 0 {
			t.Errorf("the form to %q cannot be sent", f.attr["action"])
		}
		f.walk(func(e *element) {
			if e != f && e.name == "form" {
				t.Errorf("a form inside the form to %q", f.attr["action"])
			}
		})
	}
}

func checkTables(t *testing.T, root *element) {
	for _, table := range root.all("table") {
		heads := table.all("thead")
		if len(heads) != 1 {
			t.Error("a table without a head")
			continue
		}
		columns := heads[0].all("th")
		for _, h := range columns {
			if h.attr["scope"] != "col" || strings.TrimSpace(h.text) == "" {
				t.Errorf("column heading %q with scope %q", h.text, h.attr["scope"])
			}
		}
		for _, row := range table.all("tbody")[0].children {
			if cells := len(row.children); cells != len(columns) && row.attr["class"] != "open-form" {
				t.Errorf("a row of %d cells under %d headings", cells, len(columns))
			}
		}
	}
}

func texts(elements []*element) []string {
	var all []string
	for _, e := range elements {
		all = append(all, strings.Join(strings.Fields(e.text), " "))
	}
	return all
}

func TestAuditLogNames(t *testing.T) {
	root, err := parse(render(t, AuditLogPage(sampleLog())))
	if err != nil {
		t.Fatal(err)
	}
	tables := root.all("table")
	for _, d := range root.all("details") { // its table is none until it is opened
		inside := d.all("table")
		tables = slices.DeleteFunc(tables, func(e *element) bool { return slices.Contains(inside, e) })
	}
	if len(tables) != 1 {
		t.Fatalf("%d tables, want one", len(tables))
	}
	if got, want := texts(tables[0].all("th")), []string{"Timestamp (UTC)", "Actor", "Action", "Object"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	row := tables[0].all("tbody")[0].children[0]
	if got, want := texts(row.all("td")), []string{"2026-11-23 18:44:14", "Dana Cruz", "Changed user role", "Sam Roe agent → admin"}; !slices.Equal(got, want) {
		t.Errorf("first row %q, want %q", got, want)
	}
	buttons := texts(root.all("button"))
	for _, name := range []string{"Timestamp", "Actor", "Action", "Object"} {
		if !slices.Contains(buttons, name) {
			t.Errorf("no button %q in %q", name, buttons)
		}
	}
	links := texts(root.all("a"))
	for _, name := range []string{"Older", "Newer", "Calls", "Metrics", "Users", "Devices", "Team settings", "General", "Security", "Audit Logs", "Show everything"} {
		if !slices.Contains(links, name) {
			t.Errorf("no link %q", name)
		}
	}
}

func TestCallNames(t *testing.T) {
	root, err := parse(render(t, CallPage(sampleCall())))
	if err != nil {
		t.Fatal(err)
	}
	buttons := texts(root.all("button"))
	for _, name := range []string{"Export transcript", "Text (.txt)", "WebVTT (.vtt)", "JSON (.json)", "Delete call", "Edit", "Reset", "Save"} {
		if !slices.Contains(buttons, name) {
			t.Errorf("no button %q in %q", name, buttons)
		}
	}
	var rows []string
	for _, h := range root.all("th") {
		if h.attr["scope"] == "row" {
			rows = append(rows, h.text)
		}
	}
	if !slices.Contains(rows, "Talk share") {
		t.Errorf("no row headed Talk share in %q", rows)
	}
}

func TestAuditorSeesNoForms(t *testing.T) {
	pages := samples()
	for _, name := range []string{"call-auditor", "users-auditor", "metrics-auditor", "general-auditor"} {
		root, err := parse(render(t, pages[name]))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range root.all("form") {
			if f.attr["method"] == "post" && f.attr["action"] != "/logout" {
				t.Errorf("%s: a form to %q", name, f.attr["action"])
			}
		}
	}
	if strings.Contains(render(t, pages["call-auditor"]), "Patricia Brown.") {
		t.Error("an Auditor's page holds words of the transcript")
	}
}

func TestQueryErrorMarks(t *testing.T) {
	for _, c := range []struct {
		start, end            int
		before, marked, after string
	}{
		{2, 4, "aé", "b", "cd"}, // 2 lies inside é, so the mark begins after it
		{-5, 99, "", "aébcd", ""},
		{9, 3, "aébcd", "", ""},
	} {
		before, marked, after := QueryError{Start: c.start, End: c.end}.parts("aébcd")
		if before+marked+after != "aébcd" {
			t.Errorf("%d-%d lost text: %q %q %q", c.start, c.end, before, marked, after)
		}
		if before != c.before || marked != c.marked || after != c.after {
			t.Errorf("%d-%d: %q %q %q", c.start, c.end, before, marked, after)
		}
	}
}

// TestPreview writes the pages when asked to: go test ./web/view -preview DIR.
func TestPreview(t *testing.T) {
	if *preview == "" {
		return
	}
	write := func(path string, content []byte) {
		path = filepath.Join(*preview, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range samples() {
		write(name+".html", []byte(render(t, c)))
	}
	for _, name := range []string{"portal.css", "keys.js", "lists.js", "log.js", "live.js", "export.js", "report.css", "icon.svg"} {
		answer := httptest.NewRecorder()
		assets.Handler().ServeHTTP(answer, httptest.NewRequest("GET", assets.URL(name), nil))
		write(assets.URL(name), answer.Body.Bytes())
	}
}
