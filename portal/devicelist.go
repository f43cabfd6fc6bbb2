package portal

import (
	"context"
	"fmt"
	"strings"

	"onrecord/audit"
	"onrecord/portal/store"
)

// DeviceFilter narrows and orders a list of devices. The zero value asks for
// all, by hostname.
type DeviceFilter struct {
	Text   string // words that must stand in hostname or person, whatever their case
	State  string // "" for all
	Sort   string // hostname (or ""), person, added, seen
	Desc   bool   // the other way round
	Offset int    // rows passed over
	Limit  int    // rows at most; 50 unless set, 1,000 at most
}

// DeviceList is one page of devices.
type DeviceList struct {
	Devices []Device
	Total   int            // devices that match
	States  map[string]int // devices that match but for the state, by state: the tabs' counts
}

var deviceOrders = map[string]func(a, b Device) int{
	"": byHostname, "hostname": byHostname,
	"person": func(a, b Device) int { return strings.Compare(folded(a.UserName), folded(b.UserName)) },
	"added":  func(a, b Device) int { return a.Added.Compare(b.Added) },
	"seen":   func(a, b Device) int { return a.Seen.Compare(b.Seen) },
}

func byHostname(a, b Device) int { return strings.Compare(folded(a.Hostname), folded(b.Hostname)) }

func (f DeviceFilter) check() error {
	if _, ok := deviceOrders[f.Sort]; !ok {
		return audit.Invalid("sort", "Devices cannot be sorted by %q: hostname, person, added or seen.", clip(f.Sort))
	}
	switch f.State {
	case "", DeviceStateAssigned, DeviceStateUnassigned, DeviceStateBlocked:
		return nil
	}
	return audit.Invalid("state", "The state %q is not known: assigned, unassigned or blocked.", clip(f.State))
}

// Devices lists the devices of a team. Those that were moved away are not
// among them.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound, Invalid for a filter that cannot be.
//
// Cost: reads all devices of the team; made for hundreds, good for thousands.
func (p *Portal) Devices(ctx context.Context, by Caller, team string, f DeviceFilter) (DeviceList, error) {
	if err := p.mayRead(ctx, by, team, "devices"); err != nil {
		return DeviceList{}, err
	}
	if err := f.check(); err != nil {
		return DeviceList{}, err
	}
	rows, err := store.Devices(ctx, p.db, team)
	if err != nil {
		return DeviceList{}, fmt.Errorf("listing devices: %w", err)
	}
	list := DeviceList{States: map[string]int{}}
	for _, row := range rows {
		d := deviceOf(row)
		if !holdsWords(f.Text, d.Hostname, row.UserName, row.UserEmail) {
			continue
		}
		list.States[d.State]++
		if f.State == "" || f.State == d.State {
			list.Devices = append(list.Devices, d)
		}
	}
	order(list.Devices, deviceOrders[f.Sort], byHostname, f.Desc)
	list.Total = len(list.Devices)
	list.Devices, err = pageOf(list.Devices, f.Offset, f.Limit)
	return list, err
}

// DevicePage is a device with the names of the teams it came from or went to.
type DevicePage struct {
	Device
	MovedFromName, MovedToName string
}

// Device shows a device, also one that was moved away (with who did it and
// why).
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) Device(ctx context.Context, by Caller, team, device string) (DevicePage, error) {
	page, err := p.device(ctx, by, team, device)
	if err != nil {
		in := p.intentOn(by, team, AccessRefused, "device", device, "")
		in.Data = joined(in.Data, "page", "device")
		return DevicePage{}, p.refuse(ctx, in, err)
	}
	return page, nil
}

func (p *Portal) device(ctx context.Context, by Caller, team, device string) (DevicePage, error) {
	if err := p.authorize(ctx, p.db, by, team, Admin, Auditor); err != nil {
		return DevicePage{}, err
	}
	d, err := deviceIn(ctx, p.db, team, device)
	if err != nil {
		return DevicePage{}, err
	}
	page := DevicePage{Device: d}
	if !d.Deleted.IsZero() {
		if page.Deletion, err = p.deletion(ctx, team, d.Version); err != nil {
			return DevicePage{}, err
		}
	}
	if page.MovedFromName, err = p.teamName(ctx, d.MovedFrom); err != nil {
		return DevicePage{}, err
	}
	page.MovedToName, err = p.teamName(ctx, d.MovedTo)
	return page, err
}

// teamName is the name of a team, "" for none.
func (p *Portal) teamName(ctx context.Context, team string) (string, error) {
	if team == "" {
		return "", nil
	}
	t, err := store.TeamByID(ctx, p.db, p.Organization(), team)
	if err != nil {
		return "", fmt.Errorf("reading team %s: %w", team, err)
	}
	return t.Name, nil
}
