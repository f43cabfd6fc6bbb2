package web

import (
	"context"
	"net/http"
	"strings"

	"onrecord/portal"
	"onrecord/web/view"
)

// portalChange is a method of the portal that changes one thing.
type portalChange func(p *portal.Portal, ctx context.Context, by portal.Caller, team, id, version, reason string) (string, error)

var devices = noun{one: "device", many: "devices", path: "devices", key: "device", section: view.SectionDevices,
	find: func(v *visit, id string) (subject, error) {
		d, err := v.portal.Device(v.ctx(), v.by(), v.team(), id)
		return subject{id: d.ID, name: d.Hostname, detail: d.UserName, version: d.Version, gone: !d.Deleted.IsZero()}, err
	}}

// What is done to devices, in the order of menus.
var (
	assignDevice = change{name: "assign", label: "Assign",
		text:   []string{"Whoever has it now loses it."},
		done:   fixed("assigned"),
		inputs: personInput,
		apply: func(v *visit, id, version, reason string) (*view.Link, error) {
			_, err := v.portal.AssignDevice(v.ctx(), v.by(), v.team(), id, v.formValue("user"), version, reason)
			return nil, err
		}}
	unassignDevice = change{name: "unassign", label: "Unassign",
		done:  fixed("unassigned"),
		apply: plainChange((*portal.Portal).UnassignDevice)}
	blockDevice = change{name: "block", label: "Block",
		text:  []string{"It keeps its person and cannot be used until it is unblocked."},
		done:  fixed("blocked"),
		apply: plainChange((*portal.Portal).BlockDevice)}
	unblockDevice = change{name: "unblock", label: "Unblock",
		done:  fixed("unblocked"),
		apply: plainChange((*portal.Portal).UnblockDevice)}
	moveDevice = change{name: "move", label: "Move to another team", leaves: true,
		text:   []string{"It leaves this team and its person, and is listed in the other one. The move stands in the audit logs of both."},
		done:   func(v *visit) string { return "moved to " + v.teamNamed(v.formValue("team")) },
		inputs: teamInput,
		apply:  moveTo}

	deviceChanges = []change{assignDevice, unassignDevice, blockDevice, unblockDevice, moveDevice}
)

func moveTo(v *visit, id, version, reason string) (*view.Link, error) {
	to := v.formValue("team")
	moved, err := v.portal.MoveDevice(v.ctx(), v.by(), v.team(), id, to, version, reason)
	if err != nil {
		return nil, err
	}
	return &view.Link{Label: "Open it there", URL: teamPath(to, "devices", moved)}, nil
}

// teamNamed is the name of one of the reader's teams.
func (v *visit) teamNamed(team string) string {
	if m, ok := v.me.Membership(team); ok {
		return m.TeamName
	}
	return "another team"
}

func personInput(v *visit) ([]view.Input, error) {
	found, err := v.portal.Users(v.ctx(), v.by(), v.team(), portal.UserFilter{Limit: 1000})
	if err != nil {
		return nil, err
	}
	in := view.Input{Kind: view.KindSelect, Name: "user", Label: "Person", Required: true}
	for _, m := range found.Users {
		if m.Status == portal.Active {
			o := view.Option{Value: m.ID, Label: m.Label(), Selected: m.ID == v.formValue("user")}
			if m.Name != "" {
				o.Label += " (" + m.Email + ")"
			}
			in.Options = append(in.Options, o)
		}
	}
	return []view.Input{in}, nil
}

func teamInput(v *visit) ([]view.Input, error) {
	in := view.Input{Kind: view.KindSelect, Name: "team", Label: "Team", Required: true, Hint: "Teams in which you are an Admin too."}
	for _, m := range v.entered() {
		if m.Team != v.team() && m.Role == portal.Admin {
			in.Options = append(in.Options, view.Option{Value: m.Team, Label: m.TeamName, Selected: m.Team == v.formValue("team")})
		}
	}
	if len(in.Options) == 0 {
		in.Hint = "You are an Admin in no other team: ask to be made one there first."
	}
	return []view.Input{in}, nil
}

// deviceList is GET /t/{team}/devices.
func (v *visit) deviceList() error {
	l := v.list()
	sort, desc := strings.CutPrefix(l.get("sort"), "-")
	f := portal.DeviceFilter{Text: l.get("q"), State: l.get("state"), Sort: sort, Desc: desc, Offset: l.offset(), Limit: rowsPerPage}
	found, err := v.portal.Devices(v.ctx(), v.by(), v.team(), f)
	if err != nil {
		return err
	}
	page := view.DeviceList{
		Page:   v.page("Devices", view.SectionDevices),
		Search: view.Search{URL: l.path, Query: f.Text, Placeholder: "Hostname or person", Hidden: l.keep("q")},
		States: l.tabs("state", f.State, found.States, [][2]string{
			{portal.DeviceStateAssigned, "Assigned"}, {portal.DeviceStateUnassigned, "Unassigned"}, {portal.DeviceStateBlocked, "Blocked"}}),
		SortHostname: l.order("hostname", "hostname"), SortPerson: l.order("person", "hostname"), SortSeen: l.order("seen", "hostname"),
		Paging: l.paging(len(found.Devices), found.Total),
	}
	if f.Text != "" {
		page.Chips = append(page.Chips, l.chip("Search: "+f.Text, "q"))
	}
	if f.Text != "" || f.State != "" {
		page.ClearURL = l.path
	}
	if v.isAdmin() {
		page.AddURL = v.path("devices", "add")
		page.Bulk = devices.bulk(v, deviceChanges)
	}
	for _, d := range found.Devices {
		page.Rows = append(page.Rows, v.deviceRow(d))
	}
	return v.show(http.StatusOK, view.DeviceListPage(page))
}

func (v *visit) deviceRow(d portal.Device) view.DeviceRow {
	return view.DeviceRow{
		ID: d.ID, URL: v.path("devices", d.ID), Hostname: d.Hostname, Person: v.personOf(d), State: view.DeviceState(d.State),
		LastSeen: d.Seen, Actions: v.deviceActions(d),
	}
}

func (v *visit) personOf(d portal.Device) view.Ref {
	if d.UserID == "" {
		return view.Ref{}
	}
	return view.Ref{Name: d.UserName, URL: v.path("users", d.UserID)}
}

func (v *visit) deviceActions(d portal.Device) []view.Action {
	if !v.isAdmin() {
		return nil
	}
	var all []view.Action
	add := func(c change) { all = append(all, devices.action(v, d.ID, c)) }
	if d.State != portal.DeviceStateBlocked {
		add(assignDevice)
	}
	if d.UserID != "" {
		add(unassignDevice)
	}
	if d.State == portal.DeviceStateBlocked {
		add(unblockDevice)
	} else {
		add(blockDevice)
	}
	add(moveDevice)
	return all
}

// device is GET /t/{team}/devices/{device}.
func (v *visit) device() error {
	d, err := v.portal.Device(v.ctx(), v.by(), v.team(), v.id("device"))
	if err != nil {
		return err
	}
	crumb, self := view.Link{Label: "Devices", URL: v.path("devices")}, v.path("devices", d.ID)
	if !d.Deleted.IsZero() {
		t := view.Tombstone{
			Page: v.page(d.Hostname, view.SectionDevices, crumb), Noun: "device", MovedTo: d.MovedToName, At: d.Deleted, By: v.doneBy(d.Deletion),
			BackURL: v.path("devices"), BackLabel: "All devices", History: v.history(self),
			Facts: []view.Fact{{Label: "Hostname", Value: d.Hostname}, {Label: "Device id", Value: d.ID, Mono: true}},
		}
		if m, ok := v.me.Membership(d.MovedTo); ok && m.Status == portal.Active && m.Role != portal.Agent {
			t.NewURL = teamPath(d.MovedTo, "devices", d.MovedDevice)
		}
		v.deletion(&t, d.Deletion)
		return v.show(http.StatusOK, view.TombstonePage(t))
	}
	return v.show(http.StatusOK, view.DevicePage(view.Device{
		Page: v.page(d.Hostname, view.SectionDevices, crumb), ID: d.ID, Hostname: d.Hostname, Person: v.personOf(d.Device),
		State: view.DeviceState(d.State), Added: d.Added, LastSeen: d.Seen, MovedFrom: d.MovedFromName, MovedAt: d.Added,
		Actions: v.deviceActions(d.Device), History: v.history(self),
	}))
}

// addDevicePage is GET /t/{team}/devices/add.
func (v *visit) addDevicePage() error { return v.askDevice(http.StatusOK, nil) }

func (v *visit) askDevice(status int, wrong error) error {
	if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), "devices"); err != nil {
		return err
	}
	hostname := view.Input{Name: "hostname", Label: "Hostname", Value: v.formValue("hostname"), Required: true, MaxLength: 253}
	reason := view.ReasonInput(v.formValue("reason"))
	if e, ok := refusal(wrong); ok && e.Field == "reason" {
		reason.Error = e.Message
	} else if ok {
		hostname.Error = e.Message
	}
	return v.show(status, view.FormPage(view.Form{
		Page: v.page("Add device", view.SectionDevices, view.Link{Label: "Devices", URL: v.path("devices")}),
		URL:  v.path("devices", "add"), Inputs: []view.Input{hostname, *reason}, Button: "Add device", CancelURL: v.path("devices"),
	}))
}

// addDevice is POST /t/{team}/devices/add.
func (v *visit) addDevice() error {
	d, err := v.portal.AddDevice(v.ctx(), v.by(), v.team(), v.formValue("hostname"), v.formValue("reason"))
	if again(err) {
		return v.askDevice(statusOf(err), err)
	}
	if err != nil {
		return err
	}
	err = v.tell(flash{Kind: view.FlashDone, Text: d.Hostname + " was added.", Link: &view.Link{Label: "Open it", URL: v.path("devices", d.ID)}})
	if err != nil {
		return err
	}
	return v.see(v.path("devices"))
}
