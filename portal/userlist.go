package portal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"onrecord/audit"
	"onrecord/portal/store"
)

// The states by which members are listed. Invited is an active member who has
// not chosen a password yet.
const (
	StateActive  = "active"
	StateInvited = "invited"
	StateBlocked = "blocked"
)

// State is one of StateActive, StateInvited and StateBlocked.
func (m Member) State() string {
	switch {
	case m.Status == Blocked:
		return StateBlocked
	case m.Invited:
		return StateInvited
	}
	return StateActive
}

// UserFilter narrows and orders a list of members. The zero value asks for
// all, by name.
type UserFilter struct {
	Text   string // words that must stand in name or mail address, whatever their case
	Role   Role   // "" for all
	State  string // "" for all
	Sort   string // name (or ""), role, added, seen
	Desc   bool   // the other way round
	Offset int    // rows passed over
	Limit  int    // rows at most; 50 unless set, 1,000 at most
}

// UserList is one page of members.
type UserList struct {
	Users  []Member
	Total  int            // members that match
	States map[string]int // members that match but for the state, by state
	Roles  map[Role]int   // members that match but for the role, by role
}

var userOrders = map[string]func(a, b Member) int{
	"": byLabel, "name": byLabel,
	"role":  func(a, b Member) int { return cmp.Compare(slices.Index(Roles, a.Role), slices.Index(Roles, b.Role)) },
	"added": func(a, b Member) int { return a.Added.Compare(b.Added) },
	"seen":  func(a, b Member) int { return a.Seen.Compare(b.Seen) },
}

func byLabel(a, b Member) int { return strings.Compare(folded(a.Label()), folded(b.Label())) }

func (f UserFilter) check() error {
	if _, ok := userOrders[f.Sort]; !ok {
		return audit.Invalid("sort", "Users cannot be sorted by %q: name, role, added or seen.", clip(f.Sort))
	}
	if f.State != "" && f.State != StateActive && f.State != StateInvited && f.State != StateBlocked {
		return audit.Invalid("state", "The state %q is not known: active, invited or blocked.", clip(f.State))
	}
	if f.Role != "" {
		if _, err := ParseRole(string(f.Role)); err != nil {
			return err
		}
	}
	return nil
}

// Users lists the members of a team. Deleted ones are not among them.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound, Invalid for a filter that cannot be.
//
// Cost: reads all members of the team; made for hundreds, good for thousands.
func (p *Portal) Users(ctx context.Context, by Caller, team string, f UserFilter) (UserList, error) {
	if err := p.mayRead(ctx, by, team, "users"); err != nil {
		return UserList{}, err
	}
	if err := f.check(); err != nil {
		return UserList{}, err
	}
	rows, err := store.Members(ctx, p.db, team)
	if err != nil {
		return UserList{}, fmt.Errorf("listing users: %w", err)
	}
	list := UserList{States: map[string]int{}, Roles: map[Role]int{}}
	for _, row := range rows {
		m := memberOf(row)
		if !holdsWords(f.Text, m.Name, m.Email) {
			continue
		}
		role, state := f.Role == "" || f.Role == m.Role, f.State == "" || f.State == m.State()
		if role {
			list.States[m.State()]++
		}
		if state {
			list.Roles[m.Role]++
		}
		if role && state {
			list.Users = append(list.Users, m)
		}
	}
	order(list.Users, userOrders[f.Sort], byLabel, f.Desc)
	list.Total = len(list.Users)
	list.Users, err = pageOf(list.Users, f.Offset, f.Limit)
	return list, err
}

// order sorts by one order and, where that finds no difference, by another
// that is never turned round.
func order[T any](all []T, by, then func(a, b T) int, desc bool) {
	slices.SortStableFunc(all, func(a, b T) int {
		c := by(a, b)
		if desc {
			c = -c
		}
		return cmp.Or(c, then(a, b))
	})
}

// UserPage is a member with what belongs to them.
type UserPage struct {
	Member
	Devices []Device
}

// User shows a member, also a deleted one (with who did it and why).
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) User(ctx context.Context, by Caller, team, user string) (UserPage, error) {
	page, err := p.user(ctx, by, team, user)
	if err != nil {
		in := p.intentOn(by, team, AccessRefused, "user", user, "")
		in.Data = joined(in.Data, "page", "user")
		return UserPage{}, p.refuse(ctx, in, err)
	}
	return page, nil
}

func (p *Portal) user(ctx context.Context, by Caller, team, user string) (UserPage, error) {
	if err := p.authorize(ctx, p.db, by, team, Admin, Auditor); err != nil {
		return UserPage{}, err
	}
	m, err := memberIn(ctx, p.db, team, user)
	if err != nil {
		return UserPage{}, err
	}
	if !m.Deleted.IsZero() {
		if m.Deletion, err = p.deletion(ctx, team, m.Version); err != nil {
			return UserPage{}, err
		}
	}
	rows, err := store.DevicesOf(ctx, p.db, team, user)
	if err != nil {
		return UserPage{}, fmt.Errorf("reading the devices of %s: %w", user, err)
	}
	page := UserPage{Member: m}
	for _, row := range rows {
		page.Devices = append(page.Devices, deviceOf(row))
	}
	return page, nil
}
