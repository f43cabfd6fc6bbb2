package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// trees follows the leaves of each log from the first to the last.
func (c *checker) trees(ctx context.Context) error {
	rows, err := c.q.QueryContext(ctx, `SELECT log FROM audit_leaf UNION SELECT log FROM audit_checkpoint`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var logs []string
	for rows.Next() {
		var log string
		if err := rows.Scan(&log); err != nil {
			return err
		}
		logs = append(logs, log)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, log := range logs {
		if err := c.tree(ctx, log); err != nil {
			return err
		}
	}
	return nil
}

// treeCheck follows one tree. Each hash is compared with what stands directly
// below it: a leaf's with its event, any other with its two children as they
// are kept. So one row that was changed is one fault, or the two it lies
// between.
type treeCheck struct {
	*checker
	log   string
	next  int64
	known map[int64]tlog.Hash // the right edge, by the index of package tlog
	heads []head              // of the checkpoints not reached yet
}

// head is what a checkpoint says.
type head struct {
	size int64
	note []byte
}

func (c *checker) tree(ctx context.Context, log string) error {
	t := &treeCheck{checker: c, log: log, known: map[int64]tlog.Hash{}}
	var err error
	if t.heads, err = c.heads(ctx, log); err != nil {
		return err
	}
	rows, err := c.q.QueryContext(ctx, `
		SELECT l.leaf, l.hashes, e.id, e.body FROM audit_leaf l LEFT JOIN audit_event e ON e.log = l.log AND e.n = l.n
		WHERE l.log = $1 ORDER BY l.leaf`, log)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var leaf int64
		var id sql.NullString
		var hashes, body sql.RawBytes
		if err := rows.Scan(&leaf, &hashes, &id, &body); err != nil {
			return err
		}
		t.leaf(leaf, hashes, id, body)
	}
	for _, h := range t.heads {
		c.fault("", "log %s has a checkpoint of %d leaves, there are %d", log, h.size, t.next)
	}
	return rows.Err()
}

func (c *checker) heads(ctx context.Context, log string) ([]head, error) {
	rows, err := c.q.QueryContext(ctx, `SELECT size, note FROM audit_checkpoint WHERE log = $1 ORDER BY size`, log)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var heads []head
	for rows.Next() {
		var h head
		if err := rows.Scan(&h.size, &h.note); err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

func (t *treeCheck) leaf(leaf int64, hashes []byte, id sql.NullString, body []byte) {
	if leaf != t.next {
		t.fault("", "log %s: after leaf %d comes leaf %d", t.log, t.next-1, leaf)
		t.next = leaf
	}
	want := tlog.StoredHashCount(leaf+1) - tlog.StoredHashCount(leaf)
	switch {
	case int64(len(hashes)) != want*tlog.HashSize:
		t.fault(id.String, "log %s: leaf %d has %d bytes of hashes, it completes %d", t.log, leaf, len(hashes), want*tlog.HashSize)
	case !id.Valid:
		t.fault("", "log %s: the event of leaf %d is missing", t.log, leaf)
	default:
		if own := tlog.RecordHash(body); !bytes.Equal(own[:], hashes[:tlog.HashSize]) {
			t.fault(id.String, "its bytes are not those that were sealed as leaf %d of log %s", leaf, t.log)
		}
	}
	for level := 0; (level+1)*tlog.HashSize <= len(hashes); level++ {
		h := tlog.Hash(hashes[level*tlog.HashSize:])
		if k := leaf >> level; level > 0 {
			left, known := t.known[tlog.StoredHashIndex(level-1, 2*k)]
			right, beside := t.known[tlog.StoredHashIndex(level-1, 2*k+1)]
			if known && beside && h != tlog.NodeHash(left, right) {
				t.fault("", "log %s: the hash over leaves %d to %d, kept with leaf %d, does not follow from those below it", t.log, k<<level, (k+1)<<level-1, leaf)
			}
			delete(t.known, tlog.StoredHashIndex(level-1, 2*k))
			delete(t.known, tlog.StoredHashIndex(level-1, 2*k+1))
		}
		t.known[tlog.StoredHashIndex(level, leaf>>level)] = h
	}
	t.next++
	for len(t.heads) > 0 && t.heads[0].size <= t.next {
		t.head(t.heads[0])
		t.heads = t.heads[1:]
	}
}

// head compares a checkpoint with the tree of its size.
func (t *treeCheck) head(h head) {
	root, err := (&growing{size: h.size, known: t.known}).root()
	if err != nil {
		return // a leaf or hash is missing: reported already
	}
	size, signed, err := readHead(h.note)
	switch {
	case err != nil:
		t.fault("", "log %s: the checkpoint of %d leaves: %v", t.log, h.size, err)
	case size != h.size:
		t.fault("", "log %s: the checkpoint kept for %d leaves was signed for %d", t.log, h.size, size)
	case signed != root:
		t.fault("", "log %s: the checkpoint of %d leaves was signed for the root %s, the leaves make %s", t.log, h.size, signed, root)
	}
}

// readHead reads size and root of a signed note in the form of C2SP
// tlog-checkpoint: they are its second and third line.
func readHead(note []byte) (size int64, root tlog.Hash, err error) {
	lines := strings.SplitN(string(note), "\n", 4)
	if len(lines) < 4 {
		return 0, root, fmt.Errorf("it has %d lines, a checkpoint has at least four", len(lines))
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return 0, root, fmt.Errorf("its second line %q is not a number of leaves", lines[1])
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return 0, root, fmt.Errorf("its third line %q is not a hash in base64", lines[2])
	}
	return size, tlog.Hash(hash), nil
}
