package portal_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// crashed is a portal whose programs are killed while people work.
type crashed struct {
	dsn   string
	steps map[string]int // of each user and device: the last that was answered
}

// TestCrash kills two programs at a time that work on one database, again and
// again: what people were told is done is done, and on the record.
func TestCrash(t *testing.T) {
	c := &crashed{dsn: portaltest.DSN(t), steps: map[string]int{}}
	audittest.Kill{
		DSN: c.dsn, Rounds: 12, Children: 2, Within: 20 * time.Millisecond, Answers: 25,
		Prepare: c.prepare, Load: work, Verify: c.verify,
	}.Run(t)
}

var crashOperator = portal.Caller{
	Actor:   audit.Actor{Type: audit.ActorOperator, ID: "operator_crash", Name: "olga@console"},
	Context: audit.Context{Via: "cli"},
}

func openPortal(dsn string) (*database.DB, *portal.Portal, error) {
	db, err := database.Open(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	if _, err = portal.Migrate(ctx, db); err == nil {
		var p *portal.Portal
		if p, err = portal.Open(ctx, db); err == nil {
			return db, p, nil
		}
	}
	db.Close()
	return nil, nil, err
}

// crashCalls is how many calls there are to edit.
const crashCalls = 12

func (c *crashed) prepare(t *testing.T) {
	db, p, err := openPortal(c.dsn)
	check(t, err)
	defer db.Close()
	made := must(p.Setup(ctx, crashOperator, portal.NewTeam{Organization: "Acme", Team: "Alpha", Email: "dana@example.com"}))
	for i := range crashCalls {
		counts := must(p.Import(ctx, crashOperator, made.Team, source(newCall(i)), nil))
		if counts.New != 1 {
			t.Fatalf("importing call %d: %+v", i, counts)
		}
	}
	check(t, p.Close())
}

// work is what a child does: three people at once, each on things of their own.
func work(ctx context.Context, dsn, child string, answered func(string)) error {
	_, p, err := openPortal(dsn)
	if err != nil {
		return err
	}
	team, err := p.FindTeam(ctx, crashOperator, "Alpha")
	if err != nil {
		return err
	}
	calls, err := p.Calls(ctx, crashOperator, team.ID, portal.CallFilter{}, audit.Page{Limit: crashCalls})
	if err != nil {
		return err
	}
	errs := make(chan error)
	var wg sync.WaitGroup
	for client := range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				w := worker{p: p, team: team.ID, name: fmt.Sprintf("%s-%d-%d", child, client, n), answered: answered}
				call := calls.Calls[(client*4+n%4)%len(calls.Calls)]
				if err := w.round(ctx, call.ID); err != nil {
					errs <- fmt.Errorf("%s: %w", w.name, err)
					return
				}
			}
		})
	}
	return <-errs
}

type worker struct {
	p        *portal.Portal
	team     string
	name     string
	answered func(string)
}

// The states that a user and a device go through, step by step.
var (
	userSteps   = []string{"agent active", "auditor active", "auditor blocked", "auditor active", "deleted"}
	deviceSteps = []string{"unassigned", "assigned", "blocked", "assigned", "unassigned"}
)

func (w worker) round(ctx context.Context, call string) error {
	by, p := crashOperator, w.p
	added, err := p.AddUsers(ctx, by, w.team, []portal.NewUser{{Email: "u" + w.name + "@example.com"}}, portal.Agent, "")
	if err != nil {
		return err
	}
	user := added.Added[0].ID
	w.told("user", user, 0, added.Added[0].Event)
	d, err := p.AddDevice(ctx, by, w.team, "pc-"+w.name, "")
	if err != nil {
		return err
	}
	w.told("device", d.ID, 0, d.Version)
	for _, step := range []struct {
		kind, id string
		step     int
		do       func() (string, error)
	}{
		{"device", d.ID, 1, func() (string, error) { return p.AssignDevice(ctx, by, w.team, d.ID, user, "", "") }},
		{"user", user, 1, func() (string, error) { return p.ChangeRole(ctx, by, w.team, user, portal.Auditor, "", "") }},
		{"user", user, 2, func() (string, error) { return p.BlockUser(ctx, by, w.team, user, "", "left") }},
		{"device", d.ID, 2, func() (string, error) { return p.BlockDevice(ctx, by, w.team, d.ID, "", "") }},
		{"user", user, 3, func() (string, error) { return p.UnblockUser(ctx, by, w.team, user, "", "") }},
		{"device", d.ID, 3, func() (string, error) { return p.UnblockDevice(ctx, by, w.team, d.ID, "", "") }},
		{"user", user, 4, func() (string, error) { return p.DeleteUser(ctx, by, w.team, user, "", "") }},
	} {
		event, err := step.do()
		if err != nil {
			return err
		}
		w.told(step.kind, step.id, step.step, event)
	}
	// Somebody else may have set the same value.
	value := int(time.Now().UnixNano() % 1_000_000)
	event, err := p.EditValue(ctx, by, w.team, call, "questions_asked", strconv.Itoa(value), "", "")
	if err == nil {
		w.told("call", call, value, event)
	} else if code := audit.CodeOf(err); code != audit.CodeConflict && code != audit.CodeInvalid {
		return err
	}
	return nil
}

func (w worker) told(kind, id string, step int, event string) {
	w.answered(fmt.Sprintf("%s %s %d %s", kind, id, step, event))
}

func (c *crashed) verify(t *testing.T, answered []string) {
	db, p, err := openPortal(c.dsn)
	check(t, err)
	defer db.Close()
	team := must(p.FindTeam(ctx, crashOperator, "Alpha"))
	for _, line := range answered {
		f := strings.Fields(line)
		e, err := p.Log().Event(ctx, team.ID, f[3])
		if err != nil || e.Outcome != audit.OutcomeOK || e.Object == nil || e.Object.ID != f[1] {
			t.Errorf("%s was answered; its event is %+v, %v", line, e, err)
			continue
		}
		step := must(strconv.Atoi(f[2]))
		if f[0] != "call" {
			c.steps[f[1]] = step
		} else if !slices.ContainsFunc(e.Changes, func(ch audit.Change) bool { return ch.Field == "value" && ch.To.String() == f[2] }) {
			t.Errorf("%s was answered; its event says %v", line, e.Changes)
		}
	}
	for id, step := range c.steps {
		now, steps := c.state(t, p, team.ID, id)
		// One change more may have been made without an answer; deleting a
		// user takes the device back.
		if want := steps[step:min(step+2, len(steps))]; !slices.Contains(want, now) {
			t.Errorf("%s is %s, want one of %v", id, now, want)
		}
	}
	check(t, p.Close())
	audittest.CheckLog(t, p.Log())
}

func (c *crashed) state(t *testing.T, p *portal.Portal, team, id string) (state string, steps []string) {
	t.Helper()
	if strings.HasPrefix(id, "dev_") {
		d, err := p.Device(ctx, crashOperator, team, id)
		check(t, err)
		return d.State, deviceSteps
	}
	m, err := p.User(ctx, crashOperator, team, id)
	check(t, err)
	if !m.Deleted.IsZero() {
		return "deleted", userSteps
	}
	return string(m.Role) + " " + m.Status, userSteps
}
