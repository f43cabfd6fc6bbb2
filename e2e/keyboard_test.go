package e2e

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hand operates controls, by keyboard or by mouse.
type hand interface {
	press(c control)                            // what stays on the page, such as a menu's button
	follow(c control)                           // what leads to another page
	fetch(c control) (name string, file []byte) // what leads to a file
	enter(c control, text string)               // types into a field
	choose(c control, option string)            // of a list
	tick(c control)                             // a checkbox
}

// insert types a text into what has the focus, all at once.
func (w *window) insert(text string) {
	w.t.Helper()
	call(w, input.InsertText, input.InsertTextParams{Text: text})
}

// keys presses keys, one after the other.
func (w *window) keys(keys string, modifiers ...chromedp.Modifier) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...))); err != nil {
		w.t.Fatal(err)
	}
}

// pick chooses an option of a list that has the focus, with the arrow keys.
func (w *window) pick(c control, option string) {
	w.t.Helper()
	id := w.find(c).BackendDOMNodeID
	w.keys(kb.Home)
	for {
		at := ask[[]string](w, id, "function() { return [this.selectedOptions[0].label, this.options[this.options.length - 1].label]; }")
		if at[0] == option {
			return
		}
		if at[0] == at[1] {
			w.t.Fatalf("%s does not offer %q", c, option)
		}
		w.keys(kb.ArrowDown)
	}
}

// keyboard touches no mouse: it goes from control to control as people do who
// have none, and wants to see where it is.
type keyboard struct{ *window }

// reach is how many stops a control may be away from where the focus is.
const reach = 150

func (k keyboard) press(c control) {
	k.t.Helper()
	k.tabTo(c)
	k.keys(kb.Enter)
}

func (k keyboard) follow(c control) {
	k.t.Helper()
	k.tabTo(c)
	k.expect(200, k.lead(chromedp.KeyEvent(kb.Enter)))
}

func (k keyboard) fetch(c control) (string, []byte) {
	k.t.Helper()
	k.tabTo(c)
	return k.download(chromedp.KeyEvent(kb.Enter))
}

func (k keyboard) enter(c control, text string) {
	k.t.Helper()
	k.tabTo(c)
	k.keys("a", chromedp.ModifierCtrl)
	k.keys(text)
}

func (k keyboard) choose(c control, option string) {
	k.t.Helper()
	k.tabTo(c)
	k.pick(c, option)
}

func (k keyboard) tick(c control) {
	k.t.Helper()
	k.tabTo(c)
	k.keys(" ")
}

// tabTo presses Tab until a control has the focus.
func (k keyboard) tabTo(c control) { k.t.Helper(); k.walk(c, false) }

// tabBackTo presses Shift and Tab until a control has the focus.
func (k keyboard) tabBackTo(c control) { k.t.Helper(); k.walk(c, true) }

func (k keyboard) walk(c control, back bool) {
	k.t.Helper()
	target := k.find(c).BackendDOMNodeID // it is there; now to get to it
	var stops []string
	for range reach {
		if back {
			k.keys(kb.Tab, chromedp.ModifierShift)
		} else {
			k.keys(kb.Tab)
		}
		at := ask[focus](k.window, target, whereFocusIs)
		if at.Name == "" {
			continue // the browser's own controls, then around again
		}
		if at.Wrong != "" {
			k.t.Errorf("%s: the focus on %s cannot be seen: it %s", k.address(), at.Name, at.Wrong)
		}
		if at.There {
			return
		}
		stops = append(stops, at.Name)
	}
	k.t.Fatalf("%s: Tab does not lead to %s within %d stops: %s", k.address(), c, reach, strings.Join(stops, ", "))
}

// focus is what whereFocusIs says of the element that has the focus.
type focus struct {
	Name  string // for messages; "" if no element of the page has it
	There bool   // it is the element that was asked
	Wrong string // why one cannot see that it has the focus, or ""
}

// whereFocusIs tells whether an element has the focus, and whether one can see
// what has it: it is in the window, not covered, and marked.
const whereFocusIs = `function() {
	const on = document.activeElement;
	if (!on || on === document.body) return {};
	const wrong = () => {
		if (!on.matches(":focus-visible")) return "is not :focus-visible";
		const style = getComputedStyle(on);
		if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "has the outline " + style.outline;
		for (let e = on; e; e = e.parentElement) if (getComputedStyle(e).opacity === "0") return "is not opaque";
		if (style.visibility !== "visible") return "is not visible";
		const box = on.getClientRects()[0];
		if (!box || box.width < 4 || box.height < 4) return "has no size";
		if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) return "is outside the window";
		const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1), y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1);
		const top = document.elementFromPoint(x, y);
		if (top && !on.contains(top) && !top.contains(on)) return "is covered by " + top.outerHTML.slice(0, 80);
		return "";
	};
	const text = on.getAttribute("aria-label") || on.labels?.[0]?.innerText || on.innerText || "";
	return { Name: on.localName + " “" + text.trim().slice(0, 60) + "”", There: on === this, Wrong: wrong() };
}`

// mouse clicks and types.
type mouse struct{ *window }

func (m mouse) press(c control)  { m.t.Helper(); m.click(c) }
func (m mouse) follow(c control) { m.t.Helper(); m.window.follow(c) }
func (m mouse) tick(c control)   { m.t.Helper(); m.click(c) }

func (m mouse) fetch(c control) (string, []byte) {
	m.t.Helper()
	x, y := m.middle(c)
	return m.download(chromedp.MouseClickXY(x, y))
}

func (m mouse) enter(c control, text string) {
	m.t.Helper()
	m.click(c)
	m.keys("a", chromedp.ModifierCtrl)
	m.insert(text)
}

func (m mouse) choose(c control, option string) {
	m.t.Helper()
	m.focus(m.find(c).BackendDOMNodeID)
	m.pick(c, option)
}

func (w *window) focus(id cdp.BackendNodeID) {
	w.t.Helper()
	call(w, dom.Focus, dom.FocusParams{BackendNodeID: id})
}
