package portal_test

import (
	"encoding/base64"
	"errors"
	"os"
	"testing"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestSigningKeys(t *testing.T) {
	f := portaltest.New(t)
	if err := f.Signing(ctx); !errors.Is(err, portal.ErrNoSigningKey) {
		t.Errorf("without a key: %v", err)
	}
	keys, _, err := seal.MakeKeyFile(f.Keys, seal.FileName)
	check(t, err)
	if err := f.Signing(ctx); !errors.Is(err, portal.ErrNoSigningKey) {
		t.Errorf("a key that is in the file alone: %v", err)
	}
	check(t, f.AddSigningKey(ctx, f.Operator, keys[0].Public()))
	f.Expect(t, `org signing_key.added ok "`+keys[0].Fingerprint()+`": added_at →*, public_key →`+base64.StdEncoding.EncodeToString(keys[0].Public()))
	check(t, f.AddSigningKey(ctx, f.Operator, keys[0].Public())) // again: nothing happens
	f.Expect(t)
	check(t, f.Signing(ctx))

	check(t, f.Log().Seal(ctx))
	state, err := f.Log().SealState(ctx, f.Alpha)
	check(t, err)
	if state.Sealed != state.Events || state.Sealed == 0 {
		t.Fatalf("%d of %d events are under a checkpoint", state.Sealed, state.Events)
	}
	trusted, err := f.LogKeys(ctx)
	check(t, err)
	signed, err := seal.Open(state.Checkpoint, trusted, nil)
	if err != nil || signed.Origin != seal.Origin(f.Org, f.Alpha) || signed.Size != state.Sealed {
		t.Errorf("%v, %+v", err, signed)
	}

	// The exchange: both sign, then one.
	next, err := seal.NewKey()
	check(t, err)
	check(t, seal.ReplaceKeyFile(f.Keys, append(keys, seal.NamedKey{Name: seal.FileName, Key: next})))
	check(t, f.AddSigningKey(ctx, f.Operator, next.Public()))
	signers := func() int {
		t.Helper()
		f.AddDevice(t, f.Dana, f.Alpha, "desk-"+audit.NewID("x", f.Clock.Now()))
		check(t, f.Log().Seal(ctx))
		state, err := f.Log().SealState(ctx, f.Alpha)
		check(t, err)
		trusted, err := f.LogKeys(ctx)
		check(t, err)
		signed, err := seal.Open(state.Checkpoint, trusted, nil)
		check(t, err)
		return len(signed.Keys)
	}
	if n := signers(); n != 2 {
		t.Errorf("%d keys sign, want both", n)
	}
	check(t, f.RetireSigningKey(ctx, f.Operator, keys[0].Fingerprint()))
	if n := signers(); n != 1 {
		t.Errorf("%d keys sign, want the new one alone", n)
	}
	for what, c := range map[string]struct {
		err  error
		code audit.Code
	}{
		"the last one":       {f.RetireSigningKey(ctx, f.Operator, seal.Fingerprint(next.Public())), audit.CodeConflict},
		"retired again":      {f.RetireSigningKey(ctx, f.Operator, keys[0].Fingerprint()), audit.CodeGone},
		"nobody's":           {f.RetireSigningKey(ctx, f.Operator, "0"), audit.CodeNotFound},
		"a retired one back": {f.AddSigningKey(ctx, f.Operator, keys[0].Public()), audit.CodeConflict},
		"added by an Admin":  {f.AddSigningKey(ctx, f.Dana, keys[0].Public()), audit.CodeDenied},
		"retired by one":     {f.RetireSigningKey(ctx, f.Dana, keys[0].Fingerprint()), audit.CodeDenied},
	} {
		if audit.CodeOf(c.err) != c.code {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	f.Passed()

	// Another database's key is none of ours.
	check(t, os.Remove(f.Keys))
	_, _, err = seal.MakeKeyFile(f.Keys, seal.FileName)
	check(t, err)
	if err := f.Signing(ctx); !errors.Is(err, portal.ErrOtherSigningKey) {
		t.Errorf("another key: %v", err)
	}
}
