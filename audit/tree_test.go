package audit

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// rowsOfTree keeps what audit_leaf would.
type rowsOfTree [][]byte

func (r rowsOfTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		leaf, offset := storedAt(index)
		if leaf >= int64(len(r)) || offset+tlog.HashSize > len(r[leaf]) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		copy(hashes[i][:], r[leaf][offset:])
	}
	return hashes, nil
}

// Whatever the sizes of the batches, the rows hold what package tlog keeps, and
// each at its place.
func TestGrowingTree(t *testing.T) {
	var rows rowsOfTree
	var stored []tlog.Hash
	flat := tlog.HashReaderFunc(func(indexes []int64) (all []tlog.Hash, _ error) {
		for _, i := range indexes {
			all = append(all, stored[i])
		}
		return all, nil
	})
	for batch := 0; len(rows) < 700; batch++ {
		g := &growing{size: int64(len(rows)), known: map[int64]tlog.Hash{}}
		for _, index := range rightEdge(g.size) {
			h, err := rows.ReadHashes([]int64{index})
			if err != nil {
				t.Fatal(err)
			}
			g.known[index] = h[0]
		}
		for range batch {
			body := fmt.Append(nil, "event ", len(rows))
			want, err := tlog.StoredHashes(int64(len(rows)), body, flat)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, want...)
			row, err := g.add(tlog.RecordHash(body))
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		got, err := g.root()
		if err != nil {
			t.Fatal(err)
		}
		if want, err := tlog.TreeHash(g.size, flat); err != nil || got != want {
			t.Fatalf("the root of %d leaves is %s, want %s, %v", g.size, got, want, err)
		}
	}
	for index, want := range stored {
		if got, err := rows.ReadHashes([]int64{int64(index)}); err != nil || got[0] != want {
			t.Fatalf("hash %d is %v, %v, want %s", index, got, err, want)
		}
	}
}

func TestValueList(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 4, 5: 8, 64: 64} {
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(i)
		}
		list, args := valueList(values, "log")
		if len(args) != 1+want || args[want] != int64(n-1) {
			t.Errorf("%d values: %s, %v", n, list, args)
		}
	}
}
