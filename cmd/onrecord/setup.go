package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/session"
)

type setupCommand struct {
	dbFlag
	Team         string `required:"" placeholder:"NAME" help:"The team's name; with --plan also the id of a team that is there."`
	Admin        string `placeholder:"EMAIL" help:"Mail address of a new team's first Admin."`
	AdminName    string `placeholder:"NAME" help:"The Admin's name."`
	Organization string `placeholder:"NAME" help:"The organization's name, the first time. Unless told, the first team's."`
	Plan         string `placeholder:"PLAN" help:"call-center-ai (a new team's, unless told) or core, which has no Audit Logs page."`
	signingFlag
	PasswordFile string `placeholder:"FILE" help:"File with the Admin's password; - is standard input. Without it a password is made and shown once."`
}

// Help is shown under the flags.
func (setupCommand) Help() string {
	return `The first time it makes the database, the organization, a team and its Admin. Run again with another name it adds a team; with the name of a team that is there and --plan it changes that team's plan. Everything is recorded. It may run while the portal is being served.

The first time it also makes the key that signs the log's checkpoints, in a file beside the database that nobody else may read. Keep a copy of it in a safe place: it is in no backup of the database.

The team's id is printed as JSON on standard output, a password that was made on standard error.

    onrecord setup --team "Support" --admin dana@example.com
    onrecord setup --team "Sales" --admin sam@example.com --password-file secret.txt
    onrecord setup --team "Sales" --plan core`
}

// setupResult is the command's answer.
type setupResult struct {
	Organization string `json:"organization"`
	Team         string `json:"team"`
	Name         string `json:"name"`
	Plan         string `json:"plan"`
	Admin        string `json:"admin,omitempty"` // of a new team
}

// Run makes a team, or changes the plan of one.
func (s *setupCommand) Run(ctx context.Context, c *console) (err error) {
	o, err := s.openOrMake(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := o.FindTeam(ctx, o.by, s.Team)
	switch audit.CodeOf(err) {
	case "":
		return s.changePlan(ctx, c, o, team)
	case audit.CodeNotFound:
		return s.makeTeam(ctx, c, o)
	}
	return err
}

func (s *setupCommand) changePlan(ctx context.Context, c *console, o *opened, team portal.Team) error {
	if s.Plan == "" {
		return audit.Conflict("there is a team named %s already: choose another name, or say --plan to change its plan", team.Name)
	}
	if s.Admin != "" {
		c.say("The team %s is there already: --admin was not used. Its Admins add people on the page Users; onrecord users link lets an Admin in again.", team.Name)
	}
	if team.Plan == s.Plan {
		c.say("The team %s is on the plan %s already.", team.Name, portal.PlanLabel(s.Plan))
	} else {
		if _, err := o.ChangePlan(ctx, o.by, team.ID, s.Plan, ""); err != nil {
			return err
		}
		c.say("The team %s is now on the plan %s.", team.Name, portal.PlanLabel(s.Plan))
	}
	return json.NewEncoder(c.out).Encode(setupResult{Organization: o.Organization(), Team: team.ID, Name: team.Name, Plan: s.Plan})
}

func (s *setupCommand) makeTeam(ctx context.Context, c *console, o *opened) error {
	if s.Admin == "" {
		return audit.Invalid("admin", "--admin is missing: a new team needs the mail address of its first Admin, for example --admin dana@example.com")
	}
	password, made, err := s.password(c)
	if err != nil {
		return err
	}
	n := portal.NewTeam{Organization: s.Organization, Team: s.Team, Plan: s.Plan, Email: s.Admin, AdminName: s.AdminName, Password: password}
	if n.Plan == "" {
		n.Plan = portal.PlanCallCenterAI
	}
	created, err := o.Setup(ctx, o.by, n)
	if err != nil {
		return err
	}
	if err := s.makeKey(ctx, c, o, s.dbFlag); err != nil {
		return err
	}
	switch {
	case !created.PasswordSet:
		c.say("%s was in the organization already and keeps their password.", created.Admin.Email)
	case made:
		c.say("Password of %s, shown only now: %s", created.Admin.Email, password)
	}
	return json.NewEncoder(c.out).Encode(setupResult{
		Organization: created.Organization, Team: created.Team, Name: s.Team, Plan: n.Plan, Admin: created.Admin.ID,
	})
}

// password reads the Admin's password, or makes one.
func (s *setupCommand) password(c *console) (password string, made bool, err error) {
	given := c.env.values[passwordVariable]
	switch {
	case s.PasswordFile != "" && given != "":
		return "", false, audit.Invalid("password", "%s is set, and a password file is named too: choose one.", passwordVariable)
	case given != "":
		return given, false, nil
	case s.PasswordFile == "":
		return session.NewPassword(), true, nil
	}
	text, err := readFileOrInput(c, s.PasswordFile)
	if err != nil {
		return "", false, fmt.Errorf("reading the password: %w", err)
	}
	if password = trimNewline(string(text)); password == "" {
		return "", false, audit.Invalid("password", "the password file %s is empty", s.PasswordFile)
	}
	return password, false, nil
}

func readFileOrInput(c *console, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(c.in)
	}
	return os.ReadFile(path)
}
