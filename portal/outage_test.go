package portal_test

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal"
)

// outage is a portal on a server that is killed while people work through
// several processes.
type outage struct {
	dsn  string
	team string

	mu       sync.Mutex
	answered map[string]string // hostname → event, guarded by mu
	failed   map[string]error  // hostname → what its Admin was told, guarded by mu
}

func (o *outage) open(t *testing.T) (*database.DB, *portal.Portal) {
	t.Helper()
	db, err := database.Open(ctx, o.dsn)
	check(t, err)
	p, err := portal.Open(ctx, db, portal.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	check(t, err)
	return db, p
}

// work adds devices with names of their own until it is told to stop.
func (o *outage) work(p *portal.Portal, name string, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		host := fmt.Sprintf("%s-%d", name, n)
		d, err := p.AddDevice(ctx, crashOperator, o.team, host, "")
		o.mu.Lock()
		if err == nil {
			o.answered[host] = d.Version
		} else {
			o.failed[host] = err
		}
		o.mu.Unlock()
	}
}

var outageTime = flag.Duration("outage", 2*time.Second, "how long TestOutage works; the database is killed every now and then")

// One of two processes goes away in the middle of its work, then the database
// is killed and comes back, again and again: what was answered is there once,
// what was refused is there once or not at all, and the log explains all of it.
func TestOutage(t *testing.T) {
	server := dbtest.StartServer(t)
	o := &outage{dsn: server.Database(t), answered: map[string]string{}, failed: map[string]error{}}
	db, p, err := openPortal(o.dsn)
	check(t, err)
	o.team = must(p.Setup(ctx, crashOperator, portal.NewTeam{Organization: "Acme", Team: "Alpha", Email: "dana@example.com"})).Team
	gone, other := o.open(t)

	var wg sync.WaitGroup
	stop, leave := make(chan struct{}), make(chan struct{})
	for client := range 4 {
		wg.Go(func() { o.work(p, fmt.Sprintf("a%d", client), stop) })
		wg.Go(func() { o.work(other, fmt.Sprintf("b%d", client), leave) })
	}
	time.Sleep(time.Second)
	gone.Close() // under its clients
	time.Sleep(50 * time.Millisecond)
	close(leave)
	kills := 0
	for end := time.Now().Add(*outageTime); kills == 0 || time.Now().Before(end); kills++ {
		time.Sleep(min(*outageTime/2, 15*time.Second))
		o.killDatabase(t, server)
	}
	t.Logf("the database was killed %d times", kills)
	close(stop)
	wg.Wait()
	o.verify(t, p)
	check(t, p.Close())
	audittest.CheckLog(t, p.Log())
	check(t, db.Close())
}

// killDatabase ends the server as a crash would, and waits until people work
// again.
func (o *outage) killDatabase(t *testing.T, server *dbtest.Server) {
	t.Helper()
	before := o.count()
	check(t, server.Kill())
	time.Sleep(500 * time.Millisecond)
	check(t, server.Start())
	for deadline := time.Now().Add(30 * time.Second); o.count() < before+20; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody can work after the database came back")
		}
	}
}

func (o *outage) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.answered)
}

func (o *outage) verify(t *testing.T, p *portal.Portal) {
	t.Helper()
	there, versions := map[string]int{}, map[string]string{}
	rows, err := dbtest.Open(t, o.dsn).QueryContext(ctx, "SELECT hostname, event_id FROM device WHERE team = $1", o.team)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var host, event string
		check(t, rows.Scan(&host, &event))
		there[host]++
		versions[host] = event
	}
	check(t, rows.Err())
	looked := 0
	for host, event := range o.answered {
		if there[host] != 1 || versions[host] != event {
			t.Errorf("%s was answered with %s; it is there %d times, with %s", host, event, there[host], versions[host])
		}
		if looked++; looked > 2000 {
			continue // the check of the log reads them all
		}
		e, err := p.Log().Event(ctx, o.team, event)
		if err != nil || e.Object == nil || e.Object.Name != host || e.Outcome != audit.OutcomeOK {
			t.Errorf("%s was answered with %s, which is %+v, %v", host, event, e, err)
		}
	}
	made := 0
	for host, err := range o.failed {
		if there[host] > 1 {
			t.Errorf("%s is there %d times; its Admin was told: %v", host, there[host], err)
		}
		made += there[host]
		if code := audit.CodeOf(err); code != audit.CodeUnavailable {
			t.Errorf("an Admin was told %q: %v", code, err)
		}
	}
	t.Logf("%d answered, %d told that they could not be made, of which %d were made", len(o.answered), len(o.failed), made)
}
