package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"onrecord/audit"
	"onrecord/audit/seal"
)

type verifyCommand struct {
	dbFlag
	File    string   `arg:"" optional:"" help:"A verified export. Without one, the log in the database is verified."`
	Key     []string `placeholder:"VKEY|FILE" sep:"none" help:"The public key that signs the log's checkpoints, or a file with such keys, got by another way than the export."`
	Since   string   `placeholder:"FILE" help:"A checkpoint kept from earlier: the log must extend it."`
	Witness []string `placeholder:"VKEY" sep:"none" help:"The public key of a witness that must have cosigned the checkpoint."`
	Team    string   `placeholder:"TEAM" help:"Of the database, only this team's log; organization is the organization's own. Unless told, all."`
	State   bool     `help:"Of the database, also whether the log explains every row: roles, states, scores, keys and settings as they stand."`
}

// Help is shown under the flags.
func (verifyCommand) Help() string {
	return `Checks a file that "onrecord events export --format verified" made, with no network and no database, and says what that proves and what it does not. If anything is wrong it says where, and the exit status is 1. The key has to come from somebody you trust: "onrecord keys signing" prints it.

    onrecord verify october.jsonl --key onrecord/org_01…+1a2b3c4d+AbC…
    onrecord verify october.jsonl --key keys.txt --since september.checkpoint --witness witness.example/w1+…

Without a file it derives the log in the database again, beside a server that is at work: bytes, hashes, leaves, tree, checkpoints and who signed them, index, counts and names, with --state also every row that the log has to explain. That is recorded, and what is found is shown to Admins. Give --key here as well: the keys that stand in the database are no proof against whoever can write there.

    onrecord verify --db sqlite:onrecord.db --state --key keys.txt

docs/verify.md has the format and the steps.`
}

// Run verifies.
func (v *verifyCommand) Run(ctx context.Context, c *console) error {
	if v.File == "" {
		return v.live(ctx, c)
	}
	if v.Team != "" || v.State {
		return audit.Invalid("file", "--team and --state are for the log in a database: leave out %s, or leave out these", v.File)
	}
	o, err := v.options()
	if err != nil {
		return err
	}
	f, err := os.Open(v.File)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(-1)
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	p := newProgress(c, size, "verifying")
	r, err := seal.Verify(io.TeeReader(reading{ctx, f}, p), o)
	p.finish()
	if err != nil {
		return fmt.Errorf("reading %s: %w", v.File, err)
	}
	out := bufio.NewWriter(c.out)
	if !r.OK() {
		tellFaults(out, v.File, &r)
		return errors.Join(out.Flush(), errTold)
	}
	for _, sentence := range proved(&r) {
		fmt.Fprintln(out, sentence)
	}
	for _, sentence := range notProved(&r) {
		fmt.Fprintln(out, "Not proved: "+sentence)
	}
	return out.Flush()
}

// reading stops when the command is interrupted.
type reading struct {
	ctx context.Context
	in  io.Reader
}

func (r reading) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
}

func (v *verifyCommand) options() (seal.Options, error) {
	var o seal.Options
	var err error
	if o.Keys, err = logKeys("key", v.Key); err != nil {
		return o, err
	}
	if len(o.Keys) == 0 {
		return o, audit.Invalid("key", "--key is missing: without the public key of the log nothing is proved. \"onrecord keys signing\" prints it; it must not come with the export")
	}
	for _, text := range v.Witness {
		w, err := seal.ParseWitness(text)
		if err != nil {
			return o, audit.Invalid("witness", "--witness: %v", err)
		}
		o.Witnesses = append(o.Witnesses, w)
	}
	if v.Since != "" {
		if o.Since, err = os.ReadFile(v.Since); err != nil {
			return o, fmt.Errorf("reading the earlier checkpoint: %w", err)
		}
	}
	return o, nil
}

// logKeys reads verifier keys, or files of them, from a flag.
func logKeys(flag string, given []string) ([]seal.LogKey, error) {
	var all []seal.LogKey
	for _, text := range given {
		k, wrong := seal.ParseLogKey(text)
		if wrong == nil {
			all = append(all, k)
			continue
		}
		file, err := os.ReadFile(text)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(text, "+"):
			return nil, audit.Invalid(flag, "--%s: %v; nor is it the name of a file", flag, wrong)
		case err != nil:
			return nil, fmt.Errorf("reading the keys: %w", err)
		}
		keys, err := seal.ParseLogKeys(string(file))
		if err != nil {
			return nil, audit.Invalid(flag, "--%s %s: %v", flag, text, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

func tellFaults(out io.Writer, file string, r *seal.Result) {
	fmt.Fprintf(out, "%s is NOT a true copy of the log:\n", visible(file))
	for _, f := range r.Faults {
		fmt.Fprintf(out, "  %s\n", visible(f.String()))
	}
	if r.More > 0 {
		fmt.Fprintf(out, "  and %s more faults\n", humanize.Comma(r.More))
	}
}

// proved says each thing that an export without faults proves.
func proved(r *seal.Result) []string {
	c := r.Checkpoint
	all := []string{
		fmt.Sprintf("The file is whole: %s events, %s bytes before its last line, SHA-256 %s.", humanize.Comma(r.Events), humanize.Comma(r.Manifest.Bytes), r.Manifest.SHA256),
		fmt.Sprintf("Its checkpoint of the log %s over %s leaves is signed by a key that you trust: %s.", c.Origin, humanize.Comma(c.Size), strings.Join(c.Keys, ", ")),
	}
	switch {
	case r.Header.Query != "":
		all = append(all, fmt.Sprintf("Each of the %s events is in that log, at its leaf, exactly as it was sealed. The query was: %s", humanize.Comma(r.Events), visible(r.Header.Query)))
	case c.Size == 0:
		all = append(all, "The log was empty.")
	default:
		all = append(all, fmt.Sprintf("These are all events of that log, leaves 0 to %s, exactly as they were sealed: none was changed, removed, inserted or moved.", humanize.Comma(c.Size-1)))
	}
	all = append(all, "Names, reasons and personal values are those that the sealed bytes commit to"+erasedOf(r)+".")
	if r.Since != nil {
		all = append(all, fmt.Sprintf("The log extends the checkpoint over %s leaves that you kept: nothing that was sealed then has been changed since.", humanize.Comma(r.Since.Size)))
	}
	for _, w := range c.Cosignatures {
		all = append(all, fmt.Sprintf("The witness %s has cosigned the checkpoint on %s UTC: it has seen the log grow without a rewrite.", w.Witness.Name, w.Time.Format("2006-01-02 15:04:05")))
	}
	return all
}

func erasedOf(r *seal.Result) string {
	if r.WhoErased == 0 && r.WhatErased == 0 {
		return "; none was erased"
	}
	return fmt.Sprintf("; erased since are who acted in %s events and what they named in %s", humanize.Comma(r.WhoErased), humanize.Comma(r.WhatErased))
}

// notProved says what nobody should read into it.
func notProved(r *seal.Result) []string {
	var all []string
	if r.FirstRecorded != "" {
		all = append(all, fmt.Sprintf("that the times are true; they are what the clock of the recording program said, from %s to %s.", r.FirstRecorded, r.LastRecorded))
	}
	if r.ClockBacks > 0 {
		first := r.ClockBack[0]
		all = append(all, fmt.Sprintf("the order of times: the clock ran back %s times, first at leaf %d, from %s to %s.", humanize.Comma(r.ClockBacks), first.Leaf, first.From, first.To))
	}
	if r.Header.Query != "" {
		all = append(all, "that no other event matches the query; only an export of the whole log is complete.")
	}
	if r.Unread > 0 {
		all = append(all, fmt.Sprintf("what %s events of a later format say; they are in the log, and this program cannot read them.", humanize.Comma(r.Unread)))
	}
	all = append(all, "anything about events that were recorded after this checkpoint was signed, or were not sealed yet.")
	if r.Since == nil && len(r.Checkpoint.Cosignatures) == 0 {
		all = append(all, "that whoever holds the signing key has not written another history and signed that. Keep this checkpoint and verify with --since next time, or ask for a witness.")
	}
	return all
}
