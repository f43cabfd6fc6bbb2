package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal"
)

// live verifies the log in the database.
func (v *verifyCommand) live(ctx context.Context, c *console) (err error) {
	if len(v.Witness) > 0 {
		return audit.Invalid("witness", "--witness is for a file: the server keeps what witnesses sign, and every signature that is kept is verified")
	}
	keys, err := logKeys("key", v.Key)
	if err != nil {
		return err
	}
	o, err := v.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	names, log, err := v.logs(ctx, o)
	if err != nil {
		return err
	}
	bar := newShare(c, "Verifying")
	found, err := o.VerifyLog(ctx, o.by, log, portal.VerifyOptions{State: v.State, Keys: keys, Progress: func(events, of int64) {
		bar.share(events, float64(events)/float64(max(of, 1)))
	}})
	bar.finish()
	if err != nil {
		return err
	}
	since := ""
	if v.Since != "" {
		if since, err = v.extends(ctx, o, keys); err != nil {
			found.Faults = append(found.Faults, audit.Fault{What: err.Error()})
		}
	}
	out := bufio.NewWriter(c.out)
	tellLive(out, found, names, v.State, len(keys) > 0)
	if len(found.Faults) > 0 {
		return errors.Join(out.Flush(), errTold)
	}
	if since != "" {
		fmt.Fprintln(out, since)
	}
	return out.Flush()
}

// logs gives the names of all logs, and the one that was asked for.
func (v *verifyCommand) logs(ctx context.Context, o *opened) (names map[string]string, log string, err error) {
	teams, err := o.Teams(ctx, o.by)
	if err != nil {
		return nil, "", err
	}
	names = map[string]string{o.Organization(): "the organization's log"}
	for _, t := range teams {
		names[t.ID] = "the log of " + t.Name
	}
	if v.Team != "" {
		log, err = auditLogFlag{v.Team}.find(ctx, o)
	}
	return names, log, err
}

// extends says that a log extends the checkpoint that was kept. Its error says
// what is wrong.
func (v *verifyCommand) extends(ctx context.Context, o *opened, keys []seal.LogKey) (string, error) {
	msg, err := os.ReadFile(v.Since)
	if err != nil {
		return "", fmt.Errorf("reading the earlier checkpoint: %w", err)
	}
	if len(keys) == 0 {
		if keys, err = o.LogKeys(ctx); err != nil {
			return "", err
		}
	}
	s, err := seal.Open(msg, keys, nil)
	if err != nil {
		return "", fmt.Errorf("the earlier checkpoint: %w", err)
	}
	log, ok := seal.LogOf(s.Origin)
	if !ok || s.Origin != seal.Origin(o.Organization(), log) {
		return "", fmt.Errorf("the earlier checkpoint is of %s, which is not a log of this organization", s.Origin)
	}
	state, err := o.Log().SealState(ctx, log)
	if err != nil {
		return "", err
	}
	if state.Leaves < s.Size {
		return "", fmt.Errorf("the earlier checkpoint of %s covers %d leaves, now there are %d: the log was cut off, or set back to an older state", s.Origin, s.Size, state.Leaves)
	}
	tree, err := seal.TreeAt(s.Size, o.Log().Hashes(ctx, log))
	if err != nil {
		return "", err
	}
	if tree.Root() != s.Root {
		return "", fmt.Errorf("the log %s does not extend the earlier checkpoint over %d leaves: it was rewritten since", s.Origin, s.Size)
	}
	return fmt.Sprintf("The log %s extends the checkpoint over %s leaves that you kept: nothing that was sealed then has been changed since.", s.Origin, humanize.Comma(s.Size)), nil
}

func tellLive(out io.Writer, found audit.Checked, names map[string]string, state, given bool) {
	for _, f := range found.Faults {
		where := names[f.Log]
		if where == "" {
			where = "the database"
		}
		fmt.Fprintf(out, "In %s: %s\n", visible(where), visible(f.String()))
	}
	if found.More > 0 {
		fmt.Fprintf(out, "And %s more faults.\n", humanize.Comma(found.More))
	}
	for _, log := range slices.Sorted(maps.Keys(names)) {
		if f := found.Logs[log]; f != nil {
			tellFigures(out, names[log], f)
		}
	}
	if len(found.Faults) > 0 {
		return
	}
	fmt.Fprintln(out, "Bytes, hashes, leaves, tree, checkpoints, index, counts and names agree.")
	if state {
		fmt.Fprintf(out, "The log explains each of the %s rows as it stands.\n", humanize.Comma(found.Rows))
	}
	if !given {
		fmt.Fprintln(out, "Not proved: that the keys which signed are the right ones; they stand in the same database. Give --key.")
	}
	fmt.Fprintln(out, "Not proved: that nobody who holds the signing key has written another history; keep a checkpoint, or ask for a witness.")
}

func tellFigures(out io.Writer, name string, f *audit.LogFigures) {
	parts := []string{
		humanize.Comma(f.Events) + " events", humanize.Comma(f.Leaves) + " sealed", humanize.Comma(f.Checkpoints) + " signed checkpoints",
	}
	if f.Cosigned > 0 {
		parts = append(parts, humanize.Comma(f.Cosigned)+" cosignatures")
	}
	if f.Erased > 0 {
		parts = append(parts, humanize.Comma(f.Erased)+" parts erased, which is no fault")
	}
	fmt.Fprintf(out, "%s: %s.\n", visible(strings.ToUpper(name[:1])+name[1:]), strings.Join(parts, ", "))
	for _, back := range f.ClockBack {
		const at = "2006-01-02 15:04:05"
		fmt.Fprintf(out, "  At leaf %d the clock ran back, from %s to %s UTC.\n", back.Leaf, back.From.Format(at), back.To.Format(at))
	}
}
