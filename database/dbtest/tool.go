package dbtest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool is a command of one of the server's own programs, such as pg_dump.
func Tool(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
}
