package demo

import (
	"context"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/metric"
)

// visit is somebody's time at the portal, from signing in on.
type visit struct {
	*person
	key     string // of the session; "" if it is not told
	session string // its id, once it began
	ip      string // from where, if not from the usual place
	began   time.Time
}

func (p *person) visit(ip string) *visit { return &visit{person: p, ip: ip} }

// as is the visitor at a moment.
func (v *visit) as(at time.Time) portal.Caller {
	by := v.from(at, v.session)
	if v.ip != "" {
		by.IP = v.ip
	}
	return by
}

// needs are the keys of what a visitor's step reads.
func (v *visit) needs(t *team, more ...string) []string {
	return append(more, t.key(), v.person.key(), t.member(v.person), v.key)
}

// signIn plans the beginning of a visit.
func (t *team) signIn(at time.Time, p *person, ip string) *visit {
	v := p.visit(ip)
	p.sessions++
	v.key, v.began = fmt.Sprintf("session %d of %s", p.sessions, p.email), at
	reads := []string{p.key(), t.member(p)}
	for n := range signOutDays {
		reads = append(reads, doors(at.AddDate(0, 0, -n-1)))
	}
	t.add(at, p.name+" signing in", reads, []string{v.key}, func(ctx context.Context, d *desk) error {
		in, err := d.SignIn(ctx, portal.Caller{Context: v.as(at).Context}, p.email, t.password)
		v.session = in.Caller.Session
		return err
	})
	return v
}

// mistype plans a failed attempt to sign in.
func (t *team) mistype(at time.Time, p *person, ip, email string) {
	v := p.visit(ip)
	t.add(at, p.name+" mistyping", []string{p.key(), t.key()}, nil, func(ctx context.Context, d *desk) error {
		_, err := d.SignIn(ctx, portal.Caller{Context: v.as(at).Context}, email, "not the password of anybody")
		return refused(err, audit.CodeDenied)
	})
}

// doors is the key of the sign-outs of a day. A sign-in drops old sessions, so
// it must not come before the sign-outs of earlier days.
func doors(at time.Time) string { return "doors " + at.Format(time.DateOnly) }

const signOutDays = 30 // steps wait for each other over fewer days

func (t *team) signOut(at time.Time, v *visit) {
	t.add(at, v.name+" signing out", []string{t.key()}, []string{v.key, doors(at)}, func(ctx context.Context, d *desk) error {
		return d.SignOut(ctx, v.as(at))
	})
}

func (t *team) view(at time.Time, v *visit, c *call) {
	t.add(at, "viewing a call", v.needs(t, c.key()), nil, func(ctx context.Context, d *desk) error {
		_, err := d.ViewCall(ctx, v.as(at), t.id, c.id)
		return err
	})
}

// peek plans that somebody without the right tries to read a transcript.
func (t *team) peek(at time.Time, v *visit, c *call) {
	t.add(at, "trying to view a call", v.needs(t, c.key()), nil, func(ctx context.Context, d *desk) error {
		_, err := d.ViewCall(ctx, v.as(at), t.id, c.id)
		return refused(err, audit.CodeDenied)
	})
}

func (t *team) export(at time.Time, v *visit, c *call, format string) {
	t.add(at, "exporting a transcript", v.needs(t, c.key()), nil, func(ctx context.Context, d *desk) error {
		_, err := d.ExportTranscript(ctx, v.as(at), t.id, c.id, format)
		return err
	})
}

func (t *team) deleteCall(at time.Time, v *visit, c *call, reason string) {
	c.deleted = true
	t.add(at, "deleting a call", v.needs(t), []string{c.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.DeleteCall(ctx, v.as(at), t.id, c.id, "", reason)
		return err
	})
}

func (t *team) restoreCall(at time.Time, v *visit, c *call, reason string) {
	c.deleted = false
	t.add(at, "restoring a call", v.needs(t), []string{c.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.RestoreCall(ctx, v.as(at), t.id, c.id, "", reason)
		return err
	})
}

func (t *team) edit(at time.Time, v *visit, c *call, m metric.Metric, value, reason string) {
	t.edited[[2]string{c.source, m.Key}] = value
	t.add(at, "editing a value", v.needs(t), []string{c.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.EditValue(ctx, v.as(at), t.id, c.id, m.Key, value, "", reason)
		if audit.CodeOf(err) == audit.CodeInvalid { // it is the computed default
			return nil
		}
		return err
	})
}

func (t *team) reset(at time.Time, v *visit, c *call, m string) {
	delete(t.edited, [2]string{c.source, m})
	t.add(at, "resetting a value", v.needs(t), []string{c.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.ResetValue(ctx, v.as(at), t.id, c.id, m, "", "")
		if audit.CodeOf(err) == audit.CodeConflict { // the edit changed nothing
			return nil
		}
		return err
	})
}

func (t *team) assign(at time.Time, v *visit, dev *device, to *person, reason string) {
	dev.owner = to
	t.add(at, "assigning "+dev.hostname, v.needs(t, to.key(), t.member(to)), []string{dev.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.AssignDevice(ctx, v.as(at), t.id, dev.id, to.account.ID, "", reason)
		return err
	})
}

func (t *team) unassign(at time.Time, v *visit, dev *device, reason string) {
	dev.owner = nil
	t.add(at, "unassigning "+dev.hostname, v.needs(t), []string{dev.key()}, func(ctx context.Context, d *desk) error {
		_, err := d.UnassignDevice(ctx, v.as(at), t.id, dev.id, "", reason)
		return err
	})
}

// blockDevice plans that a device is blocked, or unblocked.
func (t *team) blockDevice(at time.Time, v *visit, dev *device, reason string) {
	dev.blocked = !dev.blocked
	block := dev.blocked
	t.add(at, "blocking "+dev.hostname, v.needs(t), []string{dev.key()}, func(ctx context.Context, d *desk) (err error) {
		if block {
			_, err = d.BlockDevice(ctx, v.as(at), t.id, dev.id, "", reason)
		} else {
			_, err = d.UnblockDevice(ctx, v.as(at), t.id, dev.id, "", reason)
		}
		return err
	})
}

func (t *team) move(at time.Time, v *visit, dev *device, to *team, reason string) {
	dev.owner = nil
	t.add(at, "moving "+dev.hostname, v.needs(t, to.key()), []string{dev.key()}, func(ctx context.Context, d *desk) (err error) {
		dev.id, err = d.MoveDevice(ctx, v.as(at), t.id, dev.id, to.id, "", reason)
		return err
	})
}

func (t *team) changeRole(at time.Time, v *visit, p *person, role portal.Role, reason string) {
	t.add(at, "changing a role", v.needs(t), []string{p.key(), t.member(p)}, func(ctx context.Context, d *desk) error {
		_, err := d.ChangeRole(ctx, v.as(at), t.id, p.account.ID, role, "", reason)
		return err
	})
}

func (t *team) block(at time.Time, v *visit, p *person, reason string) {
	t.add(at, "blocking "+p.name, v.needs(t), []string{t.member(p)}, func(ctx context.Context, d *desk) error {
		_, err := d.BlockUser(ctx, v.as(at), t.id, p.account.ID, "", reason)
		return err
	})
}

func (t *team) unblock(at time.Time, v *visit, p *person, reason string) {
	t.add(at, "unblocking "+p.name, v.needs(t), []string{t.member(p)}, func(ctx context.Context, d *desk) error {
		_, err := d.UnblockUser(ctx, v.as(at), t.id, p.account.ID, "", reason)
		return err
	})
}

func (t *team) deleteUser(at time.Time, v *visit, p *person, reason string) {
	writes := []string{t.member(p)}
	for _, dev := range t.devices {
		if dev.owner == p {
			dev.owner = nil
			writes = append(writes, dev.key())
		}
	}
	t.add(at, "deleting "+p.name, v.needs(t), writes, func(ctx context.Context, d *desk) error {
		_, err := d.DeleteUser(ctx, v.as(at), t.id, p.account.ID, "", reason)
		return err
	})
}

// read plans a look into the log.
func (t *team) read(at time.Time, v *visit, query string) {
	t.add(at, "reading the log", v.needs(t), nil, func(ctx context.Context, d *desk) error {
		f, err := audit.ParseQuery(query)
		if err != nil {
			return err
		}
		_, err = d.SearchLog(ctx, v.as(at), t.id, f, audit.Page{Limit: 10})
		return err
	})
}

func (t *team) switchMetric(at time.Time, v *visit, m string, on bool, reason string) {
	t.add(at, "switching a metric", v.needs(t), []string{t.name + " metrics"}, func(ctx context.Context, d *desk) error {
		_, err := d.SetMetric(ctx, v.as(at), t.id, m, on, "", reason)
		return err
	})
}
