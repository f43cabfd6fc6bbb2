package bench

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"onrecord/database/dbtest"
)

// TestPostgres measures everything once, small.
func TestPostgres(t *testing.T) {
	s := dbtest.StartServer(t)
	seen := map[string]bool{}
	err := Run(t.Context(), Options{
		DSN: s.DSN("postgres"), Events: 400, Rounds: 1, Program: program(t),
		Report: func(row Row) { seen[row.Name] = true; t.Logf("%+v", row) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"change/16", "change/16 against triggers with ids", "ingest", "ingest against COPY", "import", "search/actor rarest", "words/common", "page/actor", "size", "memory/working"} {
		if !seen[name] {
			t.Errorf("there is no row %s", name)
		}
	}
	var left int
	if err := s.Admin().QueryRow(`SELECT count(*) FROM pg_database WHERE datname LIKE 'onrecord%'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases are left behind (%v)", left, err)
	}
}

// relay stands between a program and a server and counts how often the program
// speaks after the server did.
type relay struct {
	mu       sync.Mutex
	trips    int
	answered bool
}

func (r *relay) serve(t *testing.T, at, server string) {
	ln, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", server)
			if err != nil {
				in.Close()
				return
			}
			go r.pass(out, in, true)
			go r.pass(in, out, false)
		}
	}()
}

func (r *relay) pass(to io.WriteCloser, from io.Reader, asks bool) {
	defer to.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		if asks && r.answered {
			r.trips++
		}
		r.answered = !asks
		r.mu.Unlock()
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestRoundTrips counts what a change with and without its event waits for.
func TestRoundTrips(t *testing.T) {
	s := dbtest.StartServer(t)
	r := &relay{}
	folder := t.TempDir()
	r.serve(t, filepath.Join(folder, ".s.PGSQL.5432"), s.Socket())
	at, err := url.Parse(s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	at.RawQuery = "host=" + folder
	o := &run{Options: Options{DSN: at.String()}}
	if o.places, err = newPlaces(o.Options); err != nil {
		t.Fatal(err)
	}
	defer o.places.close()
	d, err := o.desks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if err := d.log.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func(change func() error) int {
		const times = 20 // the first prepare their statements; the sealer may speak between two
		least := 1 << 30
		for range times {
			r.mu.Lock()
			r.trips = 0
			r.mu.Unlock()
			if err := change(); err != nil {
				t.Fatal(err)
			}
			r.mu.Lock()
			least = min(least, r.trips)
			r.mu.Unlock()
		}
		return least
	}
	recorded, bare := count(func() error { return d.recorded(t.Context()) }), count(func() error { return d.bare(t.Context()) })
	t.Logf("round trips: %d with its event, %d without", recorded, bare)
	if recorded != bare || bare < 1 {
		t.Errorf("a change with its event takes %d round trips, the same without %d", recorded, bare)
	}
}
