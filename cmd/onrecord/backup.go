package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"onrecord/audit"
)

type backupCommand struct {
	dbFlag
	Output string `short:"o" required:"" placeholder:"FILE" help:"The file to make. One that is there is never replaced."`
}

// Help is shown under the flags.
func (backupCommand) Help() string {
	return `Makes a compact copy of the SQLite file, as it stands at one moment, while the portal is being served. The copy holds every call and the whole log; it begins with the recorded fact that it was made. The signing key is not in it: keep a copy of that elsewhere.

To restore, stop the server, put the copy in the database's place, remove the files beside it that end in -wal and -shm, and start the server. docs/operating.md tells more. For PostgreSQL use pg_dump.

    onrecord backup -o /backup/onrecord-2026-11-25.db`
}

// Run copies the file.
func (b *backupCommand) Run(ctx context.Context, c *console) (err error) {
	if !strings.HasPrefix(b.DB, "sqlite:") {
		return audit.Invalid("db", "--db: backup copies SQLite files; back a PostgreSQL database up with pg_dump, as docs/operating.md tells")
	}
	if err := b.free(); err != nil {
		return err
	}
	o, err := b.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	if _, err := o.BackUp(ctx, o.by, filepath.Base(b.Output)); err != nil {
		return err
	}
	// Under another name until it is whole, so that half a copy is never taken
	// for one.
	part := b.Output + ".part"
	if err := b.copy(ctx, c, o, part); err != nil {
		return err
	}
	if err := publish(part, b.Output); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	info, err := os.Stat(b.Output)
	if err != nil {
		return err
	}
	c.say("The signing key is not in the copy: keep a copy of it in another place.")
	_, err = fmt.Fprintf(c.out, "File: %s\nBytes: %d\n", b.Output, info.Size())
	return err
}

// free refuses what a copy would overwrite.
func (b *backupCommand) free() error {
	for _, path := range []string{b.Output, b.Output + ".part"} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			return audit.Invalid("output", "--output: %s is there already: name another file, or remove it first", path)
		}
	}
	folder := filepath.Dir(b.Output)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return audit.Invalid("output", "--output: the folder %s does not exist: make it first", folder)
	}
	return nil
}

// copy makes the copy and shows how far it has come. What is interrupted
// leaves nothing.
func (b *backupCommand) copy(ctx context.Context, c *console, o *opened, path string) error {
	info, err := os.Stat(o.db.Path())
	if err != nil {
		return err
	}
	bar := newProgress(c, info.Size(), "Copying")
	defer bar.finish()
	copied := make(chan error, 1)
	go func() { copied <- o.db.CopyTo(ctx, path) }()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case err := <-copied:
			tick.Stop()
			if err != nil {
				return errors.Join(err, os.Remove(path))
			}
			return nil
		case <-tick.C:
			if now, err := os.Stat(path); err == nil {
				bar.set(min(now.Size(), info.Size()))
			}
		}
	}
}

// publish makes a whole file durable under its name, unless somebody else has
// taken the name meanwhile.
func publish(part, name string) error {
	if err := syncFile(part); err != nil {
		return fmt.Errorf("writing the copy to the disk: %w", err)
	}
	err := os.Link(part, name)
	switch {
	case err == nil:
		err = os.Remove(part)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("somebody else has just made %s: %w", name, err)
	default: // a file system without links
		err = os.Rename(part, name)
	}
	if err != nil {
		return fmt.Errorf("naming the copy: %w", err)
	}
	if runtime.GOOS == "windows" { // which cannot sync a folder
		return nil
	}
	return syncFile(filepath.Dir(name))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
