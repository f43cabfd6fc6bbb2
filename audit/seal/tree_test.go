package seal_test

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"onrecord/audit/seal"
)

// TestTree: however leaves and subtrees are put together, the root is that of
// tlog.
func TestTree(t *testing.T) {
	s := newSample(t, team, 130)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 130).Draw(t, "size")
		want, err := tlog.TreeHash(size, s)
		if err != nil {
			t.Fatal(err)
		}
		var tree seal.Tree
		for tree.Size() < size {
			if next := rapid.Int64Range(tree.Size(), size).Draw(t, "next"); next > tree.Size() {
				for _, c := range seal.Cover(tree.Size(), next) {
					h, _ := s.ReadHashes([]int64{tlog.StoredHashIndex(c.Level, c.First>>c.Level)})
					if err := tree.AddSubtree(c.Level, h[0]); err != nil {
						t.Fatal(err)
					}
				}
			}
			if tree.Size() < size {
				tree.Add(tlog.RecordHash(s.entries[tree.Size()].Body))
			}
		}
		if tree.Root() != want {
			t.Fatalf("size %d: %s, want %s", size, tree.Root(), want)
		}
		at, err := seal.TreeAt(size, s)
		if err != nil || at.Root() != want || at.Size() != size {
			t.Fatalf("TreeAt(%d): %v, %s", size, err, at.Root())
		}
	})
}

func TestSubtreeOutOfPlace(t *testing.T) {
	var tree seal.Tree
	tree.Add(tlog.Hash{})
	for _, level := range []int{1, 5, 62, 63, -1} {
		if err := tree.AddSubtree(level, tlog.Hash{}); err == nil {
			t.Errorf("a subtree of height %d begins at leaf 1", level)
		}
	}
}

func TestConsistency(t *testing.T) {
	s := newSample(t, team, 40)
	forged := newSample(t, team, 20)
	for range 20 {
		forged.grow(t, "forged")
	}
	at := func(s *sample, size int64) seal.Checkpoint {
		root, err := tlog.TreeHash(size, s)
		if err != nil {
			t.Fatal(err)
		}
		return seal.Checkpoint{Origin: s.origin(), Size: size, Root: root}
	}
	for old := int64(0); old <= 40; old++ {
		for size := old; size <= 40; size++ {
			proof, err := seal.ProveConsistency(old, size, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := seal.CheckConsistency(proof, at(s, old), at(s, size)); err != nil {
				t.Errorf("%d to %d: %v", old, size, err)
			}
			if old > 20 {
				if proof, err = seal.ProveConsistency(old, size, forged); err != nil {
					t.Fatal(err)
				}
				if err := seal.CheckConsistency(proof, at(s, old), at(forged, size)); !errors.Is(err, seal.ErrNotConsistent) {
					t.Errorf("%d to %d, rewritten: %v", old, size, err)
				}
			}
		}
	}
	if err := seal.CheckConsistency(nil, at(s, 5), at(s, 4)); !errors.Is(err, seal.ErrNotConsistent) {
		t.Errorf("shorter: %v", err)
	}
}
