package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// control names something on a page as assistive technology does.
type control struct {
	role, name string
	about      string   // what its description begins with, such as the row that a button is about; or ""
	within     *control // or nil for the whole page
}

func link(name string) control      { return control{role: "link", name: name} }
func button(name string) control    { return control{role: "button", name: name} }
func textbox(name string) control   { return control{role: "textbox", name: name} }
func searchbox(name string) control { return control{role: "searchbox", name: name} }
func checkbox(name string) control  { return control{role: "checkbox", name: name} }
func combobox(name string) control  { return control{role: "combobox", name: name} }

func (c control) of(about string) control   { c.about = about; return c }
func (c control) in(outer control) control  { c.within = &outer; return c }
func (c control) inNav(name string) control { return c.in(control{role: "navigation", name: name}) }
func (c control) inMain() control           { return c.in(control{role: "main"}) }

func (c control) String() string {
	s := fmt.Sprintf("the %s %q", c.role, c.name)
	if c.about != "" {
		s += fmt.Sprintf(" of %q", c.about)
	}
	if c.within != nil {
		s += " in " + c.within.String()
	}
	return s
}

// is tells whether a node of the accessibility tree is this control.
func (c control) is(n *accessibility.Node) bool {
	return !n.Ignored && value(n.Role) == c.role && (c.name == "" || value(n.Name) == c.name) && strings.HasPrefix(value(n.Description), c.about)
}

func value(v *accessibility.Value) string {
	var s string
	if v != nil {
		json.Unmarshal([]byte(v.Value), &s) // whatever is no text is not asked for
	}
	return s
}

// query gives the nodes of a page that are a control.
func (c control) query(ctx context.Context, t *chromedp.Target) ([]*accessibility.Node, error) {
	root := accessibility.QueryAXTreeParams{AccessibleName: c.name, Role: c.role}
	if c.within != nil {
		outer, err := c.within.query(ctx, t)
		if err != nil || len(outer) == 0 {
			return nil, err
		}
		if len(outer) > 1 {
			return nil, fmt.Errorf("there are %d of %s", len(outer), c.within)
		}
		root.BackendNodeID = outer[0].BackendDOMNodeID
	} else {
		document, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
		if err != nil {
			return nil, err
		}
		root.ObjectID = document.Result.ObjectID
	}
	found, err := cdp.Call(ctx, t, accessibility.QueryAXTree, root)
	if err != nil {
		return nil, err
	}
	var nodes []*accessibility.Node
	for _, n := range found.Nodes {
		if c.is(n) {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// nodes gives the controls that are there now.
func (w *window) nodes(c control) []*accessibility.Node {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	nodes, err := chromedp.Run(ctx, c.query)
	if err != nil {
		w.t.Fatalf("looking for %s: %v", c, err)
	}
	return nodes
}

// has tells whether there is such a control now.
func (w *window) has(c control) bool {
	w.t.Helper()
	return len(w.nodes(c)) > 0
}

// find waits for a control, and fails the test unless there is exactly one.
func (w *window) find(c control) *accessibility.Node {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		switch nodes := w.nodes(c); {
		case len(nodes) == 1:
			return nodes[0]
		case len(nodes) > 1:
			w.t.Fatalf("%s has %d of %s", w.address(), len(nodes), c)
		case time.Now().After(deadline):
			w.t.Fatalf("%s has no %s: %s", w.address(), c, w.text())
		}
		time.Sleep(20 * time.Millisecond) // between looks, not instead of one
	}
}

// ask calls a function of JavaScript on a node and gives what it returns.
func ask[T any](w *window, id cdp.BackendNodeID, function string) T {
	w.t.Helper()
	object := call(w, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id}).Object
	byValue := true
	r := call(w, runtime.CallFunctionOn, runtime.CallFunctionOnParams{FunctionDeclaration: function, ObjectID: object.ObjectID, ReturnByValue: &byValue})
	var v T
	if r.ExceptionDetails != nil {
		w.t.Fatalf("%s: %s", function, r.ExceptionDetails.Text)
	}
	if err := json.Unmarshal([]byte(r.Result.Value), &v); err != nil {
		w.t.Fatalf("%s gave %s: %v", function, r.Result.Value, err)
	}
	return v
}

// click clicks in the middle of a control, where it must not be covered.
func (w *window) click(c control) {
	w.t.Helper()
	x, y := w.middle(c)
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(x, y)); err != nil {
		w.t.Fatalf("clicking %s: %v", c, err)
	}
}

// middle scrolls to a control and gives the middle of what is seen of it.
func (w *window) middle(c control) (x, y float64) {
	w.t.Helper()
	id := w.find(c).BackendDOMNodeID
	call(w, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id})
	at := ask[[]float64](w, id, `function() {
		const boxes = [...this.getClientRects(), ...[...(this.labels ?? [])].flatMap((l) => [...l.getClientRects()])];
		for (const box of boxes) {
			const x = box.left + box.width / 2, y = box.top + box.height / 2;
			const hit = document.elementFromPoint(x, y);
			if (hit && (this.contains(hit) || [...(this.labels ?? [])].some((l) => l.contains(hit)))) return [x, y];
		}
		return [];
	}`)
	if len(at) != 2 {
		w.t.Fatalf("%s: %s cannot be clicked: it is covered or has no size", w.address(), c)
	}
	return at[0], at[1]
}

// clickTo clicks what leads to another page, and gives the page's status.
func (w *window) clickTo(c control) int {
	w.t.Helper()
	x, y := w.middle(c)
	return w.lead(chromedp.MouseClickXY(x, y))
}

// follow clicks what leads to another page that must be there.
func (w *window) follow(c control) {
	w.t.Helper()
	w.expect(200, w.clickTo(c))
}

// fill puts a text in place of what a field holds, all at once.
func (w *window) fill(c control, text string) {
	w.t.Helper()
	id := w.find(c).BackendDOMNodeID
	call(w, dom.Focus, dom.FocusParams{BackendNodeID: id})
	ask[bool](w, id, "function() { this.select(); return true; }")
	w.insert(text)
}

// signIn goes through the page that everybody begins at.
func (w *window) signIn(email, password string) {
	w.t.Helper()
	w.visit("/login")
	w.fill(textbox("Email"), email)
	w.fill(textbox("Password"), password)
	w.follow(button("Sign in"))
	if w.path() == "/login" {
		w.t.Fatalf("%s could not sign in: %s", email, w.text())
	}
}
