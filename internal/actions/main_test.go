package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
)

func TestDocumentIsUpToDate(t *testing.T) {
	stands, err := os.ReadFile("../../docs/actions.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stands, document(portal.Catalogue)) {
		t.Error("docs/actions.md is not what the catalogue says: run make generate")
	}
}

// A new action stands in the documentation without anything else being done.
func TestDocumentHasANewAction(t *testing.T) {
	c, err := audit.NewCatalogue(append(portal.Catalogue.All(), audit.Action{
		ID: "team.praised", Label: "Praised | team", Group: "Applause", Objects: []string{"team", "user"}, Quiet: true, Doc: "Somebody liked it.",
	})...)
	if err != nil {
		t.Fatal(err)
	}
	want := "## Applause\n\n| action | id | object | |\n|---|---|---|---|\n| Praised \\| team | `team.praised` | team, user | Somebody liked it. *Quiet.* |\n"
	if got := string(document(c)); !strings.HasSuffix(got, want) {
		t.Errorf("the document ends\n%s", got[max(0, len(got)-300):])
	}
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "actions.md")
	for _, c := range []struct {
		args []string
		want int
	}{{nil, 2}, {[]string{"a", "b"}, 2}, {[]string{filepath.Join(t.TempDir(), "no", "folder.md")}, 1}, {[]string{file}, 0}} {
		if got := run(c.args, io.Discard); got != c.want {
			t.Errorf("run(%q) = %d, want %d", c.args, got, c.want)
		}
	}
	if written, err := os.ReadFile(file); err != nil || !bytes.Equal(written, document(portal.Catalogue)) {
		t.Errorf("the file does not hold the document: %v", err)
	}
}
