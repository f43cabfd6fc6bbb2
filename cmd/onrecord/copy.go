package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
)

type copyCommand struct {
	From string `required:"" placeholder:"DSN" help:"The source: sqlite:PATH."`
	To   string `required:"" placeholder:"DSN" help:"The target: postgres://OWNER@HOST/NAME, an empty database, for the role that is to own the tables."`
}

// Help is shown under the flags.
func (copyCommand) Help() string {
	return `Moves everything: ids, events, leaves and checkpoints stay what they are. Stop the server first; while it runs nothing can write to the source. If it is stopped, run it again: it goes on. At the end every table is compared at both ends, the log's own check derives the whole log on both sides, and the copy is recorded in the organization's log of the target. Until then nobody can open the target.

The signing key is not in the database: give the servers of the target the same one.

    onrecord copy --from sqlite:/var/lib/onrecord/onrecord.db --to postgres://owner@db/onrecord
    onrecord migrate --db postgres://owner@db/onrecord --serving-role onrecord`
}

// Run copies.
func (k *copyCommand) Run(ctx context.Context, c *console) (err error) {
	from, to, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close(), to.Close()) }()
	lock, err := lockDatabase(from.Path())
	if err != nil {
		return err
	}
	defer lock.release()
	if current, err := upToDate(ctx, from); err != nil {
		return err
	} else if !current {
		if err := migrate(ctx, c, from); err != nil {
			return err
		}
	}
	bar := newCounter(c, "Copying")
	done, err := portal.Copy(ctx, from, to, operatorName(), bar.of)
	bar.finish()
	if err != nil {
		return fmt.Errorf("the copy is not finished; run it again to go on: %w", err)
	}
	if done.Resumed {
		c.say("An earlier run had begun; this one went on.")
	}
	fmt.Fprintf(c.out, "Tables: %d\nRows: %d\nEvents: %d\n", done.Tables, done.Rows, done.Events)
	for _, f := range done.Faults {
		c.say("%s", f)
	}
	if len(done.Faults) > 0 {
		c.say("The copy is what the source is, but the log's check finds this at both ends.")
		return errTold
	}
	return nil
}

// open opens both databases.
func (k *copyCommand) open(ctx context.Context, c *console) (from, to *database.DB, err error) {
	path, file := strings.CutPrefix(k.From, "sqlite:")
	if !file {
		return nil, nil, audit.Invalid("from", "--from: a copy goes from sqlite:PATH to postgres://…")
	}
	if scheme, _, _ := strings.Cut(k.To, ":"); scheme != "postgres" && scheme != "postgresql" {
		return nil, nil, audit.Invalid("to", "--to: a copy goes from sqlite:PATH to postgres://…; onrecord backup copies a SQLite file")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no database file %s", path)
	}
	if from, err = database.Open(ctx, k.From); err != nil {
		return nil, nil, err
	}
	if to, err = database.Open(ctx, k.To); err != nil {
		return nil, nil, errors.Join(err, from.Close())
	}
	return from, to, nil
}
