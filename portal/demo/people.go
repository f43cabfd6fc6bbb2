package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// team is one of the teams, as it will be.
type team struct {
	*center
	name, plan string
	id         string // once it is made
	busy       float64
	calls      int // over the whole time

	people  []*person // the first is the Admin of the set-up
	devices []*device
	heard   []*call              // in the order of arrival
	edited  map[[2]string]string // what stands instead of the default, by call and metric
	here    map[*person]*visit   // the latest session of each, from the usual place
	taken   int                  // transcripts that were exported in the night
}

func (t *team) key() string { return "team " + t.name }

// person is somebody, in all teams.
type person struct {
	name, email string
	role        portal.Role
	ip, browser string
	account     audit.Actor // once it is made
	token       string      // of an unused link
	sessions    int
	away        bool // blocked for a while
}

func (p *person) key() string { return "user " + p.email }

// device is a device of a team.
type device struct {
	hostname string
	id       string // once it is made
	owner    *person
	blocked  bool
}

func (d *device) key() string { return "device " + d.hostname }

var browsers = []string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
}

// roster is who works where, mightiest first.
var roster = []struct {
	team, plan string
	busy       float64 // visits a working day
	calls      int
	devices    int
	admins     string
	auditors   string
	agents     string
}{
	{"Customer Support", portal.PlanCallCenterAI, 0.7, 280, 22,
		"Dana Cruz, Noah Berg, Priya Nair", "Audrey Abe", "Sam Roe, Lena Fischer, Rory Vale, Tomás Silva, Mei Tanaka, Amara Okafor, Jonas Lind, Chloé Martin, Ivo Petrov, Grace Kim"},
	{"Sales", portal.PlanCallCenterAI, 0.3, 90, 12,
		"Dana Cruz, Marcus Webb", "Audrey Abe", "Nora Quinn, Felix Adler, Zoe Hart, Omar Haddad, Ines Costa"},
	{"Field Service", portal.PlanCore, 0.12, 30, 6,
		"Dana Cruz, Petra Novak", "", "Leo Brandt, Yara Haddad, Finn Doyle, Anya Sokol"},
}

const domain = "@example.com"

// found plans how the organization comes to be: everything of the first days.
func (c *center) found() {
	c.console = operator{audit.NewID("operator", c.start), "olivia@console"}
	c.recorder = operator{audit.NewID("operator", c.start), "recorder@pbx-01"}
	known := map[string]*person{}
	who := func(names string, role portal.Role) (all []*person) {
		for name := range strings.SplitSeq(names, ", ") {
			if name == "" {
				continue
			}
			p := known[name]
			if p == nil {
				p = &person{
					name: name, email: address(name), role: role, browser: browsers[len(known)%len(browsers)],
					ip: fmt.Sprintf("203.0.113.%d", 10+len(known)),
				}
				known[name] = p
			}
			all = append(all, p)
		}
		return all
	}
	at := c.start
	for _, r := range roster {
		t := &team{center: c, name: r.team, plan: r.plan, busy: r.busy, calls: r.calls, edited: map[[2]string]string{}, here: map[*person]*visit{}}
		c.teams = append(c.teams, t)
		admins, auditors, agents := who(r.admins, portal.Admin), who(r.auditors, portal.Auditor), who(r.agents, portal.Agent)
		c.dana = admins[0]
		t.make(at)
		at = at.Add(c.between(4*time.Minute, 9*time.Minute))
		at = t.join(at, slices.Concat(admins[1:], auditors, agents))
		at = t.equip(at, r.devices)
	}
}

// address makes tomas.silva@example.com of Tomás Silva.
func address(name string) string {
	plain := strings.NewReplacer("á", "a", "é", "e").Replace(strings.ToLower(name))
	return strings.ReplaceAll(plain, " ", ".") + domain
}

// operator is somebody, or a program, on the command line.
type operator struct{ id, name string }

func (o operator) from(at time.Time) portal.Caller {
	return portal.Caller{
		Actor:   audit.Actor{Type: audit.ActorOperator, ID: o.id, Name: o.name},
		Context: audit.Context{Via: "cli", Request: audit.NewID("req", at)},
	}
}

// make plans the set-up of the team.
func (t *team) make(at time.Time) {
	p := t.dana
	t.people = append(t.people, p)
	t.add(at, "setting up "+t.name, nil, []string{"organization", t.key(), p.key()}, func(ctx context.Context, d *desk) error {
		made, err := d.Setup(ctx, t.console.from(at), portal.NewTeam{
			Organization: "Brightwater", Team: t.name, Plan: t.plan, Email: p.email, AdminName: p.name, Password: t.password,
		})
		t.id = made.Team
		p.account = actor(made.Admin)
		return err
	})
}

func actor(m portal.Member) audit.Actor {
	return audit.Actor{Type: audit.ActorUser, ID: m.ID, Name: m.Name, Email: m.Email}
}

// join plans that Dana adds people, and that those with a link use it.
func (t *team) join(at time.Time, people []*person) time.Time {
	for _, p := range people {
		t.people = append(t.people, p)
		t.hire(at, p)
		if p.role != portal.Agent {
			t.choosePassword(at.Add(t.between(10*time.Minute, 5*time.Hour)), p)
		}
		at = at.Add(t.between(300*time.Millisecond, 900*time.Millisecond))
	}
	return at.Add(t.between(2*time.Minute, 5*time.Minute))
}

// choosePassword plans that somebody uses their link; it does nothing for
// those who have a password from another team.
func (t *team) choosePassword(at time.Time, p *person) {
	t.add(at, p.name+" choosing a password", nil, []string{p.key()}, func(ctx context.Context, d *desk) error {
		if p.token == "" {
			return nil
		}
		token := p.token
		p.token = ""
		_, err := d.UseLink(ctx, portal.Caller{Context: p.from(at, "").Context}, token, "", t.password)
		return err
	})
}

// from is the person acting at a moment, within a session or none.
func (p *person) from(at time.Time, session string) portal.Caller {
	return portal.Caller{Actor: p.account, Context: audit.Context{
		IP: p.ip, UserAgent: p.browser, Via: "web", Session: session, Request: audit.NewID("req", at),
	}}
}

// member is the key of somebody's place in the team.
func (t *team) member(p *person) string { return t.name + " " + p.key() }

var machines = []string{"desk", "desk", "desk", "laptop", "headset-hub"}

// equip plans that Dana adds the devices and gives most of them to people.
func (t *team) equip(at time.Time, count int) time.Time {
	short := strings.ToLower(strings.Fields(t.name)[0])
	for i := range count {
		dev := &device{hostname: fmt.Sprintf("%s-%s-%02d", short, pick(t.random, machines...), i+1)}
		t.devices = append(t.devices, dev)
		t.addDevice(at, dev)
		at = at.Add(t.between(2*time.Second, 8*time.Second))
		if i%7 != 6 {
			t.assign(at, t.dana.visit(""), dev, t.people[(i+1)%len(t.people)], "")
			at = at.Add(t.between(2*time.Second, 5*time.Second))
		}
	}
	return at
}

// errExpected marks a refusal that the history wants.
var errExpected = errors.New("it was not refused")

// refused passes the refusal that the history wants, and no other outcome.
func refused(err error, code audit.Code) error {
	switch {
	case err == nil:
		return errExpected
	case audit.CodeOf(err) == code:
		return nil
	}
	return err
}
