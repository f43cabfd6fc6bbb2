package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/demo"
	"onrecord/session"
	"onrecord/web"
)

type demoCommand struct {
	Addr string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes a free one. Unless told, ${default}."`
	logFlag
}

// Help is shown under the flags.
func (demoCommand) Help() string {
	return `Serves three teams with 25 members, 40 devices, 400 calls and 90 days of history, on a database in a temporary folder that goes away when the command ends. Address, mail address and password for signing in are printed on standard output. Something happened one night about ten days ago; the Audit Logs know what.

    onrecord demo
    onrecord demo --addr 127.0.0.1:0`
}

// demoSeed makes every demonstration tell the same story.
const demoSeed = 1

// Run makes the demonstration and serves it.
func (d *demoCommand) Run(ctx context.Context, c *console) (err error) {
	ln, err := listen(ctx, d.Addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	folder, err := os.MkdirTemp("", "onrecord-demo-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(folder, "demo.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := portal.Migrate(ctx, db); err != nil {
		return err
	}
	keys := filepath.Join(folder, "onrecord.key")
	c.say("Making %d days of history …", demo.Days)
	password := session.NewPassword()
	made, err := demo.Fill(ctx, db, demo.Options{Seed: demoSeed, Now: time.Now(), Password: password})
	if err != nil {
		return err
	}
	log := d.logger(c)
	figures := newFigures()
	p, err := portal.Open(ctx, db, portal.WithLogger(log), portal.WithObserver(figures.observer()), portal.WithSigningKeys(keys))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	by, err := p.Operator(ctx, operatorName())
	if err != nil {
		return err
	}
	if _, err := firstKey(ctx, p, by, keys); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Address: %s\nEmail: %s\nPassword: %s\n", address(ln, ""), made.Email, password)
	site := pagesAndAPI(ctx, p, web.Config{Logger: log, Metrics: figures.handler(p, db, log)})
	return web.Serve(ctx, ln, figures.observed(site, log))
}
