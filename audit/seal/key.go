package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The kinds of signatures of C2SP signed-note that are used.
const (
	kindLog     = 0x01 // Ed25519 over the text
	kindWitness = 0x04 // Ed25519 over the text and a time: tlog-cosignature
)

// Key is an Ed25519 key that signs. One key serves any number of logs: the
// name that a signature bears is the log's origin, and so is the first line of
// the text that is signed.
type Key struct{ private ed25519.PrivateKey }

// NewKey makes a key.
func NewKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return Key{private}, err
}

// Public is the key's public half.
func (k Key) Public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// Fingerprint tells keys apart whatever name they bear.
func (k Key) Fingerprint() string { return Fingerprint(k.Public()) }

// Fingerprint is the first 16 hexadecimal digits of the SHA-256 of a public
// key.
func Fingerprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// LogKey is the public half under a name.
func (k Key) LogKey(name string) LogKey { return LogKey{Name: name, Public: k.Public()} }

// Signer signs notes under a name: the origin of a log.
func (k Key) Signer(name string) note.Signer {
	return &signer{name, keyHash(name, kindLog, k.Public()), func(msg []byte) []byte { return ed25519.Sign(k.private, msg) }}
}

type signer struct {
	name string
	hash uint32
	sign func(msg []byte) []byte
}

func (s *signer) Name() string                    { return s.name }
func (s *signer) KeyHash() uint32                 { return s.hash }
func (s *signer) Sign(msg []byte) ([]byte, error) { return s.sign(msg), nil }

// keyHash is the key ID of C2SP signed-note: it depends on the name.
func keyHash(name string, kind byte, public ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{kind})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// keyText writes a key as signed notes have it: name, hash, kind and bytes.
func keyText(name string, kind byte, public, bytes []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, kind, public), base64.StdEncoding.EncodeToString(append([]byte{kind}, bytes...)))
}

// LogKey is a key that signs checkpoints, as those who verify know it. Its
// name is the origin of one log, or the beginning of the origins of many: a key
// named onrecord/org_1 also speaks for onrecord/org_1/team_2.
type LogKey struct {
	Name   string
	Public ed25519.PublicKey
}

// String is the verifier key of C2SP signed-note.
func (k LogKey) String() string { return keyText(k.Name, kindLog, k.Public, k.Public) }

// For gives the verifier of the signatures under an origin, and the verifier
// key that has that name. Error: the key does not speak for the origin.
func (k LogKey) For(origin string) (v note.Verifier, vkey string, err error) {
	if origin != k.Name && !strings.HasPrefix(origin, k.Name+"/") {
		return nil, "", fmt.Errorf("the key %s does not speak for the log %s", k.Name, origin)
	}
	vkey = keyText(origin, kindLog, k.Public, k.Public)
	v, err = note.NewVerifier(vkey)
	return v, vkey, err
}

// ParseLogKey reads a verifier key of kind 1.
func ParseLogKey(vkey string) (LogKey, error) {
	name, public, err := parseKey(vkey, kindLog)
	return LogKey{name, public}, err
}

// ParseLogKeys reads verifier keys, one a line; empty lines and those that
// begin with # are passed over.
func ParseLogKeys(text string) ([]LogKey, error) {
	var keys []LogKey
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := ParseLogKey(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no verifier key in it")
	}
	return keys, nil
}

// parseKey reads a verifier key of one kind.
func parseKey(vkey string, kind byte) (name string, public ed25519.PublicKey, err error) {
	refuse := func(why string) (string, ed25519.PublicKey, error) {
		return "", nil, fmt.Errorf("%q is no verifier key (name+hash+base64): %s", clip(vkey), why)
	}
	name, rest, _ := strings.Cut(vkey, "+")
	hash, text, ok := strings.Cut(rest, "+")
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case strings.HasPrefix(vkey, "PRIVATE+KEY+"):
		// Say no more of it than that: this text may land in a log.
		return "", nil, errors.New("this is a private key: verifying needs the public one, which \"onrecord keys signing\" prints; keep the private one secret")
	case !ok || !ValidName(name):
		return refuse("it has not three parts joined by +")
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return refuse("the third part is not base64")
	case len(data) != 1+ed25519.PublicKeySize:
		return refuse(fmt.Sprintf("the third part has %d bytes, an Ed25519 key has %d", len(data), 1+ed25519.PublicKeySize))
	case data[0] != kind:
		return refuse(fmt.Sprintf("its kind is %d; %s", data[0], kinds[kind]))
	}
	public = data[1:]
	if n, err := strconv.ParseUint(hash, 16, 32); err != nil || len(hash) != 8 || uint32(n) != keyHash(name, kind, public) {
		return refuse("the second part is not the hash of the name and the key: a letter was changed")
	}
	return name, public, nil
}

var kinds = map[byte]string{
	kindLog:     "the keys of a log are of kind 1 (Ed25519)",
	kindWitness: "the keys of a witness are of kind 4 (timestamped Ed25519)",
}
