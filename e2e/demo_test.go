package e2e

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"onrecord/database"
	"onrecord/portal"
)

var screens = flag.String("screens", "", "folder to write pictures of every page of the demonstration to")

// demonstration is the built program, serving its made-up teams.
type demonstration struct {
	origin, email, password string
	program, folder         string // the binary, and where its temporary files are
	said                    *strings.Builder
}

// startDemo builds the program as "make demo" does and starts it. It ends with
// the test, which then checks the log, what the server said and that nothing
// is left behind.
func startDemo(t *testing.T) demonstration {
	t.Helper()
	program := filepath.Join(t.TempDir(), "onrecord")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "onrecord/cmd/onrecord")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	ctx, kill := context.WithCancel(context.Background())
	t.Cleanup(kill)
	d := demonstration{program: program, folder: t.TempDir(), said: &strings.Builder{}}
	c := exec.CommandContext(ctx, program, "demo", "--addr", "127.0.0.1:0")
	c.Env = append(os.Environ(), "TMPDIR="+d.folder)
	c.Stderr = d.said
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.checkLog(t)
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("the demonstration ended with %v\n%s", err, d.said)
		}
		if left, err := os.ReadDir(d.folder); err != nil || len(left) > 0 {
			t.Errorf("the demonstration leaves behind %v (%v)", left, err)
		}
		if said := d.said.String(); strings.Contains(said, `"level":"WARN"`) || strings.Contains(said, `"level":"ERROR"`) {
			t.Errorf("the server says: %s", said)
		}
	})
	for lines := bufio.NewScanner(out); d.password == "" && lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "Address":
			d.origin = strings.TrimSuffix(value, "/")
		case "Email":
			d.email = value
		case "Password":
			d.password = value
		}
	}
	if d.origin == "" || d.email == "" || d.password == "" {
		t.Fatalf("the demonstration printed no address and password: %+v", d)
	}
	return d
}

// database is the file that it serves from.
func (d demonstration) database(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.folder, "*", "demo.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the database of the demonstration is not among %q (%v)", files, err)
	}
	return files[0]
}

// checkLog derives the whole log again, beside the server.
func (d demonstration) checkLog(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite:"+d.database(t))
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	p, err := portal.Open(ctx, db)
	if err != nil {
		t.Error(err)
		return
	}
	defer p.Close()
	faults, err := p.Log().Check(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestDemo works with the demonstration as people do who have just typed
// "make demo".
func TestDemo(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	for name, test := range map[string]func(demonstration, *testing.T){
		"history": demonstration.history, "twelve by keyboard": demonstration.twelveByKeyboard,
		"twelve without JavaScript": demonstration.twelveWithoutScripts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(d, t)
		})
	}
}

// history is worth looking at.
func (d demonstration) history(t *testing.T) {
	w := open(t, d.origin)
	w.signIn(d.email, d.password)
	names := w.teams()
	if len(names) != 3 {
		t.Fatalf("the demonstration has the teams %q, not three", names)
	}
	w.follow(link(names[0]).inMain())
	openLog(mouse{w})
	if rows := w.entries(); len(rows) != 50 || !w.has(link("Older")) {
		t.Fatalf("the first page of the log has %d rows", len(rows))
	}
	newest := w.entries()[0].Time
	w.follow(link("Older"))
	if older := w.entries()[0].Time; older >= newest {
		t.Errorf("the next page begins at %s, the first one at %s", older, newest)
	}
	filterActions(mouse{w}, "Exported Call Transcript")
	for _, e := range w.entries() {
		if e.Action != "Exported Call Transcript" || e.Link == "" {
			t.Errorf("among the exports: %+v", e)
		}
	}
	if *screens != "" {
		d.takePictures(t, w)
	}
}

// sizes of the windows that pictures are taken of.
var sizes = []struct{ width, height int64 }{{1440, 900}, {1024, 768}, {390, 844}}

// takePictures writes a picture of every page, in each size and theme.
func (d demonstration) takePictures(t *testing.T, w *window) {
	t.Helper()
	pages := d.pages(w, teamPath(w))
	stranger := open(t, d.origin)
	for _, theme := range []string{"light", "dark"} {
		for _, size := range sizes {
			for _, in := range []*window{w, stranger} {
				in.emulate(theme)
				if err := chromedp.Do(in.ctx, chromedp.EmulateViewport(size.width, size.height)); err != nil {
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
				name := fmt.Sprintf("%s-%d-%s.png", p.name, size.width, theme)
				in.picture(filepath.Join(*screens, name))
				if over := evaluate[int](in, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
					t.Errorf("%s is %d pixels wider than the window", name, over)
				}
			}
		}
	}
}

// picture writes what the window shows.
func (w *window) picture(file string) {
	w.t.Helper()
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// pictured is a page that a picture is taken of.
type pictured struct {
	name, path string
	press      control // a button to press first, or none
	stranger   bool    // for people who are not signed in
}

// pages are all kinds of page that the demonstration has something to show on.
func (d demonstration) pages(w *window, team string) []pictured {
	w.t.Helper()
	first := func(list, selector string) string {
		w.visit(list)
		return evaluate[string](w, "((a) => a ? a.pathname + a.search : '')(document.querySelector(`"+selector+"`))")
	}
	call, user, device := first(team+"/calls", "main [data-row]"), first(team+"/users", "main [data-row]"), first(team+"/devices", "main [data-row]")
	log := team + logPath
	query := func(q string) string { return log + "?q=" + url.QueryEscape(q) }
	event := first(query(`action:user.role_changed "Covers the weekend"`), "main [data-row]")
	promoted, err := time.Parse("2006-01-02 15:04:05", w.entries()[0].Time)
	if err != nil {
		w.t.Fatal(err)
	}
	all := []pictured{
		// First, while nothing but the demonstration's own history is in the log.
		{name: "readme", path: query("type:call,user -action:call.viewed,call.imported before:" + promoted.AddDate(0, 0, 1).Format("2006-01-02") + "T12:00Z")},
		{name: "audit-logs", path: log},
		{name: "audit-logs-timestamp", path: log, press: button("Timestamp").inMain()},
		{name: "audit-logs-actor", path: log, press: button("Actor").inMain()},
		{name: "audit-logs-action", path: log, press: button("Action").inMain()},
		{name: "audit-logs-object", path: log, press: button("Object").inMain()},
		{name: "audit-logs-filtered", path: query("actor:" + d.email + " action:call.viewed,call.transcript_exported -type:device after:2026-01-01")},
		{name: "audit-logs-wrong", path: query("actor:dana colour:blue")},
		{name: "audit-logs-none", path: query("actor:nobody@example.com")},
		{name: "audit-logs-everything", path: log + "?all=1"},
		{name: "export", path: log + "/export"},
		{name: "login", path: "/login", stranger: true},
		{name: "teams", path: "/"},
		{name: "account", path: "/account"},
		{name: "calls", path: team + "/calls"},
		{name: "calls-agents", path: team + "/calls", press: button("Agent")},
		{name: "calls-none", path: team + "/calls?q=nobody-is-called-so"},
		{name: "calls-deleted", path: team + "/calls/deleted"},
		{name: "call", path: call},
		{name: "call-edit", path: call, press: button("Edit").of("Talk share")},
		{name: "call-export", path: call, press: button("Export transcript")},
		{name: "call-delete", path: call + "/delete"},
		{name: "call-history", path: call + "/history"},
		{name: "metrics", path: team + "/metrics"},
		{name: "users", path: team + "/users"},
		{name: "users-add", path: team + "/users/add"},
		{name: "user", path: user},
		{name: "user-role", path: user + "/role"},
		{name: "user-delete", path: user + "/delete"},
		{name: "user-history", path: user + "/history"},
		{name: "devices", path: team + "/devices"},
		{name: "device", path: device},
		{name: "device-move", path: device + "/move"},
		{name: "device-add", path: team + "/devices/add"},
		{name: "general", path: team + "/settings"},
		{name: "security", path: team + "/settings/security"},
		{name: "event", path: event},
		{name: "missing", path: team + "/calls/none"},
	}
	for _, p := range all {
		if p.path == "" || strings.HasPrefix(p.path, "/history") {
			w.t.Errorf("the demonstration has nothing for the picture %s", p.name)
		}
	}
	deleted := first(team+"/calls/deleted", "main [data-row]")
	if deleted != "" {
		all = append(all, pictured{name: "call-gone", path: deleted})
	}
	return slices.Clip(all)
}
