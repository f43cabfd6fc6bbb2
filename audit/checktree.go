package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// trees follows the leaves of each log from the first to the last.
func (c *checker) trees(ctx context.Context) error {
	if c.options.Log != "" {
		return c.tree(ctx, c.options.Log)
	}
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
	log    string
	next   int64
	known  map[int64]tlog.Hash // the right edge, by the index of package tlog
	sizes  []int64             // of the checkpoints not reached yet
	roots  map[int64]tlog.Hash // the root of each size that a checkpoint has
	latest time.Time           // of the leaves so far
}

func (c *checker) tree(ctx context.Context, log string) error {
	t := &treeCheck{checker: c, log: log, known: map[int64]tlog.Hash{}, roots: map[int64]tlog.Hash{}}
	c.at = log
	if err := t.readSizes(ctx); err != nil {
		return err
	}
	if err := t.leaves(ctx); err != nil {
		return err
	}
	return t.checkpoints(ctx)
}

func (t *treeCheck) leaves(ctx context.Context) error {
	rows, err := t.q.QueryContext(ctx, `
		SELECT l.leaf, l.hashes, e.id, e.body FROM audit_leaf l LEFT JOIN audit_event e ON e.log = l.log AND e.n = l.n
		WHERE l.log = $1 ORDER BY l.leaf`, t.log)
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
		t.clock(leaf, body)
	}
	t.figures(t.log).Leaves = t.next
	return rows.Err()
}

const (
	clockTolerance = time.Minute
	clocksKept     = 20
)

// clock notes where the clock ran back.
func (t *treeCheck) clock(leaf int64, body []byte) {
	// No text within the bytes holds a quote that is not escaped.
	_, rest, ok := bytes.Cut(body, []byte(`,"recorded":"`))
	if !ok || len(rest) < len(timeFormat) {
		return
	}
	at, err := readStamp(string(rest[:len(timeFormat)]))
	if err != nil {
		return
	}
	if figures := t.figures(t.log); t.latest.Sub(at) > clockTolerance && len(figures.ClockBack) < clocksKept {
		figures.ClockBack = append(figures.ClockBack, ClockBack{leaf, t.latest, at})
	}
	if at.After(t.latest) {
		t.latest = at
	}
}

// readSizes reads of which sizes there are checkpoints.
func (t *treeCheck) readSizes(ctx context.Context) error {
	rows, err := t.q.QueryContext(ctx, `SELECT size FROM audit_checkpoint WHERE log = $1 ORDER BY size`, t.log)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var size int64
		if err := rows.Scan(&size); err != nil {
			return err
		}
		t.sizes = append(t.sizes, size)
	}
	return rows.Err()
}

// checkpoints compares each checkpoint with the tree of its size, and asks who
// signed it.
func (t *treeCheck) checkpoints(ctx context.Context) error {
	rows, err := t.q.QueryContext(ctx, `
		SELECT c.size, c.note, w.witness, w.line FROM audit_checkpoint c
		LEFT JOIN audit_cosignature w ON w.log = c.log AND w.size = c.size
		WHERE c.log = $1 ORDER BY c.size`, t.log)
	if err != nil {
		return err
	}
	defer rows.Close()
	h := head{size: -1}
	for rows.Next() {
		var next head
		var witness sql.NullString
		var line []byte
		if err := rows.Scan(&next.size, &next.note, &witness, &line); err != nil {
			return err
		}
		if next.size != h.size {
			t.head(h)
			h = next
		}
		if witness.Valid {
			h.cosigned = append(h.cosigned, Cosignature{Size: h.size, Witness: witness.String, Line: line})
		}
	}
	t.head(h)
	if err := rows.Err(); err != nil {
		return err
	}
	var lost int64
	if err := t.q.QueryRowContext(ctx, `
		SELECT count(*) FROM audit_cosignature w WHERE w.log = $1
		AND NOT EXISTS (SELECT 1 FROM audit_checkpoint c WHERE c.log = w.log AND c.size = w.size)`, t.log).Scan(&lost); err != nil {
		return err
	}
	if lost > 0 {
		t.fault("", "log %s: witnesses have cosigned %d checkpoints that are not there any more", t.log, lost)
	}
	return nil
}

// head is what stands there of a checkpoint.
type head struct {
	size     int64
	note     []byte
	cosigned []Cosignature
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
	for len(t.sizes) > 0 && t.sizes[0] <= t.next {
		size := t.sizes[0]
		if root, err := (&growing{size: size, known: t.known}).root(); err == nil { // else a leaf or hash is missing: reported already
			t.roots[size] = root
		}
		t.sizes = t.sizes[1:]
	}
}

// head compares a checkpoint with the tree of its size.
func (t *treeCheck) head(h head) {
	if h.size < 0 {
		return
	}
	figures := t.figures(t.log)
	figures.Checkpoints++
	figures.Cosigned += int64(len(h.cosigned))
	root, known := t.roots[h.size]
	size, signed, err := readHead(h.note)
	switch {
	case h.size > t.next:
		t.fault("", "log %s has a checkpoint of %d leaves, there are %d", t.log, h.size, t.next)
	case err != nil:
		t.fault("", "log %s: the checkpoint of %d leaves: %v", t.log, h.size, err)
	case size != h.size:
		t.fault("", "log %s: the checkpoint kept for %d leaves was signed for %d", t.log, h.size, size)
	case known && signed != root:
		t.fault("", "log %s: the checkpoint of %d leaves was signed for the root %s, the leaves make %s", t.log, h.size, signed, root)
	}
	if t.options.Checkpoint == nil || err != nil {
		return
	}
	if err := t.options.Checkpoint(t.log, h.size, h.note, h.cosigned); err != nil {
		t.fault("", "log %s: the checkpoint of %d leaves: %v", t.log, h.size, err)
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
