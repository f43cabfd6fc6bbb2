package portal

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal/store"
)

// SigningKey is the public half of a key that signs the checkpoints of all
// logs.
type SigningKey struct {
	ID          string // skey_…
	Public      ed25519.PublicKey
	Fingerprint string
	Added       time.Time
	Retired     time.Time // zero while it signs
	Here        bool      // this program has its private half
}

// WithSigningKeys names the file with the private keys that sign checkpoints.
// It is read again when it changes. Without it, or while it holds no key that
// the organization knows, events are sealed and not signed: see
// [Portal.Signing].
func WithSigningKeys(path string) Option {
	return func(p *Portal) { p.signing.path = path }
}

// signing is what this program signs with.
type signing struct {
	path string

	mu      sync.Mutex
	keys    []seal.NamedKey // of the file, that the organization knows and has not retired; guarded by mu
	problem error           // why there are none; guarded by mu
	looked  time.Time       // guarded by mu
}

// Problems with the signing keys.
var (
	ErrNoSigningKey = errors.New("there is no signing key")
	// ErrOtherSigningKey says that the file's keys are not those that sign this
	// organization's logs.
	ErrOtherSigningKey = errors.New("the signing key does not fit the database")
)

// signingLook is how often the file is looked at.
const signingLook = 2 * time.Second

// Signing tells why checkpoints are not signed by this program: nil if they
// are, ErrNoSigningKey, ErrOtherSigningKey, or what is wrong with the file.
//
// Permission: none is asked. Events: none.
func (p *Portal) Signing(ctx context.Context) error {
	p.signing.mu.Lock()
	defer p.signing.mu.Unlock()
	p.readSigningKeys(ctx, true)
	return p.signing.problem
}

// readSigningKeys brings the keys up to date, with the lock held.
func (p *Portal) readSigningKeys(ctx context.Context, now bool) {
	s := &p.signing
	if !now && time.Since(s.looked) < signingLook {
		return
	}
	s.looked = time.Now()
	s.keys, s.problem = nil, ErrNoSigningKey
	if s.path == "" {
		return
	}
	all, err := seal.ReadKeyFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.problem = err
		return
	}
	known, err := p.knownKeys(ctx)
	if err != nil {
		s.problem = err
		return
	}
	active := 0
	for _, k := range known {
		if !k.Retired.IsZero() {
			continue
		}
		active++
		for _, have := range all {
			if have.Fingerprint() == k.Fingerprint {
				s.keys = append(s.keys, have)
			}
		}
	}
	switch {
	case len(s.keys) > 0:
		s.problem = nil
	case active > 0:
		s.problem = ErrOtherSigningKey
	}
}

// signer has the log sign what it seals, if it was told where the keys are.
func (p *Portal) signer() []audit.Option {
	if p.signing.path == "" {
		return nil
	}
	return []audit.Option{audit.WithSigner(p.sign), audit.WithReady(p.maySign)}
}

func (p *Portal) maySign() bool {
	p.signing.mu.Lock()
	defer p.signing.mu.Unlock()
	p.readSigningKeys(context.Background(), false)
	return len(p.signing.keys) > 0
}

// sign is the [audit.Signer]. It signs nothing while there is no key.
func (p *Portal) sign(log string, size int64, root tlog.Hash) ([]byte, error) {
	org := p.known()
	if org == "" {
		return nil, nil
	}
	p.signing.mu.Lock()
	defer p.signing.mu.Unlock()
	p.readSigningKeys(context.Background(), false)
	if len(p.signing.keys) == 0 {
		return nil, nil
	}
	origin := seal.Origin(org, log)
	var signers []note.Signer
	for _, k := range p.signing.keys {
		signers = append(signers, k.Signer(origin))
	}
	return seal.Sign(seal.Checkpoint{Origin: origin, Size: size, Root: root}, signers...)
}

// SigningKeys lists the keys that sign, or have signed, the checkpoints of all
// logs, the oldest first. They are public.
//
// Permission: none is asked. Events: none.
func (p *Portal) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	known, err := p.knownKeys(ctx)
	if err != nil {
		return nil, err
	}
	p.signing.mu.Lock()
	defer p.signing.mu.Unlock()
	p.readSigningKeys(ctx, false)
	for i := range known {
		for _, k := range p.signing.keys {
			known[i].Here = known[i].Here || k.Fingerprint() == known[i].Fingerprint
		}
	}
	return known, nil
}

func (p *Portal) knownKeys(ctx context.Context) ([]SigningKey, error) {
	rows, err := store.SigningKeys(ctx, p.db, p.Organization())
	if err != nil {
		return nil, fmt.Errorf("listing the signing keys: %w", err)
	}
	var all []SigningKey
	for _, r := range rows {
		public, err := base64.StdEncoding.DecodeString(r.PublicKey)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("the signing key %s is no Ed25519 key", r.ID)
		}
		all = append(all, SigningKey{ID: r.ID, Public: public, Fingerprint: seal.Fingerprint(public), Added: r.Added, Retired: r.Retired})
	}
	return all, nil
}

// LogKeys are the keys that those who verify a log trust: all that have ever
// signed.
func (p *Portal) LogKeys(ctx context.Context) ([]seal.LogKey, error) {
	known, err := p.knownKeys(ctx)
	if err != nil {
		return nil, err
	}
	var all []seal.LogKey
	for _, k := range known {
		all = append(all, seal.LogKey{Name: seal.Installation(p.Organization()), Public: k.Public})
	}
	return all, nil
}

// AddSigningKey has a key sign the checkpoints of all logs from now on. Its
// private half has to be in the file of every program that serves. A key that
// signs already stays as it is.
//
// Permission: operators. Event: signing_key.added in the organization's log.
// Errors: Denied; Conflict before set-up, or for a key that was retired.
func (p *Portal) AddSigningKey(ctx context.Context, by Caller, public ed25519.PublicKey) error {
	in, err := p.signingIntent(by, SigningKeyAdded)
	if err != nil {
		return err
	}
	_, err = p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if by.Type != audit.ActorOperator {
			return audit.Denied("Only an operator may add a signing key, with onrecord keys signing.")
		}
		known, err := store.SigningKeys(ctx, tx, in.Log)
		if err != nil {
			return fmt.Errorf("listing the signing keys: %w", err)
		}
		row := store.SigningKey{ID: audit.NewID("skey", tx.Now()), PublicKey: base64.StdEncoding.EncodeToString(public), Added: tx.Now()}
		for _, k := range known {
			switch {
			case k.PublicKey != row.PublicKey:
			case k.Retired.IsZero():
				return audit.ErrNothing
			default:
				tx.SetObject(signingKeyRef(k.ID, public))
				return audit.Conflict("The signing key %s was retired on %s; make a new one with onrecord keys signing --new.", seal.Fingerprint(public), k.Retired.Format(minute))
			}
		}
		tx.SetObject(signingKeyRef(row.ID, public))
		return store.InsertSigningKey(ctx, tx, in.Log, row)
	})
	p.forgetSigning()
	return err
}

// RetireSigningKey ends a key: it signs no more, what it has signed stays
// valid.
//
// Permission: operators. Event: signing_key.retired in the organization's log.
// Errors: Denied; NotFound for a fingerprint that no key has; Gone for a key
// that was retired already; Conflict for the last one.
func (p *Portal) RetireSigningKey(ctx context.Context, by Caller, fingerprint string) error {
	in, err := p.signingIntent(by, SigningKeyRetired)
	if err != nil {
		return err
	}
	_, err = p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if by.Type != audit.ActorOperator {
			return audit.Denied("Only an operator may retire a signing key, with onrecord keys signing.")
		}
		known, err := store.SigningKeys(ctx, tx, in.Log)
		if err != nil {
			return fmt.Errorf("listing the signing keys: %w", err)
		}
		active, found := 0, store.SigningKey{}
		for _, k := range known {
			if k.Retired.IsZero() {
				active++
			}
			if public, err := base64.StdEncoding.DecodeString(k.PublicKey); err == nil && seal.Fingerprint(public) == fingerprint {
				found = k
				tx.SetObject(signingKeyRef(k.ID, public))
			}
		}
		switch {
		case found.ID == "":
			return audit.NotFound("No signing key has the fingerprint %s.", clip(fingerprint))
		case !found.Retired.IsZero():
			return &audit.Error{Code: audit.CodeGone, Message: "The signing key " + fingerprint + " was retired on " + found.Retired.Format(minute) + " already."}
		case active == 1:
			return audit.Conflict("The signing key %s is the only one. Make another one first, with onrecord keys signing --new.", fingerprint)
		}
		return store.SetSigningKeyRetired(ctx, tx, in.Log, found.ID, tx.Now())
	})
	p.forgetSigning()
	return err
}

func (p *Portal) signingIntent(by Caller, action string) (audit.Intent, error) {
	org := p.Organization()
	if org == "" {
		return audit.Intent{}, audit.Conflict("Nothing is set up yet: run onrecord setup first.")
	}
	return audit.Intent{Log: org, Actor: by.Actor, Context: by.Context, Action: action}, nil
}

func signingKeyRef(id string, public ed25519.PublicKey) audit.Ref {
	return audit.Ref{Type: "signing_key", ID: id, Name: seal.Fingerprint(public)}
}

// forgetSigning has the keys read again before the next signature.
func (p *Portal) forgetSigning() {
	p.signing.mu.Lock()
	defer p.signing.mu.Unlock()
	p.signing.looked = time.Time{}
}
