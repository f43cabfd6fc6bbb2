package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal"
)

type eventsExportCommand struct {
	dbFlag
	auditLogFlag
	Format  string   `required:"" enum:"csv,jsonl,verified" placeholder:"FORMAT" help:"csv, jsonl (one object a line) or verified (the sealed bytes with their proof)."`
	Output  string   `short:"o" required:"" placeholder:"FILE" help:"The file to make; - is standard output."`
	Force   bool     `help:"Replace a file that is there, and begin anew where an export was broken off."`
	Since   string   `placeholder:"FILE" help:"A checkpoint kept from earlier: a verified export with a query is made so that it can be verified with --since."`
	Columns []string `placeholder:"NAME,…" help:"The columns of a CSV, in this order; all of them unless told."`
	Query   []string `arg:"" optional:"" help:"What to export, as for events search. Nothing means every event."`
}

// Help is shown under the flags.
func (eventsExportCommand) Help() string {
	return `Writes every event that the query matches, newest first, without a cap: the log as it stands when the export begins. The export is recorded before its first byte is written, its end afterwards. It may run while the portal is being served.

Until it is whole the file has another name beside it, ending in .part. If the export is broken off, the same command goes on where it stopped. At the end the number of events and the SHA-256 of the file are printed. docs/export.md tells what the files hold.

    onrecord events export --team "Support" --format csv -o log.csv
    onrecord events export --team "Support" --format csv --columns time,actor_name,action_label,object_name -o - 'action:call.transcript_exported after:2026-10-01' > exports.csv
    onrecord events export --team organization --format jsonl -o organization.jsonl
    onrecord events export --team "Support" --format verified -o log.verified.jsonl`
}

// Run exports.
func (e *eventsExportCommand) Run(ctx context.Context, c *console) (err error) {
	query := strings.Join(e.Query, " ")
	filter, err := audit.ParseQuery(query)
	if err != nil {
		return describe(query, err)
	}
	if len(e.Columns) > 0 && e.Format != "csv" {
		return audit.Invalid("columns", "--columns: only a CSV has columns, not %s", e.Format)
	}
	since, err := e.since()
	if err != nil {
		return err
	}
	if err := e.free(); err != nil {
		return err
	}
	o, err := e.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	log, err := e.find(ctx, o)
	if err != nil {
		return err
	}
	options := portal.ExportOptions{Format: e.Format, Columns: e.Columns, Since: since}
	if e.Output == "-" {
		x, err := o.ExportLog(ctx, o.by, log, filter, options)
		if err != nil {
			return err
		}
		done, err := e.send(ctx, c, x, c.out)
		if err != nil {
			return err
		}
		c.say("Export: %s\nEvents: %d\nBytes: %d\nSHA-256: %s", x.ID, done.Events, done.Bytes, done.SHA256)
		return nil
	}
	return e.toFile(ctx, c, o, log, filter, options)
}

// since is the size of the earlier checkpoint.
func (e *eventsExportCommand) since() (int64, error) {
	if e.Since == "" {
		return 0, nil
	}
	if e.Format != portal.VerifiedFormat.ID {
		return 0, audit.Invalid("since", "--since: only a verified export proves anything, not %s", e.Format)
	}
	text, err := os.ReadFile(e.Since)
	if err != nil {
		return 0, fmt.Errorf("reading the earlier checkpoint: %w", err)
	}
	c, err := seal.Unsigned(text)
	if err != nil {
		return 0, audit.Invalid("since", "--since %s: %v", e.Since, err)
	}
	return c.Size, nil
}

// free refuses what an export would overwrite.
func (e *eventsExportCommand) free() error {
	if e.Output == "-" {
		return nil
	}
	folder := filepath.Dir(e.Output)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return audit.Invalid("output", "--output: the folder %s does not exist: make it first", folder)
	}
	info, err := os.Lstat(e.Output)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return audit.Invalid("output", "--output: %s is a folder: name a file in it", e.Output)
	case !e.Force:
		return audit.Invalid("output", "--output: %s is there already: name another file, or replace it with --force", e.Output)
	}
	return nil
}

// toFile writes under a name that holds the export's id, so that it can go on,
// until the file is whole.
func (e *eventsExportCommand) toFile(ctx context.Context, c *console, o *opened, log string, filter audit.Filter, options portal.ExportOptions) error {
	x, part, err := e.goOn(ctx, c, o, log, filter, options.Since)
	if err != nil {
		return err
	}
	if x == nil {
		if x, err = o.ExportLog(ctx, o.by, log, filter, options); err != nil {
			return err
		}
		part = e.Output + "." + x.ID + ".part"
	}
	done, err := e.write(ctx, c, x, part)
	if err != nil {
		return fmt.Errorf("the export was broken off; the same command goes on with it: %w", err)
	}
	if e.Force {
		err = os.Rename(part, e.Output)
	} else {
		err = publish(part, e.Output)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "File: %s\nExport: %s\nEvents: %d\nBytes: %d\nSHA-256: %s\n", e.Output, x.ID, done.Events, done.Bytes, done.SHA256)
	return err
}

// goOn finds an export of the same events to the same file that was broken off;
// nil if there is none.
func (e *eventsExportCommand) goOn(ctx context.Context, c *console, o *opened, log string, filter audit.Filter, since int64) (*portal.LogExport, string, error) {
	parts, err := partsOf(e.Output)
	if err != nil || len(parts) == 0 {
		return nil, "", err
	}
	if e.Force {
		for _, part := range parts {
			if err := os.Remove(part); err != nil {
				return nil, "", err
			}
		}
		return nil, "", nil
	}
	part := parts[0]
	info, err := os.Stat(part)
	if err != nil {
		return nil, "", err
	}
	id := strings.TrimSuffix(strings.TrimPrefix(part, e.Output+"."), ".part")
	begun, err := o.LogExport(ctx, o.by, log, id)
	if err != nil {
		return nil, "", fmt.Errorf("%s cannot go on, remove it or begin anew with --force: %w", part, err)
	}
	if len(parts) > 1 || begun.Format.ID != e.Format || begun.Query.String() != filter.String() || begun.Since != since || !slices.Equal(begun.Columns, e.Columns) {
		return nil, "", audit.Invalid("output", "--output: %s was left by an export of something else: remove it, or begin anew with --force", part)
	}
	x, err := o.ResumeLogExport(ctx, o.by, log, id, info.Size())
	if err != nil {
		return nil, "", err
	}
	c.say("Going on with the export of %s, of which %d bytes are there.", begun.Begun.UTC().Format("2006-01-02 15:04:05 UTC"), info.Size())
	return x, part, nil
}

// partsOf gives the files that exports to a file have left unfinished.
func partsOf(output string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(output))
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, entry := range entries {
		id, ours := strings.CutPrefix(entry.Name(), filepath.Base(output)+".")
		if id, part := strings.CutSuffix(id, ".part"); ours && part && audit.ValidID("exp", id) {
			parts = append(parts, output+"."+id+".part")
		}
	}
	return parts, nil
}

func (e *eventsExportCommand) write(ctx context.Context, c *console, x *portal.LogExport, part string) (done portal.LogExported, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return done, err
	}
	out := &sameThenMore{f: f, have: bufio.NewReader(f)}
	done, err = e.send(ctx, c, x, out)
	return done, errors.Join(err, f.Sync(), f.Close())
}

func (e *eventsExportCommand) send(ctx context.Context, c *console, x *portal.LogExport, w io.Writer) (portal.LogExported, error) {
	bar := newShare(c, "Exporting")
	defer bar.finish()
	return x.Send(ctx, w, 0, func(done portal.LogExported, share float64) { bar.share(done.Events, share) })
}

// sameThenMore writes a file whose beginning is there already: that must be
// the same.
type sameThenMore struct {
	f    *os.File
	have *bufio.Reader // what is there; nil once all of it was seen
}

func (w *sameThenMore) Write(b []byte) (int, error) {
	rest := b
	if w.have != nil {
		there := make([]byte, len(b))
		n, err := io.ReadFull(w.have, there)
		if !bytes.Equal(there[:n], b[:n]) {
			return 0, fmt.Errorf("what %s holds is not the beginning of this export: something was erased meanwhile, or somebody wrote to it; remove it, or begin anew with --force", w.f.Name())
		}
		rest = b[n:]
		switch {
		case err == nil:
			return len(b), nil
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return 0, err
		}
		w.have = nil
	}
	if _, err := w.f.Write(rest); err != nil {
		return 0, err
	}
	return len(b), nil
}
