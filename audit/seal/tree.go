package seal

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree builds the hash of a tree (RFC 6962 section 2.1) from the left, leaf by
// leaf or a whole subtree at a time. It keeps one hash for each bit of its
// size. The zero Tree is empty.
type Tree struct {
	size int64
	full []subtree // from the left, ever smaller
}

type subtree struct {
	level int // it has 1<<level leaves
	hash  tlog.Hash
}

// Size is how many leaves were added.
func (t *Tree) Size() int64 { return t.size }

// Add adds the hash of one leaf.
func (t *Tree) Add(leaf tlog.Hash) { t.add(0, leaf) }

// AddSubtree adds the hash of a complete subtree of 1<<level leaves, which can
// only stand where its size divides the size so far.
func (t *Tree) AddSubtree(level int, hash tlog.Hash) error {
	if level < 0 || level > 62 || t.size&(1<<level-1) != 0 || t.size+1<<level < 0 {
		return fmt.Errorf("a subtree of height %d cannot begin at leaf %d", level, t.size)
	}
	t.add(level, hash)
	return nil
}

func (t *Tree) add(level int, hash tlog.Hash) {
	t.size += 1 << level
	for n := len(t.full); n > 0 && t.full[n-1].level == level; n-- {
		hash = tlog.NodeHash(t.full[n-1].hash, hash)
		level++
		t.full = t.full[:n-1]
	}
	t.full = append(t.full, subtree{level, hash})
}

// Root is the hash of the tree as it is.
func (t *Tree) Root() tlog.Hash {
	n := len(t.full)
	if n == 0 {
		empty, _ := tlog.TreeHash(0, nil) // of no leaves it reads nothing
		return empty
	}
	h := t.full[n-1].hash
	for i := n - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.full[i].hash, h)
	}
	return h
}

// Subtree is a place in a tree: 1<<Level leaves from First on.
type Subtree struct {
	Level int
	First int64
}

// stored is where [tlog.HashReader] has its hash.
func (s Subtree) stored() int64 { return tlog.StoredHashIndex(s.Level, s.First>>s.Level) }

// Cover gives the fewest complete subtrees that hold the leaves from first up
// to end, from the left. There are at most 126.
func Cover(first, end int64) []Subtree {
	var all []Subtree
	for first < end {
		level := bits.Len64(uint64(end-first)) - 1
		if first > 0 {
			level = min(level, bits.TrailingZeros64(uint64(first)))
		}
		all = append(all, Subtree{level, first})
		first += 1 << level
	}
	return all
}

// readCover reads the hashes of subtrees.
func readCover(r tlog.HashReader, all []Subtree) ([]tlog.Hash, error) {
	indexes := make([]int64, len(all))
	for i, s := range all {
		indexes[i] = s.stored()
	}
	hashes, err := r.ReadHashes(indexes)
	if err == nil && len(hashes) != len(indexes) {
		err = errors.New("reading hashes of the tree: not as many as were asked for")
	}
	return hashes, err
}

// TreeAt gives the tree of the first size leaves, to go on from there.
func TreeAt(size int64, r tlog.HashReader) (*Tree, error) {
	t := &Tree{}
	cover := Cover(0, size)
	hashes, err := readCover(r, cover)
	if err != nil {
		return nil, err
	}
	for i, s := range cover {
		if err := t.AddSubtree(s.Level, hashes[i]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// ProveConsistency proves that the tree of newSize leaves extends that of
// oldSize (RFC 6962 section 2.1.2). Of nothing, everything is an extension: the
// proof is empty.
func ProveConsistency(oldSize, newSize int64, r tlog.HashReader) (tlog.TreeProof, error) {
	if oldSize == 0 || oldSize == newSize {
		return nil, nil
	}
	return tlog.ProveTree(newSize, oldSize, r)
}

// ErrNotConsistent says that a log was rewritten: the later checkpoint's tree
// does not hold the leaves of the earlier one's.
var ErrNotConsistent = errors.New("the later tree does not extend the earlier one")

// CheckConsistency checks what ProveConsistency gives. Error: ErrNotConsistent.
func CheckConsistency(proof tlog.TreeProof, earlier, later Checkpoint) error {
	switch {
	case earlier.Origin != later.Origin:
		return fmt.Errorf("the checkpoints are of two logs: %s and %s", earlier.Origin, later.Origin)
	case earlier.Size > later.Size:
		return fmt.Errorf("%w: it has %d leaves, the earlier one %d", ErrNotConsistent, later.Size, earlier.Size)
	case earlier.Size == 0 || earlier.Size == later.Size:
		empty := (&Tree{}).Root()
		if len(proof) != 0 || earlier.Size == 0 && earlier.Root != empty || earlier.Size == later.Size && earlier.Root != later.Root {
			return ErrNotConsistent
		}
		return nil
	}
	if tlog.CheckTree(proof, later.Size, later.Root, earlier.Size, earlier.Root) != nil {
		return ErrNotConsistent
	}
	return nil
}
