package demo

import (
	"strconv"
	"time"

	"onrecord/portal"
	"onrecord/portal/metric"
)

// everyday plans the working days of a team: calls arrive in the evening, and
// by day people with a role visit the portal, one after another, in bursts
// with hours between them. A few of them do nearly everything (Zipf, s = 1.6),
// four of five things they do are readings, and what they look at is mostly
// new (Zipf, s = 0.9).
func (t *team) everyday() {
	perDay := float64(t.calls) / 68 // working days, a weekend counting a fifth of one
	owed := 0.0
	for n := range Days + 1 {
		day := t.start.Truncate(24*time.Hour).AddDate(0, 0, n)
		share := 1.0
		if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
			share = 0.2
		}
		if n > 0 {
			t.visits(day, share)
		}
		owed += perDay * share
		t.record(day, int(owed))
		owed -= float64(int(owed))
	}
	t.lately()
}

// visits plans those of one day.
func (t *team) visits(day time.Time, share float64) {
	at := day.Add(7*time.Hour + t.between(20*time.Minute, 3*time.Hour))
	for left := t.busy * share; left > 0; left-- {
		if left < 1 && !t.chance(left) {
			return
		}
		// The night of the story and the morning after belong to it alone.
		if at.After(t.now.Add(-time.Hour)) || t.atNight(at) {
			return
		}
		at = t.visit(at, t.visitor()).Add(t.between(70*time.Minute, 4*time.Hour))
	}
}

// visitor is an Admin or the Auditor.
func (t *team) visitor() *person {
	var able []*person
	for _, p := range t.people {
		if p.role != portal.Agent {
			able = append(able, p)
		}
	}
	return able[t.zipf(len(able), 1.6)]
}

// lately plans a visit that ended minutes ago, so that the log begins today.
func (t *team) lately() {
	if t.name == t.teams[0].name {
		t.visit(t.now.Add(-25*time.Minute), t.dana)
	}
}

// visit plans what somebody does in one go, signing in first unless they are
// still signed in, and gives the time of the last step.
func (t *team) visit(at time.Time, p *person) time.Time {
	v := t.here[p]
	if v == nil || at.Sub(v.began) > portal.SessionIdle-time.Hour {
		if t.chance(0.05) {
			t.mistype(at, p, "", p.email)
			at = at.Add(t.between(4*time.Second, 15*time.Second))
		}
		v = t.signIn(at, p, "")
		t.here[p] = v
	}
	for range 14 + t.random.IntN(30) {
		at = at.Add(t.pause())
		if at.After(t.now.Add(-2 * time.Minute)) {
			return at
		}
		if p.role == portal.Auditor {
			at = t.audit(at, v)
		} else {
			at = t.work(at, v)
		}
	}
	if t.chance(0.1) { // most people close the window
		at = at.Add(t.pause())
		t.signOut(at, v)
		delete(t.here, p)
	}
	return at
}

// pause is the time between two things that somebody does.
func (t *team) pause() time.Duration {
	if t.chance(0.3) {
		return t.between(200*time.Millisecond, 1500*time.Millisecond)
	}
	return t.between(3*time.Second, 75*time.Second)
}

// audit plans one thing that the Auditor does.
func (t *team) audit(at time.Time, v *visit) time.Time {
	if c := t.somewhatNew(at); c != nil && t.chance(0.05) {
		t.peek(at, v, c)
		return at
	}
	t.read(at, v, pick(t.random, "", "action:call.viewed", "action:call.transcript_exported", "outcome:denied",
		"action:user.role_changed,user.created,user.deleted", "type:device", "actor:"+t.visitor().email))
	return at
}

// work plans one thing that an Admin does, with what follows from it at once.
func (t *team) work(at time.Time, v *visit) time.Time {
	c := t.somewhatNew(at)
	if c == nil {
		return at
	}
	switch n := t.random.IntN(100); {
	case n < 47:
		t.view(at, v, c)
		for t.chance(0.25) { // a reload, or back to it from elsewhere
			at = at.Add(t.between(2*time.Second, 40*time.Second))
			t.view(at, v, c)
		}
	case n < 55:
		t.export(at, v, c, pick(t.random, "txt", "txt", "vtt", "json"))
	case n < 58: // a selection of several
		for range 3 + t.random.IntN(6) {
			t.export(at, v, t.somewhatNew(at), "txt")
			at = at.Add(t.between(60*time.Millisecond, 240*time.Millisecond))
		}
	case n < 74:
		if t.plan == portal.PlanCallCenterAI {
			t.read(at, v, pick(t.random, "", "", `object:"Call `+c.customer+`"`, "actor:"+v.email, "action:metric.value_edited", "complaint"))
		}
	case n < 90:
		at = t.score(at, v, c)
	case n < 92:
		t.deleteCall(at, v, c, pick(t.random, "Test call", "Customer asked for it", "Recorded twice", ""))
		if t.chance(0.5) {
			at = at.Add(t.between(5*time.Second, 4*time.Minute))
			t.restoreCall(at, v, c, "Wrong call")
		}
	case n < 99:
		t.handOut(at, v)
	default:
		t.staff(at, v)
	}
	return at
}

// somewhatNew gives a call that is there, mostly one of the last; nil if there
// is none yet.
func (t *team) somewhatNew(at time.Time) *call {
	var there []*call
	for i := len(t.heard) - 1; i >= 0; i-- {
		if c := t.heard[i]; !c.deleted && c.arrived.Add(time.Minute).Before(at) {
			there = append(there, c)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return there[t.zipf(len(there), 0.9)]
}

var edited = []string{"checklist_adherence", "greeting", "verification", "closing", "questions_asked", "interruptions"}

// score plans that a value is edited, after a look at the call, or reset.
func (t *team) score(at time.Time, v *visit, c *call) time.Time {
	t.view(at, v, c)
	at = at.Add(t.between(8*time.Second, 60*time.Second))
	m, ok := metric.Get(pick(t.random, edited...))
	if !ok {
		panic("demo: a metric is gone from the catalogue")
	}
	key := [2]string{c.source, m.Key}
	if t.edited[key] != "" {
		t.reset(at, v, c, m.Key)
		return at
	}
	value := strconv.Itoa(t.random.IntN(6) * 20)
	if m.Unit != metric.Percent {
		value = strconv.Itoa(t.random.IntN(9))
	}
	t.edit(at, v, c, m, value, pick(t.random, "Heard it myself", "Said in other words", "", ""))
	return at
}

// handOut plans a change of one device.
func (t *team) handOut(at time.Time, v *visit) {
	dev := pick(t.random, t.devices...)
	switch {
	case dev.blocked:
		t.blockDevice(at, v, dev, "Found again")
	case t.chance(0.15):
		t.blockDevice(at, v, dev, "Lost")
	case dev.owner != nil:
		t.unassign(at, v, dev, pick(t.random, "", "Returned"))
	default:
		if p := pick(t.random, t.agents()...); !p.away && p.name != raider {
			t.assign(at, v, dev, p, "")
		}
	}
}

// staff plans a change of people: somebody is away for a while.
func (t *team) staff(at time.Time, v *visit) {
	p := pick(t.random, t.agents()...)
	if p.name == raider {
		return
	}
	if p.away {
		t.unblock(at, v, p, "Back again")
	} else {
		t.block(at, v, p, "On leave")
	}
	p.away = !p.away
}
