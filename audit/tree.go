package audit

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/database"
)

// The tree of a log (RFC 6962) needs no storage of its own: each hash stands
// with the leaf that completes it.

// storedAt tells with which leaf a stored hash of package tlog stands, and at
// which byte.
func storedAt(index int64) (leaf int64, offset int) {
	level, k := tlog.SplitStoredHashIndex(index)
	return (k+1)<<level - 1, level * tlog.HashSize
}

// treeSize is the number of a log's leaves.
func treeSize(ctx context.Context, q database.Querier, log string) (int64, error) {
	var last sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT max(leaf) FROM audit_leaf WHERE log = $1`, log).Scan(&last); err != nil {
		return 0, fmt.Errorf("reading the size of the tree: %w", err)
	}
	if !last.Valid {
		return 0, nil
	}
	return last.Int64 + 1, nil
}

// Hashes reads the hashes of a log's tree, as package tlog asks for them to
// make roots and proofs.
//
// Cost: one look-up by the key for each hash, sixty-four in a statement.
func (l *Log) Hashes(ctx context.Context, log string) tlog.HashReader {
	return hashReader{ctx, l.db, log}
}

type hashReader struct {
	ctx context.Context
	q   database.Querier
	log string
}

// ReadHashes implements tlog.HashReader.
func (r hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var leaves []int64
	for _, index := range indexes {
		leaf, _ := storedAt(index)
		leaves = append(leaves, leaf)
	}
	slices.Sort(leaves)
	leaves = slices.Compact(leaves)
	rows := make(map[int64][]byte, len(leaves))
	for some := range slices.Chunk(leaves, maxList) {
		if err := r.read(some, rows); err != nil {
			return nil, fmt.Errorf("reading the tree of log %s: %w", r.log, err)
		}
	}
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		leaf, offset := storedAt(index)
		if len(rows[leaf]) < offset+tlog.HashSize {
			return nil, fmt.Errorf("reading the tree of log %s: leaf %d is missing, or a hash that stands with it", r.log, leaf)
		}
		copy(hashes[i][:], rows[leaf][offset:])
	}
	return hashes, nil
}

func (r hashReader) read(leaves []int64, into map[int64][]byte) error {
	list, args := valueList(leaves, r.log)
	rows, err := r.q.QueryContext(r.ctx, `SELECT leaf, hashes FROM audit_leaf WHERE log = $1 AND leaf IN `+list, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var leaf int64
		var hashes []byte
		if err := rows.Scan(&leaf, &hashes); err != nil {
			return err
		}
		into[leaf] = hashes
	}
	return rows.Err()
}

// maxList is how many values one statement lists.
const maxList = 64

// valueList writes a list for IN, behind the arguments before it. Its length is
// a power of two, the last value repeated, so that few texts are prepared.
func valueList[T any](values []T, before ...any) (list string, args []any) {
	size := 1 << bits.Len(uint(len(values)-1))
	args = before
	marks := make([]string, size)
	for i := range size {
		args = append(args, values[min(i, len(values)-1)])
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}

// growing is a tree to which leaves are added. Of what stands already it holds
// the complete subtrees of its right edge, which is all that new leaves need.
type growing struct {
	size  int64
	known map[int64]tlog.Hash // by the index of package tlog
}

// growingTree reads the right edge of a tree of this size.
//
// Cost: one look-up by the key for each bit of the size.
func growingTree(ctx context.Context, q database.Querier, log string, size int64) (*growing, error) {
	g := &growing{size: size, known: map[int64]tlog.Hash{}}
	edge := rightEdge(size)
	if len(edge) == 0 {
		return g, nil
	}
	hashes, err := hashReader{ctx, q, log}.ReadHashes(edge)
	if err != nil {
		return nil, err
	}
	for i, index := range edge {
		g.known[index] = hashes[i]
	}
	return g, nil
}

// rightEdge gives the indexes of the complete subtrees that make up a tree.
func rightEdge(size int64) []int64 {
	var edge []int64
	for level := range bits.Len64(uint64(size)) {
		if k := size >> level; k&1 == 1 {
			edge = append(edge, tlog.StoredHashIndex(level, k-1))
		}
	}
	return edge
}

// ReadHashes implements tlog.HashReader for what new leaves ask.
func (g *growing) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := g.known[index]
		if !ok {
			return nil, fmt.Errorf("growing the tree: hash %d is not known", index)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// add gives the hashes that a new leaf completes, one behind the other.
func (g *growing) add(leaf tlog.Hash) ([]byte, error) {
	hashes, err := tlog.StoredHashesForRecordHash(g.size, leaf, g)
	if err != nil {
		return nil, fmt.Errorf("growing the tree: %w", err)
	}
	var row []byte
	for level, h := range hashes {
		g.known[tlog.StoredHashIndex(level, g.size>>level)] = h
		row = append(row, h[:]...)
	}
	g.size++
	return row, nil
}

func (g *growing) root() (tlog.Hash, error) { return tlog.TreeHash(g.size, g) }
