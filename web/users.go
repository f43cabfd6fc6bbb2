package web

import (
	"net/http"
	"strings"

	"onrecord/portal"
	"onrecord/web/view"
)

var users = noun{one: "user", many: "users", path: "users", key: "user", section: view.SectionUsers,
	find: func(v *visit, id string) (subject, error) {
		u, err := v.portal.User(v.ctx(), v.by(), v.team(), id)
		return subject{id: u.ID, name: u.Label(), detail: u.Email, version: u.Version, gone: !u.Deleted.IsZero()}, err
	}}

// What is done to users, in the order of menus.
var (
	changeRole = change{name: "role", label: "Change role",
		text:   []string{"They are signed out at once and sign in again with the new role."},
		done:   func(v *visit) string { return "given the role " + portal.Role(v.formValue("role")).Label() },
		inputs: roleInput,
		apply: func(v *visit, id, version, reason string) (*view.Link, error) {
			_, err := v.portal.ChangeRole(v.ctx(), v.by(), v.team(), id, portal.Role(v.formValue("role")), version, reason)
			return nil, err
		}}
	blockUser = change{name: "block", label: "Block",
		text:  []string{"They are signed out at once and cannot enter this team until unblocked."},
		done:  fixed("blocked"),
		apply: plainChange((*portal.Portal).BlockUser)}
	unblockUser = change{name: "unblock", label: "Unblock",
		text:  []string{"They can enter this team again with the role that they had."},
		done:  fixed("unblocked"),
		apply: plainChange((*portal.Portal).UnblockUser)}
	deleteUser = change{name: "delete", label: "Delete", danger: true, leaves: true,
		text:  []string{"They are signed out at once and leave this team; their devices become unassigned. What they did stays in the audit log. Add their address again to bring them back."},
		done:  fixed("deleted"),
		apply: plainChange((*portal.Portal).DeleteUser)}

	userChanges = []change{changeRole, blockUser, unblockUser, deleteUser}
)

func fixed(text string) func(*visit) string { return func(*visit) string { return text } }

// plainChange is a change that needs nothing but the thing and a reason.
func plainChange(do portalChange) func(v *visit, id, version, reason string) (*view.Link, error) {
	return func(v *visit, id, version, reason string) (*view.Link, error) {
		_, err := do(v.portal, v.ctx(), v.by(), v.team(), id, version, reason)
		return nil, err
	}
}

func roleInput(v *visit) ([]view.Input, error) {
	now := v.formValue("role")
	if now == "" && v.id("user") != "" {
		u, err := v.portal.User(v.ctx(), v.by(), v.team(), v.id("user"))
		if err != nil {
			return nil, err
		}
		now = string(u.Role)
	}
	return []view.Input{{Kind: view.KindSelect, Name: "role", Label: "Role", Options: roleOptions(now), Required: true}}, nil
}

func roleOptions(now string) []view.Option {
	var options []view.Option
	for _, r := range portal.Roles {
		options = append(options, view.Option{Value: string(r), Label: r.Label(), Selected: strings.EqualFold(string(r), now)})
	}
	return options
}

// userList is GET /t/{team}/users.
func (v *visit) userList() error {
	l := v.list()
	sort, desc := strings.CutPrefix(l.get("sort"), "-")
	f := portal.UserFilter{
		Text: l.get("q"), Role: portal.Role(l.get("role")), State: l.get("state"), Sort: sort, Desc: desc, Offset: l.offset(), Limit: rowsPerPage,
	}
	found, err := v.portal.Users(v.ctx(), v.by(), v.team(), f)
	if err != nil {
		return err
	}
	page := view.UserList{
		Page:     v.page("Users", view.SectionUsers),
		Search:   view.Search{URL: l.path, Query: f.Text, Placeholder: "Name or mail address", Hidden: l.keep("q")},
		States:   l.tabs("state", f.State, found.States, [][2]string{{portal.StateActive, "Active"}, {portal.StateInvited, "Invited"}, {portal.StateBlocked, "Blocked"}}),
		Role:     v.roleFilter(l, f.Role, found.Roles),
		SortName: l.order("name", "name"), SortRole: l.order("role", "name"), SortSeen: l.order("seen", "name"),
		Paging: l.paging(len(found.Users), found.Total),
	}
	if f.Text != "" {
		page.Chips = append(page.Chips, l.chip("Search: "+f.Text, "q"))
	}
	if f.Role != "" {
		page.Chips = append(page.Chips, l.chip("Role: "+f.Role.Label(), "role"))
	}
	if len(page.Chips) > 0 || f.State != "" {
		page.ClearURL = l.path
	}
	if v.isAdmin() {
		page.AddURL = v.path("users", "add")
		page.Bulk = users.bulk(v, userChanges)
	}
	for _, m := range found.Users {
		page.Rows = append(page.Rows, view.UserRow{
			ID: m.ID, URL: v.path("users", m.ID), Name: m.Name, Email: m.Email, Role: m.Role.Label(), State: view.UserState(m.State()),
			LastSeen: m.Seen, You: m.ID == v.by().ID, Actions: v.userActions(m),
		})
	}
	return v.show(http.StatusOK, view.UserListPage(page))
}

func (v *visit) roleFilter(l list, now portal.Role, counts map[portal.Role]int) view.Filter {
	var roles [][2]string
	for _, r := range portal.Roles {
		roles = append(roles, [2]string{string(r), r.Label()})
	}
	f := l.choose("Role", "role", string(now), roles)
	for i, r := range portal.Roles {
		f.Choices[i+1].Count, f.Choices[i+1].HasCount = counts[r], true
	}
	return f
}

// tabs are the states of a list with their counts, after one for all.
func (l list) tabs(name, now string, counts map[string]int, states [][2]string) []view.Choice {
	all := view.Choice{Label: "All", URL: l.with(name, ""), Current: now == "", HasCount: true}
	tabs := []view.Choice{all}
	for _, s := range states {
		tabs[0].Count += counts[s[0]]
		tabs = append(tabs, view.Choice{Label: s[1], URL: l.with(name, s[0]), Count: counts[s[0]], HasCount: true, Current: now == s[0]})
	}
	return tabs
}

// bulk is the bar over selected rows.
func (n noun) bulk(v *visit, changes []change) view.Bulk {
	b := view.Bulk{URL: v.path(n.path, "bulk")}
	for _, c := range changes {
		b.Buttons = append(b.Buttons, view.Option{Value: c.name, Label: c.label})
	}
	return b
}

// action is the entry of a menu that asks for a change.
func (n noun) action(v *visit, id string, c change) view.Action {
	return view.Action{Label: c.label, URL: v.path(n.path, id, c.name), Danger: c.danger}
}

func (v *visit) userActions(m portal.Member) []view.Action {
	if !v.isAdmin() {
		return nil
	}
	if m.Status == portal.Blocked {
		return []view.Action{users.action(v, m.ID, changeRole), users.action(v, m.ID, unblockUser), users.action(v, m.ID, deleteUser)}
	}
	return []view.Action{
		users.action(v, m.ID, changeRole), users.action(v, m.ID, blockUser),
		{Label: "New sign-in link", URL: v.path("users", m.ID, "link")}, users.action(v, m.ID, deleteUser),
	}
}

// user is GET /t/{team}/users/{user}.
func (v *visit) user() error {
	u, err := v.portal.User(v.ctx(), v.by(), v.team(), v.id("user"))
	if err != nil {
		return err
	}
	crumb, self := view.Link{Label: "Users", URL: v.path("users")}, v.path("users", u.ID)
	if !u.Deleted.IsZero() {
		t := view.Tombstone{
			Page: v.page(u.Label(), view.SectionUsers, crumb), Noun: "user", At: u.Deleted, By: v.doneBy(u.Deletion),
			BackURL: v.path("users"), BackLabel: "All users", History: v.history(self),
			Facts: []view.Fact{{Label: "Email", Value: u.Email}, {Label: "Role", Value: u.Role.Label()}, {Label: "User id", Value: u.ID, Mono: true}},
		}
		v.deletion(&t, u.Deletion)
		return v.show(http.StatusOK, view.TombstonePage(t))
	}
	page := view.User{
		Page: v.page(u.Label(), view.SectionUsers, crumb), ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role.Label(),
		State: view.UserState(u.State()), Added: u.Added, LastSeen: u.Seen, Actions: v.userActions(u.Member), History: v.history(self),
	}
	for _, d := range u.Devices {
		page.Devices = append(page.Devices, v.deviceRow(d))
	}
	return v.show(http.StatusOK, view.UserPage(page))
}

// confirmLink is GET /t/{team}/users/{user}/link.
func (v *visit) confirmLink() error {
	return v.askLink(http.StatusOK, nil)
}

func (v *visit) askLink(status int, wrong error) error {
	if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), "users"); err != nil {
		return err
	}
	u, err := v.portal.User(v.ctx(), v.by(), v.team(), v.id("user"))
	if err != nil {
		return err
	}
	if !u.Deleted.IsZero() {
		return v.see(v.path("users", u.ID))
	}
	page := view.Confirm{
		Page: v.page("New sign-in link for "+u.Label(), view.SectionUsers, view.Link{Label: "Users", URL: v.path("users")}),
		URL:  v.r.URL.EscapedPath(), Button: "New sign-in link", CancelURL: v.path("users", u.ID),
		Text:     []string{"The link lets its holder choose a new password, once, within seven days. Older links of theirs end now; their sessions end when the link is used."},
		Subjects: []view.Subject{{Kind: "user", Name: u.Label(), Detail: u.Email}}, Reason: view.ReasonInput(v.formValue("reason")),
	}
	if wrong != nil {
		blame(&page, wrong)
	}
	return v.show(status, view.ConfirmPage(page))
}

// newLink is POST /t/{team}/users/{user}/link. The link is shown once and
// kept nowhere, so that this answer is a page and leads nowhere.
func (v *visit) newLink() error {
	link, err := v.portal.NewLink(v.ctx(), v.by(), v.team(), v.id("user"), v.formValue("reason"))
	if again(err) {
		return v.askLink(statusOf(err), err)
	}
	if err != nil {
		return err
	}
	u, err := v.portal.User(v.ctx(), v.by(), v.team(), v.id("user"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.UsersAddedPage(view.UsersAdded{
		Page:  v.page("Sign-in link for "+u.Label(), view.SectionUsers, view.Link{Label: "Users", URL: v.path("users")}),
		Links: []view.SignInLink{v.linkOf(u.Member, link)}, Expires: link.Expires, BackURL: v.path("users"),
	}))
}

func (v *visit) linkOf(m portal.Member, l portal.SignInLink) view.SignInLink {
	return view.SignInLink{Name: m.Name, Email: m.Email, Role: m.Role.Label(), URL: v.absolute("/link/" + l.Token)}
}

// absolute is an address as people can send it to each other.
func (v *visit) absolute(path string) string {
	if v.base != "" {
		return v.base + path
	}
	return "http://" + v.r.Host + path
}

// addUsersPage is GET /t/{team}/users/add.
func (v *visit) addUsersPage() error { return v.askUsers(http.StatusOK, nil) }

func (v *visit) askUsers(status int, wrong error) error {
	if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), "users"); err != nil {
		return err
	}
	role := v.formValue("role")
	if role == "" {
		role = string(portal.Agent)
	}
	page := view.AddUsers{
		Page: v.page("Add users", view.SectionUsers, view.Link{Label: "Users", URL: v.path("users")}),
		URL:  v.path("users", "add"), Emails: v.formValue("emails"), Roles: roleOptions(role), Reason: v.formValue("reason"), CancelURL: v.path("users"),
	}
	if e, ok := refusal(wrong); ok {
		switch e.Field {
		case "emails":
			page.EmailError = e.Message
		case "csv":
			page.FileError = e.Message
		case "role":
			page.RoleError = e.Message
		default:
			page.Error = e.Message
		}
	}
	return v.show(status, view.AddUsersPage(page))
}

// addUsers is POST /t/{team}/users/add.
func (v *visit) addUsers() error {
	list, err := v.newUsers()
	if err != nil {
		return v.askUsers(statusOf(err), err)
	}
	done, err := v.portal.AddUsers(v.ctx(), v.by(), v.team(), list, portal.Role(v.formValue("role")), v.formValue("reason"))
	if again(err) {
		return v.askUsers(statusOf(err), err)
	}
	if err != nil && len(done.Added) == 0 {
		return err
	}
	page := v.added(done)
	status := http.StatusOK
	if err != nil {
		v.logger.ErrorContext(v.ctx(), "adding users stopped in the middle", "request", v.from.Request, "error", err)
		page.Flash, status = &view.Flash{Kind: view.FlashError, Text: "Not all of them could be added. Those named here are."}, statusOf(err)
	}
	if status == http.StatusOK && len(page.Links) == 0 && len(page.Skipped) == 0 && len(page.NoLink) == 0 {
		return v.done(v.path("users"), page.Title+".")
	}
	return v.show(status, view.UsersAddedPage(page))
}

// newUsers reads the addresses that were typed and those of the file.
func (v *visit) newUsers() ([]portal.NewUser, error) {
	list := portal.ParseUserList(v.formValue("emails"))
	file, _, err := v.r.FormFile("csv")
	if err != nil { // none was chosen
		return list, nil
	}
	defer file.Close()
	more, err := portal.ParseUserFile(file)
	return append(list, more...), err
}

func (v *visit) added(done portal.AddedUsers) view.UsersAdded {
	title := "1 user added"
	if n := len(done.Added); n != 1 {
		title = count(n) + " users added"
	}
	page := view.UsersAdded{
		Page:  v.page(title, view.SectionUsers, view.Link{Label: "Users", URL: v.path("users")}),
		Added: len(done.Added), BackURL: v.path("users"),
	}
	for _, u := range done.Added {
		if u.Link != nil {
			page.Links, page.Expires = append(page.Links, v.linkOf(u.Member, *u.Link)), u.Link.Expires
		}
		if u.NoLink != "" {
			page.NoLink = append(page.NoLink, view.Skipped{Email: u.Email, Why: u.NoLink})
		}
	}
	for _, s := range done.Skipped {
		page.Skipped = append(page.Skipped, view.Skipped(s))
	}
	return page
}
