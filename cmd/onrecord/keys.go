package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

type keysCreateCommand struct {
	dbFlag
	teamFlag
	Name    string `required:"" placeholder:"NAME" help:"Which program has the key; the log names it so."`
	Scope   string `required:"" enum:"read,write" placeholder:"SCOPE" help:"read, or write (and read)."`
	Expires string `placeholder:"WHEN" help:"When it ends: a time, such as 2027-01-31, or a number of days, such as 90d. Unless told, never."`
	For     string `placeholder:"EMAIL" help:"The Admin or Auditor who answers for it: it never does more than they may, and ends with them. Unless told, you do."`
	Reason  string `placeholder:"TEXT" help:"Why; it stands in the log."`
}

// Help is shown under the flags.
func (keysCreateCommand) Help() string {
	return `With a key a program uses the API of one team, which docs/api.md describes. The key is printed on standard output this once, and only a digest of it is kept. Making it is recorded.

    onrecord keys create --team "Support" --name "SIEM" --scope read --expires 365d > siem.key`
}

// Run makes a key.
func (k *keysCreateCommand) Run(ctx context.Context, c *console) (err error) {
	n := portal.NewAPIKey{Name: k.Name, Scope: portal.Scope(k.Scope), Reason: k.Reason}
	if n.Expires, err = parseExpiry(k.Expires, time.Now()); err != nil {
		return err
	}
	o, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := k.find(ctx, o)
	if err != nil {
		return err
	}
	if k.For != "" {
		member, err := o.FindMember(ctx, o.by, team.ID, k.For)
		if err != nil {
			return err
		}
		n.For = member.ID
	}
	made, token, err := o.CreateAPIKey(ctx, o.by, team.ID, n)
	if err != nil {
		return err
	}
	until := "until it is revoked"
	if !made.Expires.IsZero() {
		until = "until " + made.Expires.Format("2006-01-02 15:04 UTC")
	}
	c.say("The key %s (%s), shown only now, for the team %s, %s:", made.Name, made.ID, team.Name, until)
	_, err = fmt.Fprintln(c.out, token)
	return err
}

// parseExpiry reads a time, or a number of days from now. "" is never.
func parseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+"\n", "%d\n", &n); err == nil && n > 0 && n <= 36500 {
			return now.Add(time.Duration(n) * 24 * time.Hour), nil
		}
	}
	at, err := audit.ParseTime(s)
	if err != nil {
		return at, audit.Invalid("expires", "--expires: %q is neither a time, such as 2027-01-31, nor a number of days, such as 90d", s)
	}
	return at, nil
}

type keysListCommand struct {
	dbFlag
	teamFlag
	Format string `default:"auto" enum:"auto,table,json" placeholder:"FORMAT" help:"table, or json (one object a line). Unless told, a table on a terminal and json elsewhere."`
}

// Help is shown under the flags.
func (keysListCommand) Help() string {
	return `Shows every API key that the team ever had, the newest first. A paused key belongs to somebody who is blocked, or an Agent now.

    onrecord keys list --team "Support"`
}

// keyJSON is a key as scripts read it.
type keyJSON struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Scope   portal.Scope    `json:"scope"`
	State   portal.KeyState `json:"state"`
	For     string          `json:"for"`      // who answers for it
	ForName string          `json:"for_name"` // their name
	Created string          `json:"created"`
	Expires string          `json:"expires,omitempty"`
	Revoked string          `json:"revoked,omitempty"`
	Used    string          `json:"used,omitempty"`
}

// Run lists the keys.
func (k *keysListCommand) Run(ctx context.Context, c *console) (err error) {
	o, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := k.find(ctx, o)
	if err != nil {
		return err
	}
	all, err := o.APIKeys(ctx, o.by, team.ID)
	if err != nil {
		return err
	}
	if k.Format == "table" || k.Format == "auto" && isTerminal(c.out) {
		return k.table(c, all)
	}
	out := bufio.NewWriter(c.out)
	lines := json.NewEncoder(out)
	for _, key := range all {
		if err := lines.Encode(keyJSON{
			key.ID, key.Name, key.Scope, key.State, key.Owner.ID, key.Owner.Name,
			rfc3339(key.Created), rfc3339(key.Expires), rfc3339(key.Revoked), rfc3339(key.Used),
		}); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (k *keysListCommand) table(c *console, all []portal.APIKey) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tName\tScope\tState\tAnswered for by\tExpires (UTC)\tLast used (UTC)")
	for _, key := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, visible(key.Name), key.Scope, key.State, visible(key.Owner.Name), minuteOf(key.Expires), minuteOf(key.Used))
	}
	return w.Flush()
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func minuteOf(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

type keysRevokeCommand struct {
	dbFlag
	teamFlag
	Key    string `arg:"" placeholder:"KEY" help:"The key's id, such as key_01kb…, or its name."`
	Reason string `placeholder:"TEXT" help:"Why; it stands in the log."`
}

// Help is shown under the flags.
func (keysRevokeCommand) Help() string {
	return `The key stops working at once, also for what a program is reading just now. Revoking is recorded, and cannot be undone.

    onrecord keys revoke --team "Support" --reason "leaked" "SIEM"`
}

// Run revokes a key.
func (k *keysRevokeCommand) Run(ctx context.Context, c *console) (err error) {
	o, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := k.find(ctx, o)
	if err != nil {
		return err
	}
	all, err := o.APIKeys(ctx, o.by, team.ID)
	if err != nil {
		return err
	}
	id := k.Key
	for _, key := range all { // names of keys that are over may repeat
		if key.Name == k.Key && key.State != portal.KeyRevoked && key.State != portal.KeyExpired {
			id = key.ID
		}
	}
	if _, err := o.RevokeAPIKey(ctx, o.by, team.ID, id, k.Reason); err != nil {
		return err
	}
	c.say("The key %s was revoked.", k.Key)
	return nil
}
