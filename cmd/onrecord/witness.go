package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/web"
)

type witnessCommand struct {
	Addr  string   `default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes a free one. Unless told, ${default}."`
	Key   string   `required:"" placeholder:"FILE" help:"The witness's own key; made if it is not there."`
	Name  string   `placeholder:"NAME" help:"The witness's name, such as witness.example.com/w1; needed when the key is made."`
	Log   []string `required:"" placeholder:"VKEY|FILE" sep:"none" help:"The public key of a log, or of an installation with all its logs; may be given several times."`
	State string   `placeholder:"FOLDER" help:"Where to keep the last checkpoint of each log. Unless told, the key's file name with .state."`
	logFlag
}

// Help is shown under the flags.
func (witnessCommand) Help() string {
	return `Runs an independent witness: for somebody whom the operator of the portal cannot order about, on a machine of their own. It keeps the last checkpoint of each log, cosigns another one only if it is proved to extend that, and so finds out whoever rewrites a log, even with its signing key. The protocol is C2SP tlog-witness.

The address and the witness's public key are printed on standard output; "onrecord serve --witness URL=VKEY" and "onrecord verify --witness VKEY" take them.

    onrecord witness --addr :8090 --key witness.key --name witness.example.com/w1 --log onrecord/org_01…+1a2b3c4d+AbC…`
}

// Run serves until it is told to stop.
func (w *witnessCommand) Run(ctx context.Context, c *console) (err error) {
	logs, err := logKeys("log", w.Log)
	if err != nil {
		return err
	}
	key, err := w.key(c)
	if err != nil {
		return err
	}
	folder := w.State
	if folder == "" {
		folder = w.Key + ".state"
	}
	server, err := seal.NewWitnessServer(folder, key, logs, time.Now)
	if err != nil {
		return err
	}
	lock, err := lockDatabase(filepath.Join(folder, "witness"))
	if held, ok := errors.AsType[*heldError](err); ok {
		return fmt.Errorf("%s is a witness with the folder %s already: one process a folder", held.holder(), folder)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	ln, err := listen(ctx, w.Addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	fmt.Fprintf(c.out, "Address: %s\nKey: %s\n", address(ln, ""), server.Witness())
	return web.Serve(ctx, ln, server.Handler(w.logger(c)))
}

// key reads the witness's key, or makes one under its name.
func (w *witnessCommand) key(c *console) (seal.NamedKey, error) {
	keys, err := seal.ReadKeyFile(w.Key)
	if errors.Is(err, os.ErrNotExist) {
		if w.Name == "" {
			return seal.NamedKey{}, audit.Invalid("name", "there is no key in %s: to make one, say --name, for example --name witness.example.com/w1", w.Key)
		}
		if !seal.ValidName(w.Name) {
			return seal.NamedKey{}, audit.Invalid("name", "--name: %q cannot be a name: it holds neither spaces nor plus", w.Name)
		}
		keys, _, err = seal.MakeKeyFile(w.Key, w.Name)
		c.say("Made the key %s. Keep it: without it this witness is another one.", w.Key)
	}
	switch {
	case err != nil:
		return seal.NamedKey{}, err
	case len(keys) != 1:
		return seal.NamedKey{}, fmt.Errorf("%s holds %d keys; a witness has one", w.Key, len(keys))
	case w.Name != "" && w.Name != keys[0].Name:
		return seal.NamedKey{}, audit.Invalid("name", "--name: the key %s is of %s, not of %s; a witness keeps its name", w.Key, keys[0].Name, w.Name)
	}
	return keys[0], nil
}
