package main

import (
	"context"
	"errors"
	"fmt"

	"onrecord/audit"
	"onrecord/web"
)

type usersLinkCommand struct {
	dbFlag
	teamFlag
	Email  string `required:"" placeholder:"EMAIL" help:"The member's mail address."`
	URL    string `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" help:"The portal's address, with which the link begins. Unless told, ${default}."`
	Reason string `placeholder:"TEXT" help:"Why; it stands in the log."`
}

// Help is shown under the flags.
func (usersLinkCommand) Help() string {
	return `With the link a person chooses a new password: the way back for an Admin who cannot sign in any more. It works once, within seven days; older links of that person end. Making it is recorded. The link is printed on standard output, and kept nowhere.

    onrecord users link --team "Support" --email dana@example.com --url https://portal.example.com`
}

// Run makes a link.
func (u *usersLinkCommand) Run(ctx context.Context, c *console) (err error) {
	base, err := web.CheckURL(u.URL)
	if err != nil {
		return audit.Invalid("url", "--url: %s", err)
	}
	o, err := u.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := u.find(ctx, o)
	if err != nil {
		return err
	}
	member, err := o.FindMember(ctx, o.by, team.ID, u.Email)
	if err != nil {
		return err
	}
	link, err := o.NewLink(ctx, o.by, team.ID, member.ID, u.Reason)
	if err != nil {
		return err
	}
	c.say("A link for %s, to be used once before %s:", member.Email, link.Expires.Format("2006-01-02 15:04 UTC"))
	_, err = fmt.Fprintln(c.out, base+"/link/"+link.Token)
	return err
}
