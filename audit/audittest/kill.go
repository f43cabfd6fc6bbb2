package audittest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Kill tests what a program leaves behind that is killed while it works. A
// test calls its Run and nothing after it; child processes, which are the same
// test started again, do the work.
type Kill struct {
	DSN      string // the database, as database.Open takes it; kept from round to round
	Rounds   int
	Children int           // that work at the same time; each is killed at a moment of its own
	Within   time.Duration // a child is killed at a random moment of this time

	// That time begins when the child has answered a random number of changes,
	// up to Answers; with 0 when it starts, so that it dies while it opens the
	// database as well.
	Answers int

	// Prepare makes the database ready before the first round; it may be nil.
	Prepare func(t *testing.T)

	// Load works in a child until it is killed. It calls answered with one
	// line, at most 4,000 bytes, after each change whose success it was told.
	Load func(ctx context.Context, dsn string, child string, answered func(line string)) error

	// Verify looks at the database after each round, when all children of the
	// round are dead, and at what they said.
	Verify func(t *testing.T, answered []string)
}

const (
	killDSN   = "AUDITTEST_KILL_DSN"   // set in a child
	killChild = "AUDITTEST_KILL_CHILD" // its name, different in each round
)

// Run runs the rounds; in a child it works until the end.
func (k Kill) Run(t *testing.T) {
	t.Helper()
	if dsn := os.Getenv(killDSN); dsn != "" {
		k.work(t, dsn)
		return
	}
	if k.Prepare != nil {
		k.Prepare(t)
	}
	temp := t.TempDir() // what the dead leave lying about goes with it
	all := 0
	for round := range k.Rounds {
		var answered []string
		var mu sync.Mutex
		var wg sync.WaitGroup
		for child := range k.Children {
			wg.Go(func() {
				lines, err := k.child(t, temp, fmt.Sprintf("%d-%d", round, child))
				mu.Lock()
				defer mu.Unlock()
				answered = append(answered, lines...)
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		k.Verify(t, answered)
		if t.Failed() {
			t.Fatalf("after round %d of %d", round, k.Rounds)
		}
		all += len(answered)
	}
	t.Logf("%d rounds, %d answered changes", k.Rounds, all)
	if all == 0 && k.Answers > 0 {
		t.Error("no change was ever answered")
	}
}

// killed names the database of a Kill: a child's is its parent's.
func killed(t *testing.T, fresh func(testing.TB) string) string {
	if dsn := os.Getenv(killDSN); dsn != "" {
		return dsn
	}
	return fresh(t)
}

func (k Kill) work(t *testing.T, dsn string) {
	pipe := os.NewFile(3, "answers")
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		pipe.WriteString(line + "\n") // one write: the parent sees all of it or nothing
	}
	if err := k.Load(context.Background(), dsn, os.Getenv(killChild), say); err != nil {
		t.Fatal(err)
	}
}

// child runs one child, kills it and gives what it answered.
func (k Kill) child(t *testing.T, temp, name string) ([]string, error) {
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command(os.Args[0], "-test.run="+pattern, "-test.count=1", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), killDSN+"="+k.DSN, killChild+"="+name, "TMPDIR="+temp, "GORACE=halt_on_error=1")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}
	w.Close()
	after := rand.N(k.Answers + 1)
	kill := func() { time.AfterFunc(rand.N(k.Within), func() { cmd.Process.Kill() }) }
	if after == 0 {
		kill()
	}
	var lines []string
	for scan := bufio.NewScanner(r); scan.Scan(); {
		if lines = append(lines, scan.Text()); len(lines) == after {
			kill()
		}
	}
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return lines, fmt.Errorf("child %s ended before it was killed: %w\n%s", name, err, output.Bytes())
	}
	return lines, nil
}

// fields splits an answered line and fails on one that has another number.
func fields(t *testing.T, line string, n int) []string {
	t.Helper()
	f := strings.Fields(line)
	if len(f) != n {
		t.Fatalf("a child answered %s, want %d words", strconv.Quote(line), n)
	}
	return f
}
