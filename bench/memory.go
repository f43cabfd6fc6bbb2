package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// rest is how long a server is left alone before its memory is read.
const rest = time.Second

// memory compares the memory of a server of the filled log with that of a
// server of an empty one: at rest, and the most while 16 clients work.
func (r *run) memory(ctx context.Context) (err error) {
	full, err := r.filled(ctx)
	if err != nil {
		return err
	}
	empty, err := r.center(ctx, "memory", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.close()) }()
	var used [2]footprint
	for i, c := range []*center{full, empty} {
		r.progress("serving", i, 2)
		if used[i], err = r.footprint(ctx, c); err != nil {
			return err
		}
	}
	against := "the same of a log of hardly any"
	log := "memory of serve with a log of " + count(r.Events) + " events"
	r.report(Row{Name: "memory/rest", What: log + ", at rest", Against: against, Ours: used[0].rest, Theirs: used[1].rest, Ratio: used[0].rest / used[1].rest, Unit: "MiB"})
	r.report(Row{
		Name: "memory/working", What: log + ", the most while 16 clients work", Against: against, Ours: used[0].most, Theirs: used[1].most, Ratio: used[0].most / used[1].most, Unit: "MiB",
		Note: fmt.Sprintf("%.0f pages a second; of the other %.0f", used[0].rate, used[1].rate),
	})
	return nil
}

// footprint is the memory of a server, in MiB, and the pages a second that it
// served meanwhile.
type footprint struct{ rest, most, rate float64 }

// footprint starts a server of its own process and works with it.
func (r *run) footprint(ctx context.Context, c *center) (f footprint, err error) {
	if err := c.importCalls(ctx, int(time.Now().UnixNano()), 20); err != nil {
		return f, err
	}
	in, err := c.signIn(ctx)
	if err != nil {
		return f, err
	}
	s, err := r.serve(ctx, c)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.get(c.logPath(), cookie(in)); err != nil {
		return f, err
	}
	time.Sleep(rest)
	if f.rest, _, err = s.memory(); err != nil {
		return f, err
	}
	n := r.portion(20, 3000)
	var at atomic.Int64
	began := time.Now()
	err = drive(16, n, func() error {
		i := at.Add(1)
		return s.get([]string{
			"/t/" + c.team + "/calls", "/t/" + c.team + "/users", c.logPath() + "?all=1",
			c.logPath() + "?q=actor:" + actorID(uint64(i%40)),
		}[i%4], cookie(in))
	})
	f.rate = float64(n) / time.Since(began).Seconds()
	if err != nil {
		return f, err
	}
	_, f.most, err = s.memory()
	return f, err
}

// server is a process that serves.
type server struct {
	process *exec.Cmd
	origin  string
	said    *strings.Builder
}

// serve starts the program's own server and waits until it says its address.
func (r *run) serve(ctx context.Context, c *center) (*server, error) {
	s := &server{said: &strings.Builder{}}
	s.process = exec.CommandContext(ctx, r.Program, "serve", "--db", c.dsn, "--addr", "127.0.0.1:0", "--signing-key", c.keys)
	s.process.Stderr = s.said
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Address: "); ok {
			s.origin = address
			return s, nil
		}
	}
	err = s.process.Wait()
	return nil, fmt.Errorf("the server ended (%w): %s", err, s.said)
}

func (s *server) stop() error {
	s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("the server ended with %w: %s", err, s.said)
	}
	return nil
}

// get fetches a page.
func (s *server) get(path, cookie string) error {
	req, err := http.NewRequest(http.MethodGet, s.origin+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered %s", path, res.Status)
	}
	return nil
}

// memory gives what the server's process holds now and held at most, in MiB.
func (s *server) memory() (now, most float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("the memory of a process can be read on Linux only: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*float64{"VmRSS": &now, "VmHWM": &most}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			return 0, 0, fmt.Errorf("reading %s: %w", name, err)
		}
		*into = kib / 1024
	}
	return now, most, nil
}
