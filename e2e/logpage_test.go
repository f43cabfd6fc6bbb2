package e2e

import (
	"path"
	"strings"
)

// entry is one row of the page Audit Logs.
type entry struct {
	Event  string // its id
	Time   string // of the column Timestamp (UTC)
	Actor  string
	Action string
	Object string
	Link   string // the object's, without the server; "" if it is no link
}

// columns are the headings of the table, in their order.
func (w *window) columns() []string {
	w.t.Helper()
	var names []string
	for _, n := range w.nodes(control{role: "columnheader", within: &control{role: "table"}}) {
		names = append(names, value(n.Name))
	}
	return names
}

// entries are the rows of the table that is shown, none if there is no table.
func (w *window) entries() []entry {
	w.t.Helper()
	if !w.has(control{role: "table"}) {
		return nil
	}
	entries := ask[[]entry](w, w.find(control{role: "table"}).BackendDOMNodeID, `function() {
		const name = (cell) => cell.querySelector("a:not([aria-label])") ?? cell;
		const text = (node) => node.innerText.trim();
		return [...this.tBodies[0].rows].map((row) => {
			const [time, actor, action, object] = row.cells;
			const link = object.querySelector("a:not([aria-label])");
			return {
				Event: time.querySelector("a").pathname, Time: text(time), Actor: text(name(actor)),
				Action: text(action), Object: text(name(object)), Link: link ? link.pathname + link.search : "",
			};
		});
	}`)
	for i := range entries {
		entries[i].Event = path.Base(entries[i].Event)
	}
	return entries
}

// openLog goes to the log through the navigation.
func openLog(h hand) {
	h.follow(link("Team settings").inNav("Main"))
	h.follow(link("Security").inNav("Settings"))
	h.follow(link("Audit Logs").inNav("Settings"))
}

// filterActions ticks actions under the button Action.
func filterActions(h hand, labels ...string) {
	menu := openMenu(h, "Action")
	for _, label := range labels {
		h.tick(checkbox(label).in(menu))
	}
	h.follow(button("Apply").in(menu))
}

// openMenu opens the menu of a filter and gives it.
func openMenu(h hand, name string) control {
	h.press(button(name).inMain())
	return control{role: "group", name: name, within: &control{role: "main"}}
}

// chips are the filters that are on, as the page names them.
func (w *window) chips() []string {
	w.t.Helper()
	list := control{role: "list", name: "Active filters"}
	if !w.has(list) {
		return nil
	}
	var texts []string
	for _, n := range w.nodes(control{role: "link", within: &list}) {
		if rest, ok := strings.CutPrefix(value(n.Name), "Remove filter "); ok {
			texts = append(texts, rest)
		}
	}
	return texts
}
