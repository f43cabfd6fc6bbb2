package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/transcript"
)

type callsImportCommand struct {
	dbFlag
	teamFlag
	TimeZone  string   `default:"UTC" placeholder:"ZONE" help:"What a clock without a zone means, such as Europe/London. Unless told, ${default}."`
	StartedAt string   `placeholder:"TIME" help:"Start of calls that do not tell, such as 2026-11-23T18:44:14Z."`
	Agent     string   `placeholder:"NAME" help:"Agent of calls that name none: a name or mail address."`
	Customer  string   `placeholder:"NAME" help:"Customer of calls that name none."`
	Direction string   `placeholder:"WAY" help:"Direction of calls that do not tell: inbound or outbound."`
	File      []string `arg:"" help:"Files to read: WebVTT if the name ends in .vtt, otherwise JSON Lines; - is standard input."`
}

// Help is shown under the flags.
func (callsImportCommand) Help() string {
	return `A JSON Lines file has one call a line:

    {"id":"c-1","started_at":"2026-11-23T18:44:14Z","agent":"Dana Cruz","customer":"+1 555 0142","direction":"inbound","turns":[{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"hello"}]}

It may run again over the same files: calls that are there already are passed over. A call that cannot be taken is named with its file and line and the reason, the others arrive, and the exit status is 1. Each new call is one event. It may run while the portal is being served. docs/import.md has every field.

    onrecord calls import --team "Support" calls.jsonl
    onrecord calls import --team "Support" --time-zone Europe/London --agent dana@example.com monday.jsonl call-17.vtt
    zcat calls.jsonl.gz | onrecord calls import --team "Support" -`
}

// Run imports the files.
func (i *callsImportCommand) Run(ctx context.Context, c *console) (err error) {
	options, err := i.options()
	if err != nil {
		return err
	}
	total, err := sizeOf(i.File)
	if err != nil {
		return err
	}
	o, err := i.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	team, err := i.find(ctx, o)
	if err != nil {
		return err
	}
	c.say("A clock without a zone is read as %s (--time-zone).", options.TimeZone)
	bar := newProgress(c, total, "Importing")
	counts, err := o.Import(ctx, o.by, team.ID, i.calls(c, bar, options), func(told portal.Imported) {
		if told.Err != nil {
			bar.clear()
			c.say("%s", refusal(told))
		}
	})
	bar.finish()
	fmt.Fprintf(c.out, "New: %d\nAlready there: %d\nRefused: %d\n", counts.New, counts.Same, counts.Refused)
	if err != nil {
		return fmt.Errorf("the import stopped; run it again to go on: %w", err)
	}
	if counts.Refused > 0 {
		return errTold
	}
	return nil
}

// refusal names the file and line of a call that was refused.
func refusal(told portal.Imported) string {
	if wrong, ok := errors.AsType[*transcript.Error](told.Err); ok {
		return wrong.Error()
	}
	return told.Place + ": id: " + told.Err.Error()
}

// calls reads the files one after another.
func (i *callsImportCommand) calls(c *console, bar *progress, options transcript.Options) iter.Seq2[transcript.Call, error] {
	return func(yield func(transcript.Call, error) bool) {
		for _, path := range i.File {
			if !readCalls(c, bar, path, options, yield) {
				return
			}
		}
	}
}

func readCalls(c *console, bar *progress, path string, options transcript.Options, yield func(transcript.Call, error) bool) bool {
	in, name := c.in, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return yield(transcript.Call{}, err)
		}
		defer f.Close()
		in, name = f, path
	}
	for call, err := range transcript.Open(io.TeeReader(in, bar), name, options) {
		if !yield(call, err) {
			return false
		}
	}
	return true
}

// sizeOf finds missing files before anything is imported, and gives the bytes
// to come, or -1 if that cannot be known.
func sizeOf(paths []string) (int64, error) {
	total := int64(0)
	for _, path := range paths {
		if path == "-" {
			total = -1
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return 0, err
		case info.IsDir():
			return 0, fmt.Errorf("%s is a folder: name the files in it", path)
		case !info.Mode().IsRegular():
			total = -1
		case total >= 0:
			total += info.Size()
		}
	}
	return total, nil
}

func (i *callsImportCommand) options() (transcript.Options, error) {
	zone, err := time.LoadLocation(i.TimeZone)
	if err != nil || i.TimeZone == "" {
		return transcript.Options{}, audit.Invalid("time-zone", "--time-zone: %q is no time zone: a name of the IANA database, such as Europe/London or America/New_York", i.TimeZone)
	}
	options := transcript.Options{TimeZone: zone, Agent: i.Agent, Customer: i.Customer, Direction: i.Direction}
	if d := i.Direction; d != "" && d != transcript.Inbound && d != transcript.Outbound {
		return options, audit.Invalid("direction", "--direction: %q is not known: inbound or outbound", d)
	}
	if i.StartedAt != "" {
		at, err := parseStart(i.StartedAt, zone)
		if err != nil {
			return options, err
		}
		options.StartedAt = &at
	}
	return options, nil
}

// parseStart reads a time; one without a zone is in zone.
func parseStart(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, audit.Invalid("started-at", "--started-at: %q is no time: it looks like 2026-11-23T18:44:14Z, or without Z in --time-zone", s)
}
