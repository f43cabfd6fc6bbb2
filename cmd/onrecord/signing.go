package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal"
)

// signingFlag names the file with the private keys that sign checkpoints.
type signingFlag struct {
	SigningKey string `placeholder:"FILE" help:"The file with the keys that sign the logs' checkpoints. Unless told, onrecord.key beside the SQLite file; on PostgreSQL it must be told, the same for every process."`
}

const signingVariable = prefix + "SIGNING_KEY"

// file is the key file, or "" if none was named and the database is no file.
func (f signingFlag) file(db dbFlag) string {
	if f.SigningKey != "" {
		return f.SigningKey
	}
	return db.keyBeside()
}

// keyBeside is where the key file of a SQLite database is unless told.
func (f dbFlag) keyBeside() string {
	path, ok := strings.CutPrefix(f.DB, "sqlite:")
	if !ok {
		return ""
	}
	return filepath.Join(filepath.Dir(path), "onrecord.key")
}

// keyFile is the key file for commands without a flag for it.
func (f dbFlag) keyFile(c *console) string {
	return signingFlag{SigningKey: c.env.values[signingVariable]}.file(f)
}

// makeKey makes the first key, and has it sign. Another process that does so at
// the same time finds the same key.
func (f signingFlag) makeKey(ctx context.Context, c *console, o *opened, db dbFlag) error {
	known, err := o.SigningKeys(ctx)
	if err != nil || len(known) > 0 {
		return err
	}
	path := f.file(db)
	if path == "" {
		c.say("No signing key was made, so the log is not signed: say where to keep it with onrecord keys signing --new --signing-key FILE --db %s.", db)
		return nil
	}
	made, err := firstKey(ctx, o.Portal, o.by, path)
	if made && err == nil {
		c.say("Made the key %s, which signs the log's checkpoints. Keep a copy in a safe place: it is in no backup of the database.", path)
	}
	return err
}

// firstKey makes a key file, or takes the one that is there, and has its keys
// sign.
func firstKey(ctx context.Context, p *portal.Portal, by portal.Caller, path string) (made bool, err error) {
	keys, made, err := seal.MakeKeyFile(path, seal.FileName)
	if err != nil {
		return false, fmt.Errorf("making the signing key: %w", err)
	}
	for _, k := range keys {
		if err := p.AddSigningKey(ctx, by, k.Public()); err != nil {
			return made, err
		}
	}
	return made, nil
}

type keysSigningCommand struct {
	dbFlag
	signingFlag
	New    bool   `help:"Make a new key. Until the old one is retired both sign."`
	Retire string `placeholder:"FINGERPRINT" help:"Have a key sign no more; what it has signed stays valid."`
}

// Help is shown under the flags.
func (keysSigningCommand) Help() string {
	return `Prints the public keys that sign the checkpoints of all logs, each as a verifier key on a line: give them to those who verify exports, by another way than the exports. Keys that were retired stand behind a #, with what they signed still to be verified by them. Public keys are no secret: printing them is not recorded. Making and retiring keys is, in the organization's log.

To exchange the key: make a new one, copy the file to every process that serves (they read it by themselves), give the new public key to those who verify, and some weeks later retire the old one.

    onrecord keys signing > onrecord.pub
    onrecord keys signing --new
    onrecord keys signing --retire 0a1b2c3d4e5f6071`
}

// Run shows, makes or retires keys.
func (k *keysSigningCommand) Run(ctx context.Context, c *console) (err error) {
	if k.New && k.Retire != "" {
		return audit.Invalid("retire", "--new and --retire: do one after the other, some weeks apart")
	}
	path := k.file(k.dbFlag)
	if (k.New || k.Retire != "") && path == "" {
		return audit.Invalid("signing-key", "--signing-key is missing: on PostgreSQL say where the keys are")
	}
	o, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	switch {
	case k.New:
		err = alone(ctx, path, func() error { return k.make(ctx, c, o, path) })
	case k.Retire != "":
		err = alone(ctx, path, func() error { return k.retire(ctx, c, o, path) })
	}
	if err != nil {
		return err
	}
	return printKeys(ctx, c, o)
}

// alone keeps two commands from changing one key file at once.
func alone(ctx context.Context, path string, do func() error) (err error) {
	lock, err := waitForLock(ctx, path, lockWait)
	if held, ok := errors.AsType[*heldError](err); ok {
		return fmt.Errorf("%s changes the keys in %s just now: try again in a moment", held.holder(), path)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	return do()
}

// make adds a key to the file and then to the database. One that a broken off
// command left in the file alone is taken rather than another one made.
func (k *keysSigningCommand) make(ctx context.Context, c *console, o *opened, path string) error {
	known, err := o.SigningKeys(ctx)
	if err != nil {
		return err
	}
	keys, err := seal.ReadKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys, _, err = seal.MakeKeyFile(path, seal.FileName)
	}
	if err != nil {
		return err
	}
	strange := slices.DeleteFunc(slices.Clone(keys), func(n seal.NamedKey) bool {
		return slices.ContainsFunc(known, func(s portal.SigningKey) bool { return s.Fingerprint == n.Fingerprint() })
	})
	if len(strange) == 0 {
		fresh, err := seal.NewKey()
		if err != nil {
			return err
		}
		strange = []seal.NamedKey{{Name: seal.FileName, Key: fresh}}
		if err := seal.ReplaceKeyFile(path, append(keys, strange...)); err != nil {
			return err
		}
	}
	for _, s := range strange {
		if err := o.AddSigningKey(ctx, o.by, s.Public()); err != nil {
			return err
		}
		c.say("The key %s in %s signs from now on. Copy the file to every process that serves, and to a safe place.", s.Fingerprint(), path)
	}
	return nil
}

// retire ends a key in the database and then takes it out of the file.
func (k *keysSigningCommand) retire(ctx context.Context, c *console, o *opened, path string) error {
	if err := o.RetireSigningKey(ctx, o.by, k.Retire); err != nil {
		return err
	}
	keys, err := seal.ReadKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(keys), func(n seal.NamedKey) bool { return n.Fingerprint() == k.Retire })
	if len(left) == 0 || len(left) == len(keys) {
		return nil
	}
	c.say("The key %s signs no more and is no longer in %s.", k.Retire, path)
	return seal.ReplaceKeyFile(path, left)
}

func printKeys(ctx context.Context, c *console, o *opened) error {
	known, err := o.SigningKeys(ctx)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return fmt.Errorf("there is no signing key yet: make one with onrecord keys signing --new")
	}
	out := bufio.NewWriter(c.out)
	for _, s := range known {
		vkey := seal.LogKey{Name: seal.Installation(o.Organization()), Public: s.Public}
		if !s.Retired.IsZero() {
			fmt.Fprintf(out, "# %s, retired %s:\n# %s\n", s.Fingerprint, s.Retired.Format("2006-01-02"), vkey)
			continue
		}
		fmt.Fprintf(out, "# %s, since %s\n%s\n", s.Fingerprint, s.Added.Format("2006-01-02"), vkey)
	}
	return out.Flush()
}

// tellSigning says whether what is recorded will be signed. It refuses keys
// that do not fit the database.
func tellSigning(ctx context.Context, c *console, p *portal.Portal, db dbFlag, path string) error {
	err := p.Signing(ctx)
	switch {
	case err == nil || p.Organization() == "":
		return nil
	case errors.Is(err, portal.ErrNoSigningKey):
		c.say("Events are recorded, but the log is not signed: there is no key that signs it in %s. If there was one, put it back. If there never was one, or it is lost, make one with onrecord keys signing --new --signing-key %s --db %s.", path, path, db)
		return nil
	case errors.Is(err, portal.ErrOtherSigningKey):
		return fmt.Errorf("the key in %s is not one that signs the logs of this database: put the right file back (onrecord keys signing --db %s lists the fingerprints), or if it is lost move this file away and make a new key with onrecord keys signing --new --signing-key %s --db %s", path, db, path, db)
	}
	return fmt.Errorf("reading the signing key: %w", err)
}
