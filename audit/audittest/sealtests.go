package audittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/database"
)

func (s *Shop) sealState(log string) audit.SealState {
	s.T.Helper()
	state, err := s.Log.SealState(s.T.Context(), log)
	if err != nil {
		s.T.Fatal(err)
	}
	return state
}

// sealing changes nothing of what is found; it numbers, and proves.
func sealing(t *testing.T, s *Shop) {
	s.stopSealing()
	if got := s.sealState("shop_1"); got.Events != 0 || got.Leaves != 0 || got.Sealed != 0 || got.Checkpoint != nil || !got.Oldest.IsZero() {
		t.Errorf("of an empty log: %+v", got)
	}
	created := s.Create("o1", "open")
	other := Intent("order.viewed", "o1")
	other.Log = "shop_2"
	s.Note(other)
	paid := s.SetStatus("o1", "paid")
	_, err := s.Log.Record(t.Context(), Intent("order.changed", "o1"), func(*audit.Tx) error { return audit.Denied("no") })
	code(t, "a refusal", err, audit.CodeDenied)

	count := func() map[string]int64 {
		t.Helper()
		counts, err := s.Log.Count(t.Context(), "shop_1")
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	want := map[string]int64{"order.created": 1, "order.changed": 2}
	if got := count(); !maps.Equal(got, want) {
		t.Errorf("before the sealing: %v, want %v", got, want)
	}
	if got := s.sealState("shop_1"); got.Events != 3 || got.Leaves != 0 || got.Sealed != 0 || !got.Oldest.Equal(s.Event(created).Time) || s.Event(created).Leaf != nil {
		t.Errorf("before the sealing: %+v, the oldest event is %+v", got, s.Event(created))
	}
	s.Seal()
	viewed := s.Note(Intent("order.viewed", "o1"))
	if got := s.sealState("shop_1"); got.Events != 4 || got.Leaves != 3 || got.Sealed != 3 || !got.Oldest.Equal(s.Event(viewed).Time) {
		t.Errorf("three of four sealed: %+v", got)
	}
	s.Seal()
	want["order.viewed"] = 1
	if got := count(); !maps.Equal(got, want) {
		t.Errorf("after the sealing: %v, want %v", got, want)
	}
	if e := s.Event(paid); e.Leaf == nil || *e.Leaf != 1 {
		t.Errorf("the second event is leaf %v, want 1", e.Leaf)
	}
	if e := s.All(audit.Filter{})[0]; e.ID != viewed || e.Leaf == nil || *e.Leaf != 3 {
		t.Errorf("found as %+v, want leaf 3", e)
	}
	proved(t, s, 4)
}

// proved proves every leaf of shop_1 in the tree that the newest checkpoint is
// of.
func proved(t *testing.T, s *Shop, size int64) {
	t.Helper()
	state, hashes := s.sealState("shop_1"), s.Log.Hashes(t.Context(), "shop_1")
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := SignPlainly("shop_1", size, root); state.Sealed != size || !bytes.Equal(state.Checkpoint, want) {
		t.Errorf("the newest checkpoint is of %d:\n%s\nwant\n%s", state.Sealed, state.Checkpoint, want)
	}
	next := int64(0)
	for e, err := range s.Log.InLeafOrder(t.Context(), "shop_1", 0, size+10) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Leaf != next || e.Who == nil || len(e.Who.Salt) != 32 || e.What == nil || len(e.What.Part) == 0 {
			t.Errorf("leaf %d is %+v", next, e)
		}
		proof, err := tlog.ProveRecord(size, e.Leaf, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, size, root, e.Leaf, tlog.RecordHash(e.Body)); err != nil {
			t.Errorf("leaf %d: %v", e.Leaf, err)
		}
		next++
	}
	if next != size {
		t.Errorf("%d leaves were read, want %d", next, size)
	}
}

// leavesAreNumberedAsSealed: a leaf number never changes, whatever time comes
// later.
func leavesAreNumberedAsSealed(t *testing.T, s *Shop) {
	s.stopSealing()
	const many = 300 // more than one batch
	ids := make([]string, many)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { ids[i] = s.Note(Intent("order.viewed", "o1")) })
	}
	wg.Wait()
	slices.Sort(ids)
	s.Seal()
	s.Clock.Move(-time.Hour)
	back := s.Note(Intent("order.viewed", "o1"))
	s.Seal()
	for leaf, id := range append(ids, back) {
		if e := s.Event(id); e.Leaf == nil || *e.Leaf != int64(leaf) {
			t.Fatalf("event %s is leaf %v, want %d", id, e.Leaf, leaf)
		}
	}
	proved(t, s, many+1)
	read := 0
	for e, err := range s.Log.InLeafOrder(t.Context(), "shop_1", 280, 290) {
		if err != nil || e.Leaf != int64(280+read) {
			t.Fatalf("leaf %d is %+v, %v", 280+read, e, err)
		}
		read++
	}
	if read != 10 {
		t.Errorf("%d of ten leaves were read", read)
	}
}

// following gives every event once, in order, while two programs record and
// both seal.
func following(t *testing.T, s *Shop) {
	db, err := database.Open(t.Context(), s.DB.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := audit.Open(t.Context(), db, Catalogue, []audit.Table{Orders})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	const each = 120
	var writers, followers sync.WaitGroup
	for name, l := range map[string]*audit.Log{"here": s.Log, "there": other} {
		for client := range 2 {
			writers.Go(func() {
				for n := range each {
					in := Intent("order.viewed", fmt.Sprint("o-", name, client))
					if n%2 == 0 {
						in.Action, in.Object = "shop.opened", audit.Ref{}
					}
					if _, err := l.Note(ctx, in); err != nil {
						t.Error(err)
					}
					if n%20 == 0 {
						time.Sleep(30 * time.Millisecond)
					}
				}
			})
		}
	}
	follow := func(l *audit.Log, f audit.Filter, want, from int) {
		last, got := int64(from-1), 0
		for e, err := range l.Follow(ctx, "shop_1", f, last) {
			if err != nil {
				t.Error(err)
				return
			}
			if e.Leaf == nil || *e.Leaf <= last || f.IsZero() && *e.Leaf != last+1 {
				t.Errorf("%q: after leaf %d comes %v", f, last, e.Leaf)
			}
			if last = *e.Leaf; f.Action.Any != nil && e.Action != f.Action.Any[0] {
				t.Errorf("%q: %s comes", f, e.Action)
			}
			if got++; got == want {
				return
			}
		}
		t.Errorf("%q: %d events came, want %d", f, got, want)
	}
	opened := audit.Filter{Action: audit.Values{Any: []string{"shop.opened"}}}
	followers.Go(func() { follow(s.Log, audit.Filter{}, 4*each, 0) })
	followers.Go(func() { follow(other, audit.Filter{}, 4*each-100, 100) })
	followers.Go(func() { follow(s.Log, opened, 2*each, 0) })
	writers.Wait()
	followers.Wait()

	quiet, hangUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer hangUp()
	for e, err := range s.Log.Follow(quiet, "shop_1", audit.Filter{}, 4*each-1) {
		t.Errorf("after the last leaf comes %+v, %v", e, err)
	}
}

// sealingAtOnce: several programs seal what several record, all at once.
func sealingAtOnce(t *testing.T, s *Shop) {
	s.stopSealing()
	var recorders, sealers sync.WaitGroup
	done := make(chan struct{})
	var logs []*audit.Log
	for range 3 {
		db, err := database.Open(t.Context(), s.DB.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		l, err := audit.Open(t.Context(), db, Catalogue, []audit.Table{Orders}, audit.WithoutSealing(), audit.WithSigner(SignPlainly))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		logs = append(logs, l)
		sealers.Go(func() {
			for {
				if err := l.Seal(t.Context()); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i, l := range append(logs, s.Log) {
		recorders.Go(func() {
			for n := range 50 {
				in := Intent("order.viewed", fmt.Sprint("o", n))
				in.Log = fmt.Sprint("shop_", 1+(i+n)%2)
				if _, err := l.Note(t.Context(), in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	recorders.Wait()
	close(done)
	sealers.Wait()
	s.Seal()
	for _, log := range []string{"shop_1", "shop_2"} {
		if got := s.sealState(log); got.Events != 100 || got.Leaves != 100 || got.Sealed != 100 {
			t.Errorf("%s: %+v, want all 100 sealed", log, got)
		}
	}
	CheckLog(t, s.Log)
}

// signedLater: what was sealed without a signer, or when it failed, is signed
// by the next who can.
func signedLater(t *testing.T, s *Shop) {
	s.stopSealing()
	plain := s.Log
	unsigned := s.Open(audit.WithoutSealing())
	defer unsigned.Close()
	broken := errors.New("the key is gone")
	fails := true
	failing := s.Open(audit.WithoutSealing(), audit.WithSigner(func(log string, size int64, root tlog.Hash) ([]byte, error) {
		if fails {
			return nil, broken
		}
		return SignPlainly(log, size, root)
	}))
	defer failing.Close()

	s.Create("o1", "open")
	if err := unsigned.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.sealState("shop_1"); got.Leaves != 1 || got.Sealed != 0 || got.Checkpoint != nil {
		t.Errorf("sealed without a signer: %+v", got)
	}
	s.SetStatus("o1", "paid")
	if err := failing.Seal(t.Context()); !errors.Is(err, broken) {
		t.Errorf("sealing with a signer that fails: %v", err)
	}
	if got := s.sealState("shop_1"); got.Leaves != 2 || got.Sealed != 0 {
		t.Errorf("sealed with a signer that fails: %+v", got)
	}
	fails = false
	for name, l := range map[string]*audit.Log{"the signer that recovered": failing, "one who has nothing to do": plain} {
		if err := l.Seal(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		proved(t, s, 2)
	}
}

// closingSeals: what a program recorded it seals before it ends, and nothing
// after.
func closingSeals(t *testing.T, s *Shop) {
	s.stopSealing()
	s.Create("o1", "open")
	if err := s.Log.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.sealState("shop_1"); got.Leaves != 1 {
		t.Errorf("after closing: %+v", got)
	}
	s.Note(Intent("order.viewed", "o1"))
	if err := s.Log.Seal(t.Context()); err == nil {
		t.Error("a closed log was sealed")
	}
	if got := s.sealState("shop_1"); got.Leaves != 1 {
		t.Errorf("long after closing: %+v", got)
	}
}
