package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

func TestOrders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	for _, want := range []int{2, 4} { // a second run opens what the first left
		var out bytes.Buffer
		if err := run(t.Context(), path, &out); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for range bytes.Lines(out.Bytes()) {
			lines++
		}
		if lines != want {
			t.Fatalf("%d events, want %d:\n%s", lines, want, out.String())
		}
		newest, _, _ := strings.Cut(out.String(), "\n")
		var e struct {
			Action  string
			Changes []struct{ Field, From, To string }
		}
		if err := json.Unmarshal([]byte(newest), &e); err != nil {
			t.Fatal(err)
		}
		if e.Action != "order.shipped" || len(e.Changes) != 1 || e.Changes[0] != (struct{ Field, From, To string }{"status", "open", "shipped"}) {
			t.Errorf("the newest event is %s", newest)
		}
	}
	log, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.DB().Close()
	defer log.Close()
	for _, behind := range []string{`UPDATE orders SET cents = 1`, `DELETE FROM orders`, `INSERT INTO orders VALUES ('o', 'open', 1, 'Sam', 'e')`} {
		err := log.DB().Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), behind)
			return err
		})
		if err == nil {
			t.Errorf("%s: it was not refused", behind)
		}
	}
	audittest.CheckLog(t, log)
}

func TestErrors(t *testing.T) {
	if err := run(t.Context(), filepath.Join(t.TempDir(), "no", "folder", "orders.db"), io.Discard); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("without a folder: %v", err)
	}
	log, err := open(t.Context(), filepath.Join(t.TempDir(), "orders.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.DB().Close()
	defer log.Close()
	if err := change(t.Context(), log, "order.eaten", "o1", `SELECT $1`); err == nil {
		t.Error("an action that is not in the catalogue was recorded")
	}
	if err := change(t.Context(), log, "order.placed", "o1", `INSERT INTO nothing VALUES ($1)`); err == nil {
		t.Error("a change that failed was reported as done")
	}
	failed, err := log.Search(t.Context(), "shop", audit.Filter{}, audit.Page{})
	if err != nil || len(failed.Events) != 1 || failed.Events[0].Outcome != audit.OutcomeFailed {
		t.Errorf("after one failure the log holds %+v, %v", failed.Events, err)
	}
}

// TestSmall: being on the record takes less than 40 lines, and so does the
// application itself.
func TestSmall(t *testing.T) {
	for _, file := range []string{"main.go", "record.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := 0
		for line := range strings.Lines(string(source)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				code++
			}
		}
		if code >= 40 {
			t.Errorf("%s has %d lines of code, want less than 40", file, code)
		}
	}
}

// TestDependencies: who embeds the engine gets nothing of the portal.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list says only %v", deps)
	}
	for _, dep := range deps {
		if inside, ok := strings.CutPrefix(dep, "onrecord/"); ok {
			if first, _, _ := strings.Cut(inside, "/"); first != "audit" && first != "database" {
				t.Errorf("the example depends on %s", dep)
			}
		}
		for _, unwanted := range []string{"github.com/a-h/templ", "github.com/alecthomas/kong", "github.com/chromedp", "github.com/danielgtaylor/huma", "github.com/schollz/progressbar", "html/template", "testing"} {
			if dep == unwanted || strings.HasPrefix(dep, unwanted+"/") {
				t.Errorf("the example depends on %s", dep)
			}
		}
	}
}
