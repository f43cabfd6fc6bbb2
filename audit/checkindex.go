package audit

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"
)

// indexSums compare the index with the events without keeping either: what the
// index has is added, what the events make is taken off, and what is left must
// be nothing. Places are spread over buckets, so that a bucket with a rest
// tells where to look again.
type indexSums struct {
	seed       maphash.Seed
	buckets    []uint64
	unreadable map[int64]bool // places of events that cannot be read: what they make is not known
}

const bucketBits = 16

func newIndexSums() *indexSums {
	return &indexSums{seed: maphash.MakeSeed(), buckets: make([]uint64, 1<<bucketBits), unreadable: map[int64]bool{}}
}

// value stands for one entry: another place or another term has another one.
func (s *indexSums) value(n int64, key []byte) uint64 {
	return (maphash.Bytes(s.seed, key) ^ uint64(n)) * 0x9e3779b97f4a7c15
}

func bucketOf(n int64) int { return int(uint64(n) * 0x9e3779b97f4a7c15 >> (64 - bucketBits)) }

func (s *indexSums) add(n int64, value uint64) { s.buckets[bucketOf(n)] += value }

// readIndex reads the whole index once.
func (c *checker) readIndex(ctx context.Context) error {
	return c.log.backend.eachEntry(ctx, c.q, func(n int64, key []byte) {
		c.index.add(n, c.index.value(n, key))
	})
}

// compareIndex looks again at the buckets with a rest, place by place. An index
// entry is missing or too many there, or an event cannot be read; with one log
// alone it may be another's.
func (c *checker) compareIndex(ctx context.Context) error {
	if !slices.ContainsFunc(c.index.buckets, func(rest uint64) bool { return rest != 0 }) {
		return nil
	}
	rest := map[int64]uint64{}
	events := map[int64][2]string{}
	err := c.log.backend.eachEntry(ctx, c.q, func(n int64, key []byte) {
		if c.index.buckets[bucketOf(n)] != 0 {
			rest[n] += c.index.value(n, key)
		}
	})
	if err != nil {
		return err
	}
	err = c.eachEvent(ctx, func(x *examined) {
		if c.index.buckets[bucketOf(x.n)] != 0 {
			rest[x.n] -= x.index
			events[x.n] = [2]string{x.log, x.id}
		}
	})
	if err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(rest)) {
		of, known := events[n]
		switch {
		case rest[n] == 0 || c.index.unreadable[n]:
		case known:
			c.at = of[0]
			c.fault(of[1], "an index entry is missing or too many: the event cannot be found by what it says, or is found by what it does not")
		case c.options.Log == "":
			c.at = ""
			c.fault("", "the index has entries for place %d, where there is no event", n)
		}
	}
	return nil
}
