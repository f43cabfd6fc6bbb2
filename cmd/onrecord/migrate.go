package main

import (
	"context"
	"errors"
	"fmt"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
)

type migrateCommand struct {
	dbFlag
	ServingRole string `placeholder:"NAME" help:"A role of PostgreSQL to which everything is granted that serving takes, and nothing else."`
}

// Help is shown under the flags.
func (migrateCommand) Help() string {
	return `Brings the schema up to date, and puts back guards that are missing. On PostgreSQL it takes the role that owns the tables; serve may then run with a role that has less. On SQLite the file is copied first, and no server may run; serve and the other commands do the same by themselves.

    onrecord migrate --db postgres://owner@db/onrecord
    onrecord migrate --db postgres://owner@db/onrecord --serving-role onrecord`
}

// Run migrates.
func (m *migrateCommand) Run(ctx context.Context, c *console) (err error) {
	db, err := database.Open(ctx, m.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if path := db.Path(); path != "" {
		lock, err := waitForLock(ctx, path, lockWait)
		if err != nil {
			return err
		}
		defer lock.release()
	}
	if _, err := upToDate(ctx, db); err != nil {
		return err
	}
	if err := migrate(ctx, c, db); err != nil {
		return err
	}
	if m.ServingRole != "" {
		err := portal.GrantServing(ctx, db, m.ServingRole)
		if e, ok := errors.AsType[*audit.Error](err); ok && e.Code == audit.CodeInvalid {
			return audit.Invalid("serving-role", "--serving-role: %s", e.Message)
		}
		if err != nil {
			return err
		}
	}
	schemas, err := portal.Schemas(ctx, db)
	if err != nil {
		return err
	}
	for _, s := range schemas {
		if _, err := fmt.Fprintf(c.out, "%s: version %d\n", s.Name, s.Has); err != nil {
			return err
		}
	}
	return nil
}
