package seal

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A key file holds private keys, oldest first, one a line, as note signer keys
// (golang.org/x/mod/sumdb/note):
//
//	PRIVATE+KEY+<name>+<hash>+<base64 of 0x01 and the 32 bytes of the seed>
//
// Its mode is 0600. Several lines are keys that all sign: the old and the new
// one while they are exchanged.
const maxKeyFile = 16 << 10

// FileName is the name under which the keys in a portal's file are kept; the
// names that they sign under follow from the logs.
const FileName = "onrecord"

// NamedKey is a key with the name that its file gives it.
type NamedKey struct {
	Name string
	Key
}

// String is the line of a key file: secret.
func (k NamedKey) String() string {
	return "PRIVATE+KEY+" + keyText(k.Name, kindLog, k.Public(), k.private.Seed())
}

// ReadKeyFile reads a key file. Errors: fs.ErrNotExist; a mode that lets others
// read it; a line that is no key.
func ReadKeyFile(path string) ([]NamedKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxKeyFile || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no key file: it would be a small regular file", path)
	}
	if othersMayRead(info.Mode()) {
		return nil, fmt.Errorf("the key file %s can be read by others (mode %#o): set it to 0600, and if others may have read it make a new key with \"onrecord keys signing --new\"", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeyFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	return keys, nil
}

func parseKeyFile(text string) ([]NamedKey, error) {
	var keys []NamedKey
	n := 0
	for line := range strings.Lines(text) {
		n++
		k, err := parsePrivate(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if slices.ContainsFunc(keys, func(o NamedKey) bool { return o.Fingerprint() == k.Fingerprint() }) {
			return nil, fmt.Errorf("line %d: the same key stands there twice", n)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it is empty")
	}
	return keys, nil
}

// parsePrivate reads one private key. Its errors never quote it.
func parsePrivate(line string) (NamedKey, error) {
	wrong := errors.New("no private key: PRIVATE+KEY+name+hash+base64")
	rest, ok := strings.CutPrefix(line, "PRIVATE+KEY+")
	parts := strings.SplitN(rest, "+", 3) // base64 holds pluses of its own
	if !ok || len(parts) != 3 || !ValidName(parts[0]) {
		return NamedKey{}, wrong
	}
	data, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(data) != 1+ed25519.SeedSize || data[0] != kindLog {
		return NamedKey{}, wrong
	}
	k := NamedKey{parts[0], Key{ed25519.NewKeyFromSeed(data[1:])}}
	if k.String() != line {
		return NamedKey{}, errors.New("its hash is not that of the name and the key: a letter was changed")
	}
	return k, nil
}

// MakeKeyFile makes a key file with one new key. However many processes do so
// at once, one makes it and the others read it: made tells which. The file is
// durable when it returns.
func MakeKeyFile(path, name string) (keys []NamedKey, made bool, err error) {
	if keys, err = ReadKeyFile(path); !errors.Is(err, fs.ErrNotExist) {
		return keys, false, err
	}
	k, err := NewKey()
	if err != nil {
		return nil, false, err
	}
	keys = []NamedKey{{name, k}}
	temp, err := writeTemp(path, keys)
	if err != nil {
		return nil, false, err
	}
	defer os.Remove(temp)
	// A link is refused if the name is taken, a rename would replace it.
	if err = os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		keys, err = ReadKeyFile(path)
		return keys, false, err
	}
	if err != nil {
		return nil, false, fmt.Errorf("making the key file: %w", err)
	}
	return keys, true, syncFolder(path)
}

// ReplaceKeyFile writes other keys into a key file, all or nothing.
func ReplaceKeyFile(path string, keys []NamedKey) error {
	if len(keys) == 0 {
		return errors.New("a key file holds at least one key")
	}
	temp, err := writeTemp(path, keys)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(fmt.Errorf("replacing the key file: %w", err), os.Remove(temp))
	}
	return syncFolder(path)
}

// writeTemp writes keys into a new file beside path, which nobody else may
// read.
func writeTemp(path string, keys []NamedKey) (temp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("making the key file: %w", err)
	}
	for _, k := range keys {
		if _, err = fmt.Fprintln(f, k); err != nil {
			break
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("making the key file: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncFolder makes the name of a file durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}
