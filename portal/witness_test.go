package portal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// witnessOf serves a witness of the fixture's logs.
func witnessOf(t *testing.T, f *portaltest.Fixture, signs seal.NamedKey) *seal.WitnessClient {
	t.Helper()
	key, err := seal.NewKey()
	check(t, err)
	w, err := seal.NewWitnessServer(t.TempDir(), seal.NamedKey{Name: "witness.example/w1", Key: key},
		[]seal.LogKey{signs.LogKey(seal.Installation(f.Org))}, time.Now)
	check(t, err)
	srv := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	t.Cleanup(srv.Close)
	return &seal.WitnessClient{URL: srv.URL, Witness: w.Witness()}
}

// gathering opens a second portal on the fixture's database, which asks the
// witness, until done says that it has seen enough.
func gathering(t *testing.T, f *portaltest.Fixture, w *seal.WitnessClient, done func() bool) {
	t.Helper()
	p, err := portal.Open(ctx, f.DB, portal.WithClock(f.Clock.Now), portal.WithWitnesses(w), portal.WithLogger(slog.New(slog.DiscardHandler)))
	check(t, err)
	defer p.Close()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); p.GatherCosignatures(ctx) }()
	defer func() { stop(); <-ended }()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the witness is not heard of")
		}
	}
}

func TestWitnessCosigns(t *testing.T) {
	f := portaltest.New(t)
	w := witnessOf(t, f, f.Sign(t))
	check(t, f.Log().Seal(ctx))
	state, err := f.Log().SealState(ctx, f.Alpha)
	check(t, err)
	gathering(t, f, w, func() bool {
		last, err := f.Log().LastCosigned(ctx, f.Alpha, w.Witness.String())
		return err == nil && last.Size == state.Sealed
	})
	f.Expect(t) // being witnessed is no event

	x, err := f.ExportLog(ctx, f.Dana, f.Alpha, audit.Filter{}, portal.ExportOptions{Format: "verified"})
	check(t, err)
	path := filepath.Join(t.TempDir(), "export")
	out, err := os.Create(path)
	check(t, err)
	_, err = x.Send(ctx, out, 0, nil)
	check(t, errors.Join(err, out.Close()))
	keys, err := f.LogKeys(ctx)
	check(t, err)
	file, err := os.Open(path)
	check(t, err)
	defer file.Close()
	r, err := seal.Verify(file, seal.Options{Keys: keys, Witnesses: []seal.Witness{w.Witness}})
	if err != nil || !r.OK() || len(r.Checkpoint.Cosignatures) != 1 || r.Events != state.Sealed {
		t.Errorf("%v, %v, %d events", err, r.Faults, r.Events)
	}
}

// TestWitnessFindsRollback: the operator puts yesterday's backup back, with the
// real key. The witness has seen more.
func TestWitnessFindsRollback(t *testing.T) {
	f := portaltest.OnSQLite(t)
	key := f.Sign(t)
	w := witnessOf(t, f, key)
	check(t, f.Log().Seal(ctx))
	backup := filepath.Join(t.TempDir(), "yesterday.db")
	check(t, f.DB.CopyTo(ctx, backup))

	f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	f.AddDevice(t, f.Dana, f.Alpha, "desk-2")
	check(t, f.Log().Seal(ctx))
	state, err := f.Log().SealState(ctx, f.Alpha)
	check(t, err)
	gathering(t, f, w, func() bool {
		last, err := f.Log().LastCosigned(ctx, f.Alpha, w.Witness.String())
		return err == nil && last.Size == state.Sealed
	})

	old, back := reopened(t, f, backup)
	gathering(t, &portaltest.Fixture{Portal: old, DB: back, Clock: f.Clock}, w, func() bool {
		faults, err := old.KnownFaults(ctx, f.Dana, f.Alpha)
		check(t, err)
		return len(faults) == 1 && strings.Contains(faults[0], "the witness witness.example/w1 found: it has cosigned") && strings.Contains(faults[0], "set back to an older state")
	})
	expectFaultEvent(t, old, f.Alpha)

	// Whoever goes on from there, past what the witness saw, has another history.
	for _, name := range []string{"desk-3", "desk-4", "desk-5", "desk-6", "desk-7"} {
		_, err := old.AddDevice(ctx, f.Dana, f.Alpha, name, "")
		check(t, err)
	}
	check(t, old.Log().Seal(ctx))
	gathering(t, &portaltest.Fixture{Portal: old, DB: back, Clock: f.Clock}, w, func() bool {
		faults, err := old.KnownFaults(ctx, f.Dana, f.Alpha)
		check(t, err)
		return len(faults) == 1 && strings.Contains(faults[0], "it has seen another history of the log")
	})
}

// reopened opens a copy of the fixture's database with the fixture's key.
func reopened(t *testing.T, f *portaltest.Fixture, path string) (*portal.Portal, *database.DB) {
	t.Helper()
	db, err := database.Open(ctx, "sqlite:"+path)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	p, err := portal.Open(ctx, db, portal.WithClock(f.Clock.Now), portal.WithSigningKeys(f.Keys), portal.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	check(t, err)
	t.Cleanup(func() { p.Close() })
	return p, db
}

// expectFaultEvent wants one event that tells of a fault.
func expectFaultEvent(t *testing.T, p *portal.Portal, log string) {
	t.Helper()
	found, err := p.Log().Search(ctx, log, audit.Filter{Action: audit.Values{Any: []string{portal.AuditLogFaultFound}}}, audit.Page{Limit: 10})
	check(t, err)
	if len(found.Events) != 1 || found.Events[0].Data["first"] == "" {
		t.Errorf("%d events tell of a fault: %+v", len(found.Events), found.Events)
	}
}
