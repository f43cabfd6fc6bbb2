package api

import (
	"context"
	"encoding/base64"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/portal"
)

// users registers the operations on members.
func (s *server) users() {
	huma.Register(s.huma, s.operation("list-users", "/users", "List the team's members", "Users", "By name. Deleted ones are not listed."), s.listUsers)
	huma.Register(s.huma, s.operation("get-user", "/users/{id}", "Read one member", "Users", "Also one who was deleted."), s.getUser)
}

type user struct {
	ID       string `json:"id" doc:"user_…: the same in all teams of the person."`
	Email    string `json:"email"`
	Name     string `json:"name" doc:"Empty until it is known."`
	Role     string `json:"role" enum:"admin,auditor,agent"`
	Status   string `json:"status" enum:"active,blocked"`
	Invited  bool   `json:"invited" doc:"Has not chosen a password yet."`
	Added    string `json:"added" format:"date-time"`
	LastSeen string `json:"last_seen,omitempty" format:"date-time" doc:"In whatever team; absent if never."`
	Deleted  string `json:"deleted,omitempty" format:"date-time" doc:"Absent while they are a member."`
	Version  string `json:"version" doc:"The event that last changed their place in the team."`
}

func userOf(m portal.Member) user {
	return user{
		ID: m.ID, Email: m.Email, Name: m.Name, Role: string(m.Role), Status: m.Status, Invited: m.Invited,
		Added: timestamp(m.Added), LastSeen: timestamp(m.Seen), Deleted: timestamp(m.Deleted), Version: m.Version,
	}
}

type listUsersInput struct {
	Q     string `query:"q" doc:"Words that must stand in name or mail address, whatever their case."`
	Role  string `query:"role" enum:"admin,auditor,agent"`
	State string `query:"state" enum:"active,invited,blocked" doc:"An invited member is active and has not chosen a password yet."`
	PageParams
}

type userPage struct {
	Items      []user  `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Where the next page begins; null after the last."`
}

type listUsersOutput struct{ Body userPage }

func (s *server) listUsers(ctx context.Context, in *listUsersInput) (*listUsersOutput, error) {
	offset, err := readOffset(in.Cursor)
	if err != nil {
		return nil, err
	}
	h := holder(ctx)
	found, err := s.portal.Users(ctx, h.Caller, h.Team, portal.UserFilter{
		Text: in.Q, Role: portal.Role(in.Role), State: in.State, Offset: offset, Limit: in.Limit})
	if err != nil {
		return nil, s.failed(ctx, err, map[string]string{"q": in.Q, "role": in.Role, "state": in.State})
	}
	page := userPage{Items: make([]user, 0, len(found.Users))}
	for _, m := range found.Users {
		page.Items = append(page.Items, userOf(m))
	}
	if end := offset + len(found.Users); end < found.Total && len(found.Users) > 0 {
		page.NextCursor = pointer(offsetCursor(end))
	}
	return &listUsersOutput{page}, nil
}

// A cursor of a list that is read whole is the number of items passed over.
func offsetCursor(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("o" + strconv.Itoa(n)))
}

func readOffset(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err == nil && len(b) > 1 && b[0] == 'o' {
		n, err := strconv.Atoi(string(b[1:]))
		if err == nil && n > 0 && offsetCursor(n) == cursor {
			return n, nil
		}
	}
	return 0, wrong("cursor", cursor, "This is no cursor of this list: begin again without it.")
}

type getUserInput struct {
	ID string `path:"id" doc:"The member's id." example:"user_01kb2v6x5ne8mvk2h4s9d0a1bc"`
}

type getUserOutput struct{ Body user }

func (s *server) getUser(ctx context.Context, in *getUserInput) (*getUserOutput, error) {
	h := holder(ctx)
	u, err := s.portal.User(ctx, h.Caller, h.Team, in.ID)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	return &getUserOutput{userOf(u.Member)}, nil
}
