package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to do what a test waits for: far longer
// than it takes, on a machine that is busy with other things.
const patience = 30 * time.Second

// window is one window of a Chromium of its own. Whatever goes wrong in it
// fails the test: an error on the console, a blocked script or picture, a
// dialog, a script of somebody's text that ran.
type window struct {
	t         testing.TB
	ctx       context.Context
	origin    string // of the server, "http://127.0.0.1:1234"
	downloads string // folder

	mu        sync.Mutex
	faults    []fault
	documents map[string]bool // addresses of pages that came; each one's status is asserted where it is asked for
}

// fault is something that a page should not have done.
type fault struct {
	text string
	url  string // of what could not be loaded, or ""
}

// chromium finds the browser.
func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("these tests need Chromium, which is not installed: apt-get install chromium (make test does it)")
}

// open starts a browser with a fresh profile. It ends with the test, and then
// the test fails for every fault.
func open(t testing.TB, origin string) *window {
	t.Helper()
	w := launch(t, origin)
	t.Cleanup(func() {
		for _, text := range w.found() {
			t.Errorf("in the browser: %s", text)
		}
	})
	return w
}

func launch(t testing.TB, origin string) *window {
	t.Helper()
	path, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	w := &window{t: t, origin: origin, documents: map[string]bool{}}
	profile := folder(t)
	w.downloads = folder(t)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
		// A language and a zone that are known, the zone far from the portal's UTC.
		chromedp.Env("LANGUAGE=en_US", "LANG=en_US.UTF-8", "LC_ALL=en_US.UTF-8", "TZ=America/New_York"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, freeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(w.notice))
	w.ctx = ctx
	t.Cleanup(func() {
		closeTab()
		freeAllocator()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	w.emulate("light")
	events := true
	_, err = chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: w.downloads, EventsEnabled: &events,
	})
	if err != nil {
		t.Fatalf("allowing downloads: %v", err)
	}
	return w
}

// emulate sets the theme that people would choose in their system, and that
// nothing should move, so that no look falls into the middle of a movement.
func (w *window) emulate(theme string) {
	w.t.Helper()
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// folder is a temporary folder that a browser may still write to while it
// ends, which t.TempDir would call a failure.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "onrecord-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// withoutScripts switches JavaScript off for all pages that follow.
func (w *window) withoutScripts() {
	w.t.Helper()
	call(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// call runs a command of the browser's protocol.
func call[P, R any](w *window, c cdp.Command[P, R], params P) R {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	r, err := chromedp.Call(ctx, c, params)
	if err != nil {
		w.t.Fatalf("%s: %v", c.Method, err)
	}
	return r
}

// notice collects what goes wrong. It runs in the loop that reads the
// browser's messages, so that it sends nothing itself.
func (w *window) notice(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	add := func(url, format string, args ...any) {
		w.faults = append(w.faults, fault{fmt.Sprintf(format, args...), url})
	}
	switch e := event.(type) {
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			w.documents[e.Response.URL] = true
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var words []string
			for _, a := range e.Args {
				words = append(words, string(a.Value)+a.Description)
			}
			add("", "console.%s %s", e.Type, strings.Join(words, " "))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += ": " + e.ExceptionDetails.Exception.Description
		}
		add("", "exception: %s", text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			url := ""
			if e.Entry.Source == log.EntrySourceNetwork {
				url = e.Entry.URL
			}
			add(url, "%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		add("", "a dialog: %s %s", e.Type, e.Message)
		go chromedp.Call(w.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}

// found gives the faults. A page that answers 404 is on the console as well;
// that is no fault, since the test that asked for it knows its status.
func (w *window) found() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var texts []string
	for _, f := range w.faults {
		if f.url == "" || !w.documents[f.url] {
			texts = append(texts, f.text)
		}
	}
	return texts
}

// lead runs steps that lead to another page, waits until it is there, and
// gives its status.
func (w *window) lead(steps ...chromedp.Action[chromedp.Void]) int {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		w.t.Fatalf("waiting for the next page after %s: %v", w.address(), err)
	}
	if ran := evaluate[bool](w, "'"+canary+"' in window"); ran {
		w.t.Errorf("%s ran a script that somebody typed", w.address())
	}
	return int(response.Status)
}

// canary is the property of window that scripts in people's texts set.
const canary = "canary"

// visit opens an address of the portal.
func (w *window) visit(path string) {
	w.t.Helper()
	w.expect(http.StatusOK, w.goTo(path))
}

// goTo opens an address of the portal and gives its status.
func (w *window) goTo(path string) int {
	w.t.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = w.origin + path
	}
	return w.lead(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.Navigate, page.NavigateParams{URL: target})
		return err
	}))
}

// expect fails the test unless the page that came has this status.
func (w *window) expect(want, status int) {
	w.t.Helper()
	if status != want {
		w.t.Fatalf("%s answered %d, want %d: %s", w.address(), status, want, w.text())
	}
}

// address is where the window is.
func (w *window) address() string { return evaluate[string](w, "location.href") }

// path is where the window is, without the server.
func (w *window) path() string { return evaluate[string](w, "location.pathname") }

// text is what the page reads.
func (w *window) text() string {
	return strings.Join(strings.Fields(evaluate[string](w, "(document.querySelector('main') ?? document.body).innerText")), " ")
}

// says fails the test unless the page reads this somewhere.
func (w *window) says(words ...string) {
	w.t.Helper()
	text := w.text()
	for _, word := range words {
		if !strings.Contains(text, word) {
			w.t.Errorf("%s does not say %q: %s", w.address(), word, text)
		}
	}
}

// evaluate asks a page something; it works with JavaScript switched off too.
func evaluate[T any](w *window, expression string, options ...chromedp.EvaluateOption) T {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is true in the page.
func wait(w *window, what, expression string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !evaluate[bool](w, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: waited for %s in vain", w.address(), what)
		}
	}
}

// download runs steps that make the browser fetch a file, and gives its name
// and content.
func (w *window) download(steps ...chromedp.Action[chromedp.Void]) (name string, content []byte) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	begun := chromedp.BrowserEvents(ctx, browser.DownloadWillBegin)
	progress := chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
	for e, err := range begun {
		if err != nil {
			w.t.Fatalf("waiting for a download: %v", err)
		}
		name = e.SuggestedFilename
		break
	}
	for e, err := range progress {
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", name, err)
		}
		switch e.State {
		case browser.DownloadProgressStateCanceled:
			w.t.Fatalf("the download of %s was cancelled", name)
		case browser.DownloadProgressStateCompleted:
			content, err := os.ReadFile(w.downloads + "/" + name)
			if err != nil {
				w.t.Fatal(err)
			}
			return name, content
		}
	}
	w.t.Fatalf("the download of %s never ended", name)
	return "", nil
}
