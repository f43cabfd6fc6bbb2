package seal

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxNote is the length in bytes that a signed checkpoint may have: enough for
// a hundred signatures.
const MaxNote = 64 << 10

// Checkpoint is the head of a log: what a signed note of C2SP tlog-checkpoint
// says.
type Checkpoint struct {
	Origin string // names the log; no spaces, no plus
	Size   int64  // leaves
	Root   tlog.Hash
	// Extension holds further lines, each with its end. Ours have none; a
	// witness signs whatever another log put there.
	Extension string
}

// Origin names the log of an organization. It is also the name of the key that
// signs the log's checkpoints.
func Origin(organization, log string) string {
	return Installation(organization) + "/" + log
}

// Installation is the name under which a key speaks for every log of an
// organization: see [LogKey].
func Installation(organization string) string { return "onrecord/" + organization }

// LogOf gives the log that an origin of [Origin] names.
func LogOf(origin string) (log string, ok bool) {
	parts := strings.Split(origin, "/")
	if len(parts) != 3 || parts[0] != "onrecord" || parts[1] == "" || parts[2] == "" {
		return "", false
	}
	return parts[2], true
}

// Text is what is signed: origin, size and root, each on a line.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n" + c.Extension
}

// ParseCheckpoint reads the text of a note. It is strict: what it accepts is
// what [Checkpoint.Text] writes.
func ParseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return c, errors.New("a checkpoint has at least three lines, each with its end: origin, size, root")
	}
	c.Origin, c.Extension = lines[0], lines[3]
	if !ValidName(c.Origin) {
		return c, fmt.Errorf("the origin %q is no name: it must not be empty and holds neither spaces nor plus", clip(c.Origin))
	}
	var err error
	if c.Size, err = parseSize(lines[1]); err != nil {
		return c, err
	}
	if c.Root, err = parseHash(lines[2]); err != nil {
		return c, fmt.Errorf("the root %w", err)
	}
	if c.Extension != "" && (!strings.HasSuffix(c.Extension, "\n") || strings.HasPrefix(c.Extension, "\n") || strings.Contains(c.Extension, "\n\n")) {
		return c, errors.New("the lines after the root must not be empty, and the last one must have its end")
	}
	return c, nil
}

// parseSize reads a number of leaves: decimal digits without leading zeros.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%q is no size of a tree: decimal digits without leading zeros", clip(s))
	}
	return n, nil
}

// parseHash reads a hash in base64, in the one way that writes it.
func parseHash(s string) (tlog.Hash, error) {
	var b [sha256.Size + 1]byte // 44 digits that end in no padding are 33 bytes
	if len(s) == base64.StdEncoding.EncodedLen(sha256.Size) && !strings.ContainsAny(s, "\r\n") {
		if n, err := base64.StdEncoding.Strict().Decode(b[:], []byte(s)); err == nil && n == sha256.Size {
			return tlog.Hash(b[:n]), nil
		}
	}
	return tlog.Hash{}, fmt.Errorf("%q is no SHA-256 in base64", clip(s))
}

// ValidName tells whether a key may have this name (C2SP signed-note).
func ValidName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		strings.IndexFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) < 0
}

func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Sign gives the signed note of a checkpoint. Each signer must bear the name
// of the origin.
func Sign(c Checkpoint, signers ...note.Signer) ([]byte, error) {
	if _, err := ParseCheckpoint(c.Text()); err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	if len(signers) == 0 {
		return nil, errors.New("signing a checkpoint: there is no key")
	}
	for _, s := range signers {
		if s.Name() != c.Origin {
			return nil, fmt.Errorf("signing a checkpoint of %s: the key bears the name %s", c.Origin, s.Name())
		}
	}
	return note.Sign(&note.Note{Text: c.Text()}, signers...)
}

// ErrUntrusted says that none of the keys that are trusted signed a checkpoint.
var ErrUntrusted = errors.New("none of the keys that you trust signed it")

// Signed is a checkpoint whose signatures were checked.
type Signed struct {
	Checkpoint
	Keys         []string // the verifier keys of the log that signed it
	Cosignatures []Cosignature
}

// Open reads a signed checkpoint, checks the signatures of the keys and
// witnesses that are known, and ignores all others. Error: ErrUntrusted if
// none of the log's keys signed; anything else says what is wrong.
func Open(msg []byte, keys []LogKey, witnesses []Witness) (Signed, error) {
	var s Signed
	if len(msg) > MaxNote {
		return s, fmt.Errorf("a checkpoint has at most %d bytes, this has %d", MaxNote, len(msg))
	}
	text, err := noteText(msg)
	if err != nil {
		return s, err
	}
	if s.Checkpoint, err = ParseCheckpoint(text); err != nil {
		return s, err
	}
	known := verifiers{}
	trusted := map[nameHash]string{}
	for _, k := range keys {
		v, vkey, err := k.For(s.Origin)
		if err != nil {
			continue // a key of another log
		}
		known.add(v)
		trusted[nameHash{v.Name(), v.KeyHash()}] = vkey
	}
	for _, w := range witnesses {
		known.add(w.verifier())
	}
	n, err := note.Open(msg, known)
	if _, unsigned := errors.AsType[*note.UnverifiedNoteError](err); unsigned {
		return s, ErrUntrusted
	}
	if wrong, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return s, fmt.Errorf("the signature of the key %s+%08x is not one of this text: the checkpoint was changed, or the signature was", wrong.Name, wrong.Hash)
	}
	if err != nil {
		return s, err
	}
	for _, sig := range n.Sigs {
		if vkey := trusted[nameHash{sig.Name, sig.Hash}]; vkey != "" {
			s.Keys = append(s.Keys, vkey)
		}
	}
	for _, w := range witnesses {
		for _, sig := range n.Sigs {
			if sig.Name == w.Name && sig.Hash == w.hash() {
				s.Cosignatures = append(s.Cosignatures, Cosignature{Witness: w, Time: cosignedAt(sig.Base64)})
			}
		}
	}
	if len(s.Keys) == 0 {
		return s, ErrUntrusted
	}
	return s, nil
}

// Unsigned reads a signed checkpoint without asking who signed it.
func Unsigned(msg []byte) (Checkpoint, error) {
	text, err := noteText(msg)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(text)
}

// noteText is the text of a signed note, unchecked.
func noteText(msg []byte) (string, error) {
	at := strings.LastIndex(string(msg), "\n\n")
	if at < 0 {
		return "", errors.New("it is no signed note: a text, an empty line, and lines of signatures")
	}
	return string(msg[:at+1]), nil
}

type nameHash struct {
	name string
	hash uint32
}

// verifiers finds keys by name and hash.
type verifiers map[nameHash]note.Verifier

func (m verifiers) add(v note.Verifier) { m[nameHash{v.Name(), v.KeyHash()}] = v }

// Verifier is what [note.Open] asks.
func (m verifiers) Verifier(name string, hash uint32) (note.Verifier, error) {
	if v, ok := m[nameHash{name, hash}]; ok {
		return v, nil
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}
