// Package session holds the mechanisms of signing in: passwords, secret
// tokens, the session cookie, and the slowing down of those who guess. It
// stores nothing and knows no people.
package session

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"onrecord/audit"
)

// parameters are the OWASP Password Storage Cheat Sheet's for argon2id: 19 MiB
// of memory, two passes, one lane. They stand in every hash, so that raising
// them leaves the old hashes valid.
var parameters = &argon2id.Params{
	Memory:      19 * 1024, // KiB
	Iterations:  2,
	Parallelism: 1,
	SaltLength:  16, // bytes
	KeyLength:   32, // bytes
}

// nobody is a hash, by the parameters above, of 32 random bytes that were not
// kept: what the password of an unknown account is compared with.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$98YDffNkGA7e6Orw301GhQ$xGMWwQEmZRpymd0nyFiD3ccoFcX/bkSksZvtBOYackI"

// longestWait is how long a computation waits for its turn.
const longestWait = 5 * time.Second

// Passwords hashes and verifies passwords, a few at a time: each computation
// takes 19 MiB, and a flood of sign-ins must not take the machine's memory.
// Its methods may be called from several goroutines.
type Passwords struct {
	turns chan struct{} // holds one element for each computation under way
}

// NewPasswords gives a Passwords that computes as many hashes at once as there
// are processors for Go code. A process should have one.
func NewPasswords() *Passwords {
	return &Passwords{turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Hash gives the argon2id hash of a password in the usual text form
// ($argon2id$v=19$m=…,t=…,p=…$salt$key), under a new random salt. It does not
// judge the password: that is [CheckPassword]. Fails with [audit.CodeTooMany]
// if it had to wait for its turn too long, and with ctx's error.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.wait(ctx); err != nil {
		return "", err
	}
	defer p.done()
	hash, err := argon2id.CreateHash(normalize(password), parameters)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// Verify tells whether this is the password of the hash. An empty hash is that
// of an account which does not exist or has no password yet: it costs the same
// time and is never right, so that the answer's delay does not tell which
// accounts exist. Fails as [Passwords.Hash] does, and on a damaged hash.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (bool, error) {
	if err := p.wait(ctx); err != nil {
		return false, err
	}
	defer p.done()
	known := hash != ""
	if !known {
		hash = nobody
	}
	if utf8.RuneCountInString(password) > longestPassword {
		password, known = "", false // no account has such a password
	}
	match, err := argon2id.ComparePasswordAndHash(normalize(password), hash)
	if err != nil {
		return false, fmt.Errorf("comparing a password with its hash: %w", err)
	}
	return match && known, nil
}

func (p *Passwords) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	patience := time.NewTimer(longestWait)
	defer patience.Stop()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return &audit.Error{Code: audit.CodeTooMany, Message: "Too many people are signing in at this moment. Try again in a few seconds."}
	}
}

func (p *Passwords) done() { <-p.turns }

// normalize makes one text of the ways in which keyboards and systems spell
// it: Normalization Form C, as NIST SP 800-63B-4 section 3.1.1.2 asks.
func normalize(password string) string { return norm.NFC.String(password) }
