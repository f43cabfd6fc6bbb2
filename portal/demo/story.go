package demo

import (
	"context"
	"fmt"
	"time"

	"onrecord/portal"
)

// What is worth finding: one evening, after three failed attempts, somebody
// signs in as Noah from an address that nobody used before and makes Rory an
// Admin. In the night transcripts are exported in bursts from that address,
// and a complaint is deleted. In the morning Dana reads the log.

const (
	elsewhere = "198.51.100.23"
	victim    = "Noah Berg"
	raider    = "Rory Vale"
)

// evening is the day of the story: a working day nine to thirteen days ago.
func (c *center) evening() time.Time {
	day := c.now.AddDate(0, 0, -9).Truncate(24 * time.Hour)
	for day.Weekday() < time.Tuesday || day.Weekday() > time.Thursday {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

// atNight tells whether the story is under way in the team.
func (t *team) atNight(at time.Time) bool {
	from := t.evening().Add(16 * time.Hour)
	return t == t.teams[0] && at.After(from) && at.Before(from.Add(20*time.Hour))
}

// named gives somebody of the team by name.
func (t *team) named(name string) *person {
	for _, p := range t.people {
		if p.name == name {
			return p
		}
	}
	panic("demo: nobody in the roster is called " + name)
}

// night plans the story.
func (c *center) night() {
	t, day := c.teams[0], c.evening()
	noah, rory := t.named(victim), t.named(raider)
	at := day.Add(18*time.Hour + 41*time.Minute)
	for range 3 {
		t.mistype(at, noah, elsewhere, noah.email)
		at = at.Add(c.between(6*time.Second, 14*time.Second))
	}
	v := t.signIn(at, noah, elsewhere)
	t.changeRole(at.Add(70*time.Second), v, rory, portal.Admin, "Covers the weekend")
	t.newLink(at.Add(95*time.Second), v, rory)
	t.signOut(at.Add(110*time.Second), v)
	complaint := t.raid(day.Add(25*time.Hour+7*time.Minute), rory)
	t.morning(day.Add(32*time.Hour+2*time.Minute), rory, complaint)
}

// newLink plans that an Admin makes a link for somebody.
func (t *team) newLink(at time.Time, v *visit, p *person) {
	t.add(at, "making a link", v.needs(t, t.member(p)), []string{p.key()}, func(ctx context.Context, d *desk) error {
		link, err := d.NewLink(ctx, v.as(at), t.id, p.account.ID, "")
		p.token = link.Token
		return err
	})
}

// enter plans that somebody uses their link and is signed in by it.
func (t *team) enter(at time.Time, p *person, ip string) *visit {
	v := p.visit(ip)
	v.key = "session of the night"
	t.add(at, "entering by a link", []string{t.member(p)}, []string{p.key(), v.key}, func(ctx context.Context, d *desk) error {
		in, err := d.UseLink(ctx, portal.Caller{Context: v.as(at).Context}, p.token, "", t.password)
		v.session = in.Caller.Session
		return err
	})
	return v
}

// raid plans the exports of the night, and gives the call that is deleted.
func (t *team) raid(at time.Time, p *person) *call {
	v := t.enter(at, p, elsewhere)
	var complaint *call
	for i := len(t.heard) - 1; i >= 0; i-- {
		c := t.heard[i]
		if c.deleted || !c.arrived.Before(t.evening()) {
			continue
		}
		if c.topic == "complaint" && complaint == nil {
			complaint = c
			t.view(at.Add(2*time.Minute), v, c)
		}
		if t.taken >= 64 {
			continue
		}
		if t.taken%8 == 0 {
			at = at.Add(t.between(9*time.Minute, 19*time.Minute))
		}
		t.export(at, v, c, "json")
		t.taken++
		at = at.Add(t.between(180*time.Millisecond, 900*time.Millisecond))
	}
	if complaint == nil {
		panic("demo: no call is a complaint")
	}
	at = at.Add(t.between(4*time.Minute, 9*time.Minute))
	t.deleteCall(at, v, complaint, "")
	return complaint
}

// morning plans how Dana finds it.
func (t *team) morning(at time.Time, p *person, complaint *call) {
	v := t.signIn(at, t.dana, "")
	for _, query := range []string{
		"", "action:call.transcript_exported after:" + t.evening().Format("2006-01-02"),
		"actor:" + p.email, "ip:" + elsewhere,
	} {
		at = at.Add(t.between(20*time.Second, 70*time.Second))
		t.read(at, v, query)
	}
	at = at.Add(90 * time.Second)
	t.block(at, v, p, fmt.Sprintf("%d transcripts exported last night; nobody asked for them", t.taken))
	at = at.Add(40 * time.Second)
	t.restoreCall(at, v, complaint, "Deleted in the night; it is a complaint")
	t.view(at.Add(15*time.Second), v, complaint)
	noah := t.named(victim)
	t.block(at.Add(2*time.Minute), v, noah, "Somebody else knows his password")
	t.unblock(at.Add(95*time.Minute), v, noah, "Spoke to him; he chooses a new password")
	t.newLink(at.Add(96*time.Minute), v, noah)
	t.choosePassword(at.Add(107*time.Minute), noah)
}

// milestones plan what happens once in a while: somebody comes and goes, a
// role is lent, a device moves on, a metric is switched.
func (c *center) milestones() {
	support, sales, field := c.teams[0], c.teams[1], c.teams[2]
	day := func(n int) time.Time { return c.start.AddDate(0, 0, n).Add(c.between(time.Hour, 3*time.Hour)) }
	visit := func(n int) (time.Time, *visit) {
		at := day(n)
		return at.Add(40 * time.Second), support.signIn(at, c.dana, "")
	}

	at, v := visit(20)
	support.switchMetric(at, v, "filler_words", false, "Not for this team")
	at, v = visit(41)
	support.switchMetric(at, v, "filler_words", true, "")

	theo := &person{name: "Theo Lang", email: address("Theo Lang"), role: portal.Agent}
	support.hire(day(25), theo)
	at, v = visit(58)
	support.deleteUser(at, v, theo, "Left the company")

	sam := support.named("Sam Roe")
	at, v = visit(50)
	support.changeRole(at, v, sam, portal.Auditor, "Quarterly review")
	at, v = visit(70)
	support.changeRole(at, v, sam, portal.Agent, "Review is done")

	for _, m := range []struct {
		added, moved int
		hostname     string
		from, to     *team
	}{
		{33, 47, "customer-desk-90", support, sales},
		{36, 62, "sales-laptop-31", sales, field},
		{40, 80, "field-desk-14", field, support},
	} {
		dev := &device{hostname: m.hostname}
		m.from.addDevice(day(m.added), dev)
		at, v = visit(m.moved)
		m.from.move(at, v, dev, m.to, "Goes with its desk")
	}
	support.mistype(day(66), c.dana, "", "dana.cruz@exmaple.com")
}

// hire plans that Dana adds one person.
func (t *team) hire(at time.Time, p *person) {
	t.add(at, "adding "+p.name, []string{t.key(), t.dana.key()}, []string{p.key(), t.member(p)}, func(ctx context.Context, d *desk) error {
		done, err := d.AddUsers(ctx, t.dana.from(at, ""), t.id, []portal.NewUser{{Email: p.email, Name: p.name}}, p.role, "")
		if err != nil {
			return err
		}
		if len(done.Added) != 1 {
			return fmt.Errorf("not added: %+v", done.Skipped)
		}
		p.account = actor(done.Added[0].Member)
		if link := done.Added[0].Link; link != nil {
			p.token = link.Token
		}
		return nil
	})
}

func (t *team) addDevice(at time.Time, dev *device) {
	t.add(at, "adding "+dev.hostname, []string{t.key(), t.dana.key()}, []string{dev.key()}, func(ctx context.Context, d *desk) error {
		made, err := d.AddDevice(ctx, t.dana.from(at, ""), t.id, dev.hostname, "")
		dev.id = made.ID
		return err
	})
}
