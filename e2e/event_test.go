package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestEventOverTheList opens an event by keyboard over the list: it has its
// own address, leads to the next one, and Esc and Back close it where the
// reader was.
func TestEventOverTheList(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.past()
	w := s.browser(s.Alpha, s.Audrey)
	w.visit(s.path(s.Alpha, logPath+"?q=type%3Acall"))
	list := w.address()
	rows := w.entries()
	w.keys("j")
	w.keys(kb.Enter)
	wait(w, "the event", "document.getElementById('event').open && location.pathname.endsWith('"+rows[0].Event+"')")
	for _, text := range []string{rows[0].Event, "Where from", "Same actor"} {
		if got := evaluate[string](w, "document.getElementById('event').innerText"); !strings.Contains(got, text) {
			t.Errorf("the event does not say %q: %s", text, got)
		}
	}
	w.keys("j")
	wait(w, "the next event", "location.pathname.endsWith('"+rows[1].Event+"')")
	own := w.address()
	w.keys(kb.Escape)
	wait(w, "the list", "!document.getElementById('event').open && location.href === '"+list+"'")
	w.visit(strings.TrimPrefix(own, w.origin)) // the same event on a page of its own
	w.says(rows[1].Event, "Back to the list")
}
