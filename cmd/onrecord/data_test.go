package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ran is what a command did.
type ran struct {
	status      int
	out, err    string
	took        time.Duration
	description string
}

// execute runs a command in this process.
func execute(t *testing.T, args ...string) ran {
	t.Helper()
	var out, err bytes.Buffer
	began := time.Now()
	status := run(t.Context(), args, nil, strings.NewReader(""), &out, &err)
	return ran{status, out.String(), err.String(), time.Since(began), "onrecord " + strings.Join(args, " ")}
}

// wants fails the test unless the command ended so and said that.
func (r ran) wants(t *testing.T, status int, said ...string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("%s: exit status %d, want %d\n%s%s", r.description, r.status, status, r.out, r.err)
	}
	for _, s := range said {
		if !strings.Contains(r.out+r.err, s) {
			t.Errorf("%s does not say %q but\n%s%s", r.description, s, r.out, r.err)
		}
	}
}

// Real calls, where they lie beside the project.
func TestRealCalls(t *testing.T) {
	calls := filepath.Join("..", "..", "..", "shared", "data", "calls")
	if _, err := os.Stat(calls); err != nil {
		t.Logf("nothing to read: %v", err)
		return
	}
	path := filepath.Join(t.TempDir(), "real.db")
	db, team := "--db=sqlite:"+path, "--team=Alpha"
	phone, timed, chats := filepath.Join(calls, "phone-calls.jsonl"), filepath.Join(calls, "timed-calls.jsonl"), filepath.Join(calls, "service-chats.jsonl")
	execute(t, "setup", db, team, "--admin=dana@example.com").wants(t, 0)

	first := execute(t, "calls", "import", db, team, phone, timed)
	first.wants(t, 0, "New: 2593\nAlready there: 0\nRefused: 0\n")
	again := execute(t, "calls", "import", db, team, phone, timed)
	again.wants(t, 0, "New: 0\nAlready there: 2593\nRefused: 0\n")
	t.Logf("2593 calls in %s, again in %s", first.took.Round(time.Millisecond), again.took.Round(time.Millisecond))

	execute(t, "calls", "import", db, team, chats).wants(t, 1, "New: 0\nAlready there: 0\nRefused: 5\n",
		"service-chats.jsonl:1: started_at, agent: missing", "--started-at", "--agent")
	search := execute(t, "events", "search", db, team, "action:call.imported", "outcome:ok", "--format=json", "--limit=0")
	search.wants(t, 0)
	if n := strings.Count(search.out, "\n"); n != 2593 {
		t.Errorf("%d events, want 2593", n)
	}
	t.Logf("2593 events written in %s", search.took.Round(time.Millisecond))
	// Three pages were one reading; this look at it is the second.
	readings := execute(t, "events", "search", db, team, "action:audit_log.viewed", "--format=json", "--limit=0")
	if n := strings.Count(readings.out, "\n"); n != 2 {
		t.Errorf("%d readings are on the record, want 2", n)
	}

	execute(t, "calls", "import", db, team, "--started-at=2026-01-05T10:00:00Z", "--agent=Agnes Ash", chats).wants(t, 0, "New: 5\n")
	faults, err := faultsIn(t.Context(), "sqlite:"+path)
	if err != nil || len(faults) > 0 {
		t.Errorf("the log is wrong: %v, %v", faults, err)
	}
}

// Lines of a size that nobody expects arrive; one beyond the limit is refused.
func TestLargeCalls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.db")
	db, team := "--db=sqlite:"+path, "--team=Alpha"
	execute(t, "setup", db, team, "--admin=dana@example.com").wants(t, 0)
	file := filepath.Join(t.TempDir(), "large.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = `{"started_at":"2026-01-05T10:00:00Z","agent":"A","customer":"C","direction":"inbound","id":`
	turn := `{"speaker":"agent","text":"hello there"}`
	fmt.Fprintf(f, "%s\"turns\",\"turns\":[%s]}\n", head, strings.Repeat(turn+",", 9_999)+turn)
	// The bulk is in a member that is passed over, so that the time goes into
	// reading rather than into the metrics.
	fmt.Fprintf(f, "%s\"long\",\"audio\":%q,\"turns\":[]}\n", head, strings.Repeat("AAAA ", 10<<20))
	fmt.Fprintf(f, "%s\"too long\",\"audio\":%q,\"turns\":[]}\n", head, strings.Repeat("AAAA ", 14<<20))
	fmt.Fprintf(f, "%s\"after\",\"turns\":[]}\n", head)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, "calls", "import", db, team, file).wants(t, 1, "New: 3\n", "Refused: 1\n", "large.jsonl:3: the line has 73400", "at most 67108864")
	execute(t, "calls", "import", db, team, file).wants(t, 1, "New: 0\nAlready there: 3\n")
}
