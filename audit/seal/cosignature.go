package seal

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Witness is an independent process as those who trust it know it.
type Witness struct {
	Name   string
	Public ed25519.PublicKey
}

// ParseWitness reads a verifier key of kind 4 (C2SP tlog-cosignature).
func ParseWitness(vkey string) (Witness, error) {
	name, public, err := parseKey(vkey, kindWitness)
	return Witness{name, public}, err
}

// String is the witness's verifier key.
func (w Witness) String() string { return keyText(w.Name, kindWitness, w.Public, w.Public) }

func (w Witness) hash() uint32 { return keyHash(w.Name, kindWitness, w.Public) }

func (w Witness) verifier() note.Verifier { return witnessVerifier{w} }

// Cosignature is a witness's statement that it has seen a log grow up to a
// checkpoint without a rewrite.
type Cosignature struct {
	Witness Witness
	Time    time.Time // by the witness's clock, to the second
}

// Witness is the public half of a key that cosigns.
func (k Key) Witness(name string) Witness { return Witness{name, k.Public()} }

// Cosigner signs checkpoints as a witness at a time.
func (k Key) Cosigner(name string, at time.Time) note.Signer {
	return &signer{name, keyHash(name, kindWitness, k.Public()), func(msg []byte) []byte {
		seconds := uint64(max(at.Unix(), 0))
		return append(binary.BigEndian.AppendUint64(nil, seconds), ed25519.Sign(k.private, cosigned(seconds, msg))...)
	}}
}

// cosigned is what a witness signs: C2SP tlog-cosignature, "Ed25519 signed
// message".
func cosigned(seconds uint64, msg []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", seconds, msg)
}

type witnessVerifier struct{ w Witness }

func (v witnessVerifier) Name() string    { return v.w.Name }
func (v witnessVerifier) KeyHash() uint32 { return v.w.hash() }

func (v witnessVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	return seconds <= math.MaxInt64 && ed25519.Verify(v.w.Public, cosigned(seconds, msg), sig[8:])
}

// cosignedAt is the time in a cosignature that was verified.
func cosignedAt(text string) time.Time {
	sig, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sig) < 4+8 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(sig[4:])), 0).UTC()
}

// Cosign gives the line that a witness adds to a signed checkpoint.
func Cosign(msg []byte, k Key, name string, at time.Time) (line string, err error) {
	text, err := noteText(msg)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: text}, k.Cosigner(name, at))
	if err != nil {
		return "", err
	}
	return string(signed[len(text)+1:]), nil
}

// AddCosignature checks a line that a witness answered, and gives the note with
// it. Lines of others are dropped.
func AddCosignature(msg []byte, w Witness, lines string) (with []byte, c Cosignature, line string, err error) {
	text, err := noteText(msg)
	if err != nil {
		return nil, c, "", err
	}
	n, err := note.Open([]byte(text+"\n"+lines), verifiers{{w.Name, w.hash()}: w.verifier()})
	if err != nil {
		return nil, c, "", fmt.Errorf("the answer of the witness %s holds no signature of its key over this checkpoint: %w", w.Name, err)
	}
	for _, sig := range n.Sigs {
		c = Cosignature{w, cosignedAt(sig.Base64)}
		line = "— " + sig.Name + " " + sig.Base64 + "\n"
	}
	if strings.Contains(string(msg), line) {
		return msg, c, line, nil
	}
	if len(msg)+len(line) > MaxNote {
		return nil, c, "", errors.New("the checkpoint has too many signatures")
	}
	return append(msg[:len(msg):len(msg)], line...), c, line, nil
}
