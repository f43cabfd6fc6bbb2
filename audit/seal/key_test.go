package seal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit/seal"
)

// TestKnownKeys reads keys that other programs made.
func TestKnownKeys(t *testing.T) {
	const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
	k, err := seal.ParseLogKey(vkey)
	if err != nil || k.String() != vkey {
		t.Fatalf("%v, %s", err, k)
	}
	for _, c := range []struct{ name, vkey, want string }{
		{"a letter of the hash", strings.Replace(vkey, "c74f", "c74e", 1), "not the hash"},
		{"a letter of the name", strings.Replace(vkey, "Peter", "Petra", 1), "not the hash"},
		{"a space in the name", strings.Replace(vkey, "Peter", "Peter ", 1), "three parts"},
		{"no key", "PeterNeumann+c74f20a3", "three parts"},
		{"half a key", vkey[:len(vkey)-8], "has 27 bytes"},
		{"of a witness", strings.Replace(vkey, "+AR", "+BB", 1), "its kind is 4; the keys of a log are of kind 1"},
		{"private", "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", "this is a private key"},
		{"nothing", "", "no verifier key"},
	} {
		if _, err := seal.ParseLogKey(c.vkey); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := seal.ParseLogKey("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"); strings.Contains(err.Error(), "AYEK") {
		t.Errorf("the error shows the private key: %v", err)
	}
}

// TestNamesOfKeys: a key of the installation speaks for its logs and no others.
func TestNamesOfKeys(t *testing.T) {
	s := newSample(t, team, 3)
	for name, want := range map[string]bool{
		"onrecord/org_01": true, "onrecord/org_01/team_01": true,
		"onrecord/org_01/team_0": false, "onrecord/org_01/team_02": false, "onrecord/org_0": false, "onrecord/org_02": false,
	} {
		signed, err := seal.Open(s.checkpoint(t, 3), []seal.LogKey{s.key.LogKey(name)}, nil)
		if want && (err != nil || len(signed.Keys) != 1 || signed.Keys[0] != s.key.LogKey(s.origin()).String()) {
			t.Errorf("%s: %v, %v", name, err, signed.Keys)
		}
		if !want && !errors.Is(err, seal.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoKeysSign(t *testing.T) {
	s := newSample(t, team, 3)
	next, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c := seal.Checkpoint{Origin: s.origin(), Size: 3}
	c.Root, _ = tlog.TreeHash(3, s)
	msg, err := seal.Sign(c, s.key.Signer(s.origin()), next.Signer(s.origin()))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []seal.Key{s.key, next} {
		if signed, err := seal.Open(msg, []seal.LogKey{k.LogKey("onrecord/org_01")}, nil); err != nil || signed.Checkpoint != c {
			t.Errorf("%v, %+v", err, signed)
		}
	}
	both, err := seal.Open(msg, []seal.LogKey{s.key.LogKey("onrecord/org_01"), next.LogKey("onrecord/org_01")}, nil)
	if err != nil || len(both.Keys) != 2 {
		t.Errorf("%v, %v", err, both.Keys)
	}
	if _, err := seal.Sign(c, s.key.Signer("onrecord/org_01/team_02")); err == nil {
		t.Error("a key of another name signed")
	}
}

// TestSignedAsOthersRead: Go's own reader of signed notes accepts ours.
func TestSignedAsOthersRead(t *testing.T) {
	s := newSample(t, team, 3)
	v, err := note.NewVerifier(s.key.LogKey(s.origin()).String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(s.checkpoint(t, 3), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	c, err := seal.ParseCheckpoint(n.Text)
	if err != nil || c.Size != 3 || c.Origin != s.origin() {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestParseCheckpoint(t *testing.T) {
	const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"plain", "example.com/behind-the-sofa\n20852163\n" + root + "\n", true},
		{"with a further line", "example.com/behind-the-sofa\n20852163\n" + root + "\nmore\n", true},
		{"empty tree", "o\n0\n" + root + "\n", true},
		{"no end", "o\n1\n" + root, false},
		{"no root", "o\n1\n", false},
		{"no origin", "\n1\n" + root + "\n", false},
		{"leading zero", "o\n01\n" + root + "\n", false},
		{"plus", "o\n+1\n" + root + "\n", false},
		{"negative", "o\n-1\n" + root + "\n", false},
		{"too large", "o\n9223372036854775808\n" + root + "\n", false},
		{"space in the origin", "o o\n1\n" + root + "\n", false},
		{"root without padding", "o\n1\n" + root[:43] + "\n", false},
		{"root with other last bits", "o\n1\n" + root[:42] + "J=\n", false},
		{"carriage return", "o\n1\r\n" + root + "\n", false},
		{"empty further line", "o\n1\n" + root + "\n\n", false},
		{"further line without end", "o\n1\n" + root + "\nx", false},
	} {
		got, err := seal.ParseCheckpoint(c.text)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && got.Text() != c.text {
			t.Errorf("%s: writes %q", c.name, got.Text())
		}
	}
}

func TestCosignature(t *testing.T) {
	s := newSample(t, team, 3)
	k, _ := seal.NewKey()
	w := k.Witness("witness.example/w1")
	if again, err := seal.ParseWitness(w.String()); err != nil || again.String() != w.String() {
		t.Errorf("%v, %s", err, again)
	}
	if _, err := seal.ParseWitness(k.LogKey("witness.example/w1").String()); err == nil {
		t.Error("a log's key passes for a witness's")
	}
	at := time.Unix(1679315147, 0).UTC()
	msg := s.checkpoint(t, 3)
	line, err := seal.Cosign(msg, k, w.Name, at)
	if err != nil {
		t.Fatal(err)
	}
	with, c, one, err := seal.AddCosignature(msg, w, "— other.example AAAAAAAA\n"+line)
	if err != nil || !c.Time.Equal(at) || one != line || string(with) != string(msg)+line {
		t.Errorf("%v, %+v, %q", err, c, with)
	}
	if again, _, _, err := seal.AddCosignature(with, w, line); err != nil || string(again) != string(with) {
		t.Errorf("added twice: %v, %q", err, again)
	}
	if _, _, _, err := seal.AddCosignature(s.checkpoint(t, 2), w, line); err == nil {
		t.Error("a cosignature of another checkpoint passes")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "onrecord.key")
	if _, err := seal.ReadKeyFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no file: %v", err)
	}
	keys, made, err := seal.MakeKeyFile(path, seal.FileName)
	if err != nil || !made || len(keys) != 1 {
		t.Fatalf("%v, %v, %d keys", err, made, len(keys))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", err, info.Mode())
	}
	if again, made, err := seal.MakeKeyFile(path, seal.FileName); err != nil || made || again[0].Fingerprint() != keys[0].Fingerprint() {
		t.Errorf("the second time: %v, made %v", err, made)
	}
	next, _ := seal.NewKey()
	if err := seal.ReplaceKeyFile(path, append(keys, seal.NamedKey{Name: seal.FileName, Key: next})); err != nil {
		t.Fatal(err)
	}
	both, err := seal.ReadKeyFile(path)
	if err != nil || len(both) != 2 || both[1].Fingerprint() != next.Fingerprint() {
		t.Errorf("%v, %v", err, both)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if signer, err := note.NewSigner(both[0].String()); err != nil || signer.Name() != seal.FileName {
		t.Errorf("another program cannot read the key: %v", err)
	}
}

func TestKeyFileRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "onrecord.key")
	keys, _, err := seal.MakeKeyFile(path, seal.FileName)
	if err != nil {
		t.Fatal(err)
	}
	line := keys[0].String()
	for name, c := range map[string]struct {
		text string
		mode fs.FileMode
		want string
	}{
		"empty":             {"", 0o600, "it is empty"},
		"a public key":      {keys[0].LogKey("onrecord").String() + "\n", 0o600, "line 1: no private key"},
		"a letter changed":  {strings.Replace(line, "onrecord", "onrecard", 1) + "\n", 0o600, "a letter was changed"},
		"the same twice":    {line + "\n" + line + "\n", 0o600, "line 2: the same key stands there twice"},
		"readable by all":   {line + "\n", 0o644, "can be read by others"},
		"far too long":      {strings.Repeat(line+"\n", 1000), 0o600, "no key file"},
		"an empty line":     {line + "\n\n", 0o600, "line 2: no private key"},
		"another algorithm": {"PRIVATE+KEY+onrecord+00000000+AgAA\n", 0o600, "line 1: no private key"},
	} {
		if err := errors.Join(os.WriteFile(path, []byte(c.text), c.mode), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.ReadKeyFile(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), line[len(line)-20:]) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

// TestManyFirstStarts: however many make the key at once, there is one.
func TestManyFirstStarts(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "onrecord.key")
		var all sync.WaitGroup
		found := make([]string, 16)
		makers := make([]bool, 16)
		for i := range found {
			all.Go(func() {
				keys, made, err := seal.MakeKeyFile(path, seal.FileName)
				if err != nil || len(keys) != 1 {
					t.Errorf("%v, %d keys", err, len(keys))
					return
				}
				found[i], makers[i] = keys[0].Fingerprint(), made
			})
		}
		all.Wait()
		made := 0
		for i := range found {
			if found[i] != found[0] {
				t.Fatal("two keys were made")
			}
			if makers[i] {
				made++
			}
		}
		if made != 1 {
			t.Fatalf("%d say that they made it", made)
		}
	}
}
