package portal_test

import (
	"context"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestFollowLog(t *testing.T) {
	f := portaltest.New(t)
	k, token := aKey(t, f, f.Dana, portal.NewAPIKey{})
	h := must(f.AuthenticateKey(ctx, from, token))
	devices := audit.Filter{Action: audit.Values{Any: []string{portal.DeviceAdded}}}
	last := must(f.LastLeaf(ctx, h.Caller, f.Alpha))
	f.Expect(t)
	follow := must(f.FollowLog(ctx, h.Caller, f.Alpha, devices, last))
	f.Expect(t, `alpha audit_log.viewed ok: query=action:device.added`)
	type given struct {
		e   audit.Event
		err error
	}
	got := make(chan given)
	go func() {
		defer close(got)
		for e, err := range follow {
			got <- given{e, err}
		}
	}()
	d := f.AddDevice(t, f.Adam, f.Alpha, "desk-1")
	if g := <-got; g.err != nil || g.e.ID != d.Version || g.e.Leaf == nil || *g.e.Leaf <= last {
		t.Fatalf("given is %+v", g)
	}
	f.Expect(t, `alpha device.added ok "desk-1": added_at →*, hostname →desk-1, state →unassigned`)
	f.Clock.Advance(time.Hour) // what is given in another hour is another reading
	d = f.AddDevice(t, f.Adam, f.Alpha, "desk-2")
	if g := <-got; g.err != nil || g.e.ID != d.Version {
		t.Fatalf("given is %+v", g)
	}
	f.Expect(t, `alpha device.added ok "desk-2": added_at →*, hostname →desk-2, state →unassigned`, `alpha audit_log.viewed ok: query=action:device.added`)
	must(f.RevokeAPIKey(ctx, f.Dana, f.Alpha, k.ID, ""))
	keyRefused(t, (<-got).err, "was revoked")
	if g, more := <-got; more {
		t.Errorf("after its end %+v was given", g)
	}
	_, err := f.FollowLog(ctx, f.Agnes, f.Alpha, devices, -1)
	refused(t, err, audit.CodeDenied)
}

func TestFollowLogEndsWithItsReader(t *testing.T) {
	f := portaltest.New(t)
	gone, hangUp := context.WithCancel(ctx)
	defer hangUp()
	n := 0
	for _, err := range must(f.FollowLog(gone, f.Dana, f.Alpha, audit.Filter{}, -1)) {
		check(t, err)
		if n++; n == 5 {
			hangUp()
		}
	}
	if n != 5 {
		t.Errorf("%d events were given", n)
	}
}

func TestLogInOrder(t *testing.T) {
	f := portaltest.New(t)
	size := must(f.LastLeaf(ctx, f.Dana, f.Alpha)) + 1
	var leaves []int64
	for at := int64(-1); ; {
		p, err := f.LogInOrder(ctx, f.Dana, f.Alpha, audit.Filter{}, at, 3)
		check(t, err)
		check(t, f.Log().Seal(ctx))
		for _, e := range p.Events {
			leaves = append(leaves, *e.Leaf)
		}
		if p.Last == at || p.Last >= size {
			break
		}
		at = p.Last
	}
	for i, leaf := range leaves {
		if leaf != int64(i) {
			t.Fatalf("the leaves are %v", leaves)
		}
	}
	if int64(len(leaves)) <= size {
		t.Errorf("%d leaves of more than %d", len(leaves), size)
	}
	p, err := f.LogInOrder(ctx, f.Dana, f.Alpha, audit.Filter{Action: audit.Values{Any: []string{"call.viewed"}}}, -1, 10)
	if check(t, err); len(p.Events) != 0 || p.Last < size-1 {
		t.Errorf("looking for what is not there ends at %d of %d", p.Last, size)
	}
	for _, bad := range []struct {
		after int64
		limit int
		field string
	}{{-2, 10, "cursor"}, {1 << 40, 10, "cursor"}, {-1, 0, "limit"}, {-1, 1001, "limit"}} {
		_, err := f.LogInOrder(ctx, f.Dana, f.Alpha, audit.Filter{}, bad.after, bad.limit)
		refused(t, err, audit.CodeInvalid, bad.field)
	}
}
