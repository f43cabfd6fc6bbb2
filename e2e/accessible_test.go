package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// checker is axe-core, which scripts/test-setup fetches.
func checker(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("../bin/test/axe-core-*.js")
	if err != nil || len(found) == 0 {
		t.Fatalf("these tests need the accessibility checker axe-core: scripts/test-setup fetches it (make test does) (%v)", err)
	}
	source, err := os.ReadFile(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// violation is one rule that a page breaks, and where.
type violation struct {
	Rule, Help string
	Places     []string
}

// violations runs the checker on what the window shows, by every rule of WCAG
// 2.2 A and AA and of good practice.
func (w *window) violations(checker string) []violation {
	w.t.Helper()
	if !evaluate[bool](w, "typeof axe === 'object'") {
		evaluate[bool](w, checker+"; true")
	}
	return evaluate[[]violation](w, `axe.run(document, {resultTypes: ['violations'],
			runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
		.then((r) => r.violations.map((v) => ({Rule: v.id, Help: v.help,
			Places: v.nodes.slice(0, 5).map((n) => n.target.join(' ') + ': ' + n.failureSummary)})))`, chromedp.EvalAwaitPromise)
}

// TestAccessible runs the checker on every page that the demonstration has,
// light and dark, on a wide and on a narrow screen.
func TestAccessible(t *testing.T) {
	t.Parallel()
	source := checker(t)
	d := startDemo(t)
	w, stranger := open(t, d.origin), open(t, d.origin)
	w.signIn(d.email, d.password)
	w.follow(link("Customer Support").inMain())
	pages := d.pages(w, strings.Join(strings.SplitN(w.path(), "/", 4)[:3], "/"))
	w.visit(pages[0].path)
	evaluate[string](w, "document.querySelector('main').insertAdjacentHTML('beforeend', '<p><button></button></p>'), ''")
	if found := w.violations(source); len(found) != 1 || found[0].Rule != "button-name" {
		t.Fatalf("of a button without a name the checker says %q", found)
	}
	for _, view := range []struct {
		theme         string
		width, height int64
	}{{"light", 1440, 900}, {"dark", 1440, 900}, {"light", 390, 844}} {
		for _, in := range []*window{w, stranger} {
			in.emulate(view.theme)
			if err := chromedp.Do(in.ctx, chromedp.EmulateViewport(view.width, view.height)); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range pages {
			in := w
			if p.stranger {
				in = stranger
			}
			in.goTo(p.path)
			if p.press.role != "" {
				in.click(p.press)
			}
			for _, v := range in.violations(source) {
				t.Errorf("%s (%s, %d wide) breaks %s: %s\n\t%q", p.name, view.theme, view.width, v.Rule, v.Help, v.Places)
			}
		}
	}
}
