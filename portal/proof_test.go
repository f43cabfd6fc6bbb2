package portal_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal/portaltest"
)

func opened(t *testing.T, f *portaltest.Fixture, msg []byte) seal.Checkpoint {
	t.Helper()
	signed, err := seal.Open(msg, must(f.LogKeys(ctx)), nil)
	check(t, err)
	return signed.Checkpoint
}

func TestLogProof(t *testing.T) {
	f := portaltest.New(t)
	d := f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	check(t, f.Log().Seal(ctx))
	_, proof, err := f.LogProof(ctx, f.Audrey, f.Alpha, d.Version)
	if err != nil || proof != nil {
		t.Errorf("without a key the proof is %+v, %v", proof, err)
	}
	_, err = f.LogCheckpoint(ctx, f.Audrey, f.Alpha, -1)
	refused(t, err, audit.CodeNotFound)
	f.Sign(t)
	f.Clock.Advance(time.Hour) // another reading
	check(t, f.Log().Seal(ctx))
	e, proof, err := f.LogProof(ctx, f.Audrey, f.Alpha, d.Version)
	if err != nil || e.ID != d.Version || *e.Leaf != proof.Raw.Leaf {
		t.Fatalf("%+v, %+v, %v", e, proof, err)
	}
	f.Expect(t, `alpha audit_log.viewed ok: event=evt_*`)
	head := opened(t, f, proof.Checkpoint)
	if head.Size != proof.Size || head.Origin != seal.Origin(f.Org, f.Alpha) {
		t.Errorf("the checkpoint is %+v", head)
	}
	if err := tlog.CheckRecord(proof.Hashes, head.Size, head.Root, proof.Raw.Leaf, tlog.RecordHash(proof.Raw.Body)); err != nil {
		t.Error(err)
	}
	other := sha256.Sum256(proof.Raw.Body)
	if tlog.CheckRecord(proof.Hashes, head.Size, head.Root, proof.Raw.Leaf, other) == nil {
		t.Error("the proof fits another event too")
	}
	_, _, err = f.LogProof(ctx, f.Bea, f.Beta, d.Version)
	refused(t, err, audit.CodeNotFound)
}

func TestCheckpointsExtendEachOther(t *testing.T) {
	f := portaltest.New(t)
	f.Sign(t)
	check(t, f.Log().Seal(ctx))
	earlier := opened(t, f, must(f.LogCheckpoint(ctx, f.Dana, f.Alpha, -1)))
	for _, hostname := range []string{"desk-1", "desk-2", "desk-3"} {
		f.AddDevice(t, f.Dana, f.Alpha, hostname)
	}
	check(t, f.Log().Seal(ctx))
	later := opened(t, f, must(f.LogCheckpoint(ctx, f.Dana, f.Alpha, -1)))
	f.Passed()
	proof := must(f.LogConsistency(ctx, f.Audrey, f.Alpha, earlier.Size, later.Size))
	check(t, seal.CheckConsistency(proof, earlier, later))
	if later.Root[0]++; seal.CheckConsistency(proof, earlier, later) == nil {
		t.Error("the proof fits another root too")
	}
	if again := opened(t, f, must(f.LogCheckpoint(ctx, f.Dana, f.Alpha, earlier.Size))); again != earlier {
		t.Errorf("the checkpoint of %d leaves is %+v, not %+v", earlier.Size, again, earlier)
	}
	f.Expect(t)
	_, err := f.LogCheckpoint(ctx, f.Dana, f.Alpha, 1<<40)
	refused(t, err, audit.CodeNotFound)
	for _, bad := range []struct {
		from, to int64
		field    string
	}{{-1, 3, "from"}, {4, 3, "from"}, {0, 1 << 40, "to"}} {
		_, err := f.LogConsistency(ctx, f.Dana, f.Alpha, bad.from, bad.to)
		refused(t, err, audit.CodeInvalid, bad.field)
	}
}
