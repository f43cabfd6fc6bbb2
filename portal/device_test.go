package portal_test

import (
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestDevice(t *testing.T) {
	f := portaltest.New(t)
	d := f.AddDevice(t, f.Dana, f.Alpha, " desk-14.example.com. ")
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Agnes.ID, d.Version, "first day"))
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Adam.ID, "", ""))
	must(f.BlockDevice(ctx, f.Dana, f.Alpha, d.ID, "", "stolen"))
	must(f.UnblockDevice(ctx, f.Dana, f.Alpha, d.ID, "", ""))
	event := must(f.UnassignDevice(ctx, f.Dana, f.Alpha, d.ID, "", ""))
	must(f.BlockDevice(ctx, f.Dana, f.Alpha, d.ID, event, ""))
	must(f.UnblockDevice(ctx, f.Dana, f.Alpha, d.ID, "", ""))
	f.Expect(t,
		`alpha device.added ok "desk-14.example.com": added_at →*, hostname →desk-14.example.com, state →unassigned`,
		`alpha device.assigned ok "desk-14.example.com": state unassigned→assigned, user_id →*`,
		`alpha device.assigned ok "desk-14.example.com": user_id *→*`,
		`alpha device.blocked ok "desk-14.example.com": state assigned→blocked`,
		`alpha device.unblocked ok "desk-14.example.com": state blocked→assigned`,
		`alpha device.unassigned ok "desk-14.example.com": state assigned→unassigned, user_id *→`,
		`alpha device.blocked ok "desk-14.example.com": state unassigned→blocked`,
		`alpha device.unblocked ok "desk-14.example.com": state blocked→unassigned`,
	)
	e := must(f.Log().Event(ctx, f.Alpha, event))
	if len(e.Related) != 1 || e.Related[0] != (audit.Ref{Type: "user", ID: f.Adam.ID, Name: "Adam Ames"}) {
		t.Errorf("related to taking it back: %+v", e.Related)
	}
}

func TestDeviceConflicts(t *testing.T) {
	f := portaltest.New(t)
	d := f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Adam.ID, "", ""))
	must(f.BlockUser(ctx, f.Dana, f.Alpha, f.Agnes.ID, "", ""))
	f.Passed()
	for name, change := range map[string]func() (string, error){
		"the same person":  func() (string, error) { return f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Adam.ID, "", "") },
		"a blocked person": func() (string, error) { return f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Agnes.ID, "", "") },
		"not blocked":      func() (string, error) { return f.UnblockDevice(ctx, f.Dana, f.Alpha, d.ID, "", "") },
		"an old version":   func() (string, error) { return f.BlockDevice(ctx, f.Dana, f.Alpha, d.ID, d.Version, "") },
		"its hostname": func() (string, error) {
			added, err := f.Portal.AddDevice(ctx, f.Dana, f.Alpha, "DESK-1", "")
			return added.ID, err
		},
	} {
		if _, err := change(); audit.CodeOf(err) != audit.CodeConflict {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	must(f.UnassignDevice(ctx, f.Dana, f.Alpha, d.ID, "", ""))
	must(f.BlockDevice(ctx, f.Dana, f.Alpha, d.ID, "", ""))
	f.Passed()
	_, err := f.UnassignDevice(ctx, f.Dana, f.Alpha, d.ID, "", "")
	refused(t, err, audit.CodeConflict)
	_, err = f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Adam.ID, "", "")
	refused(t, err, audit.CodeConflict)
	f.Expect(t,
		`alpha device.unassigned failed conflict "desk-1": refusal=*`,
		`alpha device.assigned failed conflict "desk-1": refusal=*`,
	)
	for _, bad := range []string{"", " ", "a b", "-a", "a-", "ünïcode", "a..b", strings.Repeat("a", 64), strings.Repeat("a.", 126) + "ab", "<script>"} {
		_, err := f.Portal.AddDevice(ctx, f.Dana, f.Alpha, bad, "")
		refused(t, err, audit.CodeInvalid, "hostname")
	}
	f.Expect(t)
}

func TestMoveDevice(t *testing.T) {
	f := portaltest.New(t)
	d := f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, d.ID, f.Agnes.ID, "", ""))
	f.Passed()

	_, err := f.MoveDevice(ctx, f.Dana, f.Alpha, d.ID, f.Beta, "", "")
	refused(t, err, audit.CodeNotFound) // Dana is nobody in Beta
	_, err = f.MoveDevice(ctx, f.Bo, f.Alpha, d.ID, "team_x", "", "")
	refused(t, err, audit.CodeNotFound)
	_, err = f.MoveDevice(ctx, f.Bo, f.Alpha, d.ID, f.Alpha, "", "")
	refused(t, err, audit.CodeInvalid, "team")
	f.Expect(t,
		`alpha device.moved denied "desk-1": refusal=*`,
		`alpha device.moved denied "desk-1": refusal=*, tried=team team_x`,
	)

	moved := must(f.MoveDevice(ctx, f.Bo, f.Alpha, d.ID, f.Beta, "", "office moves"))
	f.Expect(t,
		`alpha device.moved ok "desk-1": deleted_at →*, moved_device →*, moved_to →*`,
		`beta device.moved ok "desk-1": added_at →*, hostname →desk-1, moved_from →*, state →unassigned`,
	)
	left := must(f.Device(ctx, f.Audrey, f.Alpha, d.ID))
	if left.MovedTo != f.Beta || left.MovedDevice != moved || left.MovedToName != "Beta" || left.Deletion == nil || left.Deletion.By.ID != f.Bo.ID || left.Deletion.Reason != "office moves" {
		t.Errorf("in Alpha stands %+v", left)
	}
	there := must(f.Device(ctx, f.Bea, f.Beta, moved))
	if there.MovedFromName != "Alpha" || there.UserID != "" || there.State != portal.DeviceStateUnassigned {
		t.Errorf("in Beta stands %+v", there)
	}
	here, arrival := must(f.Log().Event(ctx, f.Alpha, left.Version)), must(f.Log().Event(ctx, f.Beta, there.Version))
	if len(here.Links) != 1 || here.Links[0] != (audit.Link{Rel: "pair", Log: f.Beta, ID: arrival.ID}) ||
		len(arrival.Links) != 1 || arrival.Links[0] != (audit.Link{Rel: "pair", Log: f.Alpha, ID: here.ID}) {
		t.Errorf("the pair is linked %+v and %+v", here.Links, arrival.Links)
	}
	if len(here.Related) != 2 || here.Related[0].Name != "Alpha" || here.Related[1].Name != "Beta" || arrival.Reason != "office moves" {
		t.Errorf("the move is related to %+v", here.Related)
	}
	for name, change := range map[string]func() (string, error){
		"move":   func() (string, error) { return f.MoveDevice(ctx, f.Bo, f.Alpha, d.ID, f.Beta, "", "") },
		"block":  func() (string, error) { return f.BlockDevice(ctx, f.Bo, f.Alpha, d.ID, "", "") },
		"assign": func() (string, error) { return f.AssignDevice(ctx, f.Bo, f.Alpha, d.ID, f.Agnes.ID, "", "") },
	} {
		if _, err := change(); audit.CodeOf(err) != audit.CodeGone {
			t.Errorf("%s what was moved: the error is %v", name, err)
		}
	}
	// There and back again: a third row, and both old links still lead on.
	f.Passed()
	must(f.BlockDevice(ctx, f.Bea, f.Beta, moved, "", ""))
	back := must(f.MoveDevice(ctx, f.Bo, f.Beta, moved, f.Alpha, "", ""))
	f.Expect(t,
		`beta device.blocked ok "desk-1": state unassigned→blocked`,
		`beta device.moved ok "desk-1": deleted_at →*, moved_device →*, moved_to →*`,
		`alpha device.moved ok "desk-1": added_at →*, hostname →desk-1, moved_from →*, state →blocked`,
	)
	if gone := must(f.Device(ctx, f.Bea, f.Beta, moved)); gone.MovedToName != "Alpha" || gone.MovedFromName != "Alpha" || gone.MovedDevice != back {
		t.Errorf("in Beta stands %+v", gone)
	}
	f.AddDevice(t, f.Bea, f.Beta, "Desk-1")
	f.Passed()
	_, err = f.MoveDevice(ctx, f.Bo, f.Alpha, back, f.Beta, "", "")
	refused(t, err, audit.CodeConflict)
	f.Expect(t, `alpha device.moved failed conflict "desk-1": refusal=*`)
}

func TestDevices(t *testing.T) {
	f := portaltest.New(t)
	ids := map[string]string{}
	for _, name := range []string{"desk-3", "Desk-1", "desk-2", "lab-1"} {
		ids[name] = f.AddDevice(t, f.Dana, f.Alpha, name).ID
	}
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, ids["desk-2"], f.Agnes.ID, "", ""))
	must(f.AssignDevice(ctx, f.Dana, f.Alpha, ids["lab-1"], f.Adam.ID, "", ""))
	must(f.BlockDevice(ctx, f.Dana, f.Alpha, ids["desk-3"], "", ""))
	f.Passed()
	for want, filter := range map[string]portal.DeviceFilter{
		"Desk-1 desk-2 desk-3 lab-1": {},
		"lab-1 desk-3 desk-2 Desk-1": {Desc: true},
		"desk-2 lab-1":               {State: portal.DeviceStateAssigned},
		"desk-3":                     {State: portal.DeviceStateBlocked},
		"desk-2":                     {Text: "AGNES"},
		"lab-1":                      {Text: "adam@example lab"},
		"Desk-1 desk-3 lab-1 desk-2": {Sort: "person"},
		"desk-3 Desk-1 desk-2 lab-1": {Sort: "added"},
		"desk-2 desk-3":              {Offset: 1, Limit: 2},
	} {
		var got []string
		for _, d := range must(f.Devices(ctx, f.Audrey, f.Alpha, filter)).Devices {
			got = append(got, d.Hostname)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v gives %q, not %q", filter, got, want)
		}
	}
	list := must(f.Devices(ctx, f.Dana, f.Alpha, portal.DeviceFilter{Text: "desk", State: portal.DeviceStateBlocked}))
	if list.Total != 1 || list.States["assigned"] != 1 || list.States["unassigned"] != 1 || list.States["blocked"] != 1 {
		t.Errorf("the tabs count %+v", list)
	}
	for field, bad := range map[string]portal.DeviceFilter{"sort": {Sort: "x"}, "state": {State: "x"}, "limit": {Limit: -1}} {
		_, err := f.Devices(ctx, f.Dana, f.Alpha, bad)
		refused(t, err, audit.CodeInvalid, field)
	}
	if page := must(f.User(ctx, f.Dana, f.Alpha, f.Agnes.ID)); len(page.Devices) != 1 || page.Devices[0].Hostname != "desk-2" {
		t.Errorf("Agnes has %+v", page.Devices)
	}
	f.Expect(t)
}
