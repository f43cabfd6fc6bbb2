package seal

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Options are what an export is verified with.
type Options struct {
	Keys      []LogKey  // that are trusted to sign the log's checkpoints
	Witnesses []Witness // each of which must have cosigned
	Since     []byte    // a checkpoint that was kept from earlier: the log must extend it
	Workers   int       // how many lines are read at once; 0 is one a core
}

// Fault is something that is wrong with an export.
type Fault struct {
	Line  int64  // from 1; 0 if it is about the file
	Leaf  int64  // -1 if it is about no leaf
	Event string // its id, as far as it can be told
	What  string
}

// String names the culprit.
func (f Fault) String() string {
	s := ""
	if f.Line > 0 {
		s = fmt.Sprintf("line %d", f.Line)
	}
	add := func(format string, arg any) {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf(format, arg)
	}
	if f.Leaf >= 0 {
		add("leaf %d", f.Leaf)
	}
	if f.Event != "" {
		add("event %s", f.Event)
	}
	if s == "" {
		return f.What
	}
	return s + ": " + f.What
}

// Result is what verifying an export found. What stands in it is proved only
// if there are no faults.
type Result struct {
	Header     Header
	Checkpoint Signed
	Manifest   Manifest
	Since      *Signed // the earlier checkpoint that the log extends

	Events                int64
	WhoErased, WhatErased int64
	Unread                int64 // events of a later version: their place is proved, their content was not read
	Skipped               int64 // leaves that the export leaves out
	FirstRecorded         string
	LastRecorded          string
	ClockBack             []ClockBack // the first few
	ClockBacks            int64
	Faults                []Fault // the first few
	More                  int64   // faults beyond those
}

// OK tells whether everything that was asked for is proved.
func (r *Result) OK() bool { return len(r.Faults) == 0 }

// ClockBack is where the clock of the recording program was behind an earlier
// event of the log by more than a minute. It is not a fault of the log.
type ClockBack struct {
	Leaf int64
	From string // the latest time before it
	To   string
}

const (
	maxFaults = 50
	clockBack = time.Minute
	stampForm = "2006-01-02T15:04:05.000000Z"
)

// Verify reads a verified export to its end and proves what it can. It needs
// no more memory for a large export than for a small one, and answers any
// input; only an error of reading is an error. Without a key that is trusted
// nothing is proved: that is a fault.
func Verify(in io.Reader, o Options) (Result, error) {
	v := &verifier{options: o, size: -1}
	v.result.Checkpoint.Size = -1
	err := readLines(in, o.Workers, v)
	return v.result, err
}

// verifier sees the lines in their order.
type verifier struct {
	options Options
	result  Result

	tree    Tree
	broken  bool  // the tree cannot be told: leaves are missing, or out of order
	differs bool  // at least one line does not hash to what it says
	next    int64 // the leaf that may come next
	size    int64 // leaves of the checkpoint; -1 if it is not known
	since   *Checkpoint
	proved  bool // the root at since was seen
	latest  [27]byte
}

func (v *verifier) fault(f Fault) {
	if len(v.result.Faults) < maxFaults {
		v.result.Faults = append(v.result.Faults, f)
		return
	}
	v.result.More++
}

func (v *verifier) faultAt(line int64, format string, args ...any) {
	v.fault(Fault{Line: line, Leaf: -1, What: fmt.Sprintf(format, args...)})
}

// begin is told of the first line, and gives the log whose events there may
// be.
func (v *verifier) begin(l *line) (log string, ok bool) {
	if l.err == nil && l.kind != headerLine {
		l.err = errors.New("it is not the header of a verified export")
	}
	if l.err != nil {
		v.faultAt(1, "%v", l.err)
		return "", false
	}
	v.result.Header = l.header
	signed, err := Open(l.header.Checkpoint, v.options.Keys, v.options.Witnesses)
	v.result.Checkpoint = signed
	if signed.Origin == "" {
		v.faultAt(1, "the checkpoint: %v", err)
		return l.header.Log, true
	}
	v.size = signed.Size
	switch {
	case errors.Is(err, ErrUntrusted):
		v.faultAt(1, "the checkpoint of %s over %d leaves: %v. It bears the signatures of %s", signed.Origin, signed.Size, err, signatures(l.header.Checkpoint))
	case err != nil:
		v.faultAt(1, "the checkpoint: %v", err)
	}
	if signed.Extension != "" {
		v.faultAt(1, "the checkpoint has lines after its root")
	}
	if log, ok := LogOf(signed.Origin); !ok || log != l.header.Log {
		v.faultAt(1, "the export is of the log %s, its checkpoint is of %s", clip(l.header.Log), signed.Origin)
	}
	v.witnesses(err)
	v.checkSince()
	return l.header.Log, true
}

// witnesses demands the cosignatures.
func (v *verifier) witnesses(opened error) {
	if opened != nil {
		return
	}
	for _, w := range v.options.Witnesses {
		found := false
		for _, c := range v.result.Checkpoint.Cosignatures {
			found = found || c.Witness.String() == w.String()
		}
		if !found {
			v.faultAt(1, "the witness %s has not cosigned the checkpoint", w.Name)
		}
	}
}

// checkSince reads the earlier checkpoint.
func (v *verifier) checkSince() {
	if len(v.options.Since) == 0 {
		return
	}
	s, err := Open(v.options.Since, v.options.Keys, nil)
	switch {
	case errors.Is(err, ErrUntrusted):
		v.faultAt(0, "the earlier checkpoint of %s: %v", s.Origin, err)
	case err != nil:
		v.faultAt(0, "the earlier checkpoint: %v", err)
	case s.Origin != v.result.Checkpoint.Origin:
		v.faultAt(0, "the earlier checkpoint is of %s, the export is of %s", s.Origin, v.result.Checkpoint.Origin)
	case s.Size > v.size:
		v.faultAt(0, "the earlier checkpoint covers %d leaves, this one only %d: the log was cut off, or set back to an older state", s.Size, v.size)
	default:
		v.since = &s.Checkpoint
		v.result.Since = &s
		v.lookBack()
	}
}

// lookBack compares the tree with that of the earlier checkpoint when it is as
// large.
func (v *verifier) lookBack() {
	if v.since == nil || v.proved || v.broken || v.tree.Size() != v.since.Size {
		return
	}
	v.proved = true
	if v.tree.Root() != v.since.Root {
		v.faultAt(0, "the log does not extend the earlier checkpoint over %d leaves: it was rewritten since (the root of these leaves is now %s, it was %s)", v.since.Size, v.tree.Root(), v.since.Root)
	}
}

// line is told of every line but the first.
func (v *verifier) line(n int64, l *line) {
	switch {
	case l.kind == eventLine:
		v.event(n, l)
	case l.err != nil:
		v.broken = true
		v.faultAt(n, "%v", l.err)
	case l.kind == skipLine:
		v.skip(n, l)
	case l.kind == headerLine:
		v.faultAt(n, "a second header: two exports were joined")
	default:
		v.faultAt(n, "a manifest, and it is not the last line: bytes follow the end of the export")
	}
}

func (v *verifier) event(n int64, l *line) {
	v.result.Events++
	at := Fault{Line: n, Leaf: l.leaf, Event: l.event}
	if l.err != nil {
		v.differs = true
		at.What = l.err.Error()
		v.fault(at)
	} else if l.computed != l.stated {
		v.differs = true
		at.What = fmt.Sprintf("the event was changed: its bytes hash to %s, the log holds %s", l.computed, l.stated)
		v.fault(at)
	}
	if !v.place(n, l) {
		return
	}
	if l.whoErased {
		v.result.WhoErased++
	}
	if l.whatErased {
		v.result.WhatErased++
	}
	if l.unread {
		v.result.Unread++
	} else if l.err == nil {
		v.clock(l)
	}
	if !v.broken {
		v.tree.Add(l.stated)
		v.lookBack()
	}
}

// place checks that leaves come one after the other.
func (v *verifier) place(n int64, l *line) bool {
	at := Fault{Line: n, Leaf: l.leaf, Event: l.event}
	switch {
	case l.leaf < 0:
		v.broken = true
		return false
	case l.leaf < v.next:
		at.What = fmt.Sprintf("it stands after leaf %d: the line was repeated or moved", v.next-1)
	case l.leaf == v.next+1:
		at.What = fmt.Sprintf("leaf %d is missing before it", v.next)
	case l.leaf > v.next:
		at.What = fmt.Sprintf("the leaves %d to %d are missing before it", v.next, l.leaf-1)
	case v.size >= 0 && l.leaf >= v.size:
		at.What = fmt.Sprintf("the checkpoint covers only %d leaves", v.size)
	default:
		v.next++
		return true
	}
	v.broken = true
	v.fault(at)
	v.next = max(v.next, l.leaf+1)
	return false
}

// clock notes where the clock ran back.
func (v *verifier) clock(l *line) {
	if v.result.FirstRecorded == "" {
		v.result.FirstRecorded = string(l.recorded[:])
	}
	v.result.LastRecorded = string(l.recorded[:])
	if string(l.recorded[:]) >= string(v.latest[:]) {
		v.latest = l.recorded
		return
	}
	before, err := time.Parse(stampForm, string(v.latest[:]))
	after, err2 := time.Parse(stampForm, string(l.recorded[:]))
	if err != nil || err2 != nil || before.Sub(after) <= clockBack {
		return
	}
	v.result.ClockBacks++
	if len(v.result.ClockBack) < maxFaults {
		v.result.ClockBack = append(v.result.ClockBack, ClockBack{l.leaf, string(v.latest[:]), string(l.recorded[:])})
	}
}

func (v *verifier) skip(n int64, l *line) {
	if v.result.Header.Query == "" && v.result.Header.Log != "" {
		v.faultAt(n, "leaves from %d on are left out, and the header says that the export holds the whole log", v.next)
	}
	for i, level := range l.levels {
		if v.size >= 0 && (1<<level > v.size-v.next) {
			v.broken = true
			v.faultAt(n, "leaves beyond the %d of the checkpoint are left out", v.size)
			return
		}
		v.next += 1 << level
		v.result.Skipped += 1 << level
		if v.broken {
			continue
		}
		if err := v.tree.AddSubtree(level, l.hashes[i]); err != nil {
			v.broken = true
			v.faultAt(n, "%v", err)
			continue
		}
		v.lookBack()
	}
}

// ending is what follows the last whole line.
type ending struct {
	line  int64 // the number of the last line
	last  *line // nil if there is none beside the header
	bytes int64 // before the last line
	sum   string
	open  bool // the last line has no line feed
}

// end is told of the last line.
func (v *verifier) end(e ending) {
	switch l := e.last; {
	case l == nil:
		v.faultAt(0, "the export ends after line %d without its manifest: it was cut off", e.line)
	case l.kind == manifestLine && l.err != nil:
		v.faultAt(e.line, "the manifest: %v", l.err)
	case l.kind == manifestLine && e.open:
		v.faultAt(e.line, "the manifest has no line feed: the export was cut off")
	case l.kind == manifestLine:
		v.manifest(e)
	case e.open:
		v.faultAt(e.line, "the export ends within this line: it was cut off, or bytes follow its end")
	default:
		v.line(e.line, l)
		v.faultAt(0, "the export ends after line %d without its manifest: it was cut off, or bytes follow its end", e.line)
	}
	v.root()
}

func (v *verifier) manifest(e ending) {
	m := e.last.manifest
	v.result.Manifest = m
	switch {
	case m.SHA256 != e.sum:
		v.faultAt(e.line, "the manifest is not of this file: it gives the SHA-256 %s of %d bytes; the %d bytes before it have %s", m.SHA256, m.Bytes, e.bytes, e.sum)
	case m.Bytes != e.bytes:
		v.faultAt(e.line, "the manifest says that there are %d bytes before it; there are %d", m.Bytes, e.bytes)
	case m.Events != v.result.Events:
		v.faultAt(e.line, "the manifest says that there are %d events; there are %d", m.Events, v.result.Events)
	}
}

// root compares the tree with the checkpoint.
func (v *verifier) root() {
	if v.size < 0 {
		return
	}
	if v.next < v.size {
		what := fmt.Sprintf("the leaves %d to %d", v.next, v.size-1)
		if v.next == v.size-1 {
			what = fmt.Sprintf("leaf %d", v.next)
		}
		v.faultAt(0, "%s, which the checkpoint covers, are missing at the end", what)
		return
	}
	if v.broken {
		return
	}
	if root := v.tree.Root(); root != v.result.Checkpoint.Root {
		what := "every line agrees with itself, so that it cannot be told which event was put in, taken out or changed"
		if v.differs {
			what = "and the hashes that the lines state are not those of the log either"
		}
		v.faultAt(0, "the events are not those that the checkpoint signs: the root of their tree is %s, the checkpoint says %s; %s", root, v.result.Checkpoint.Root, what)
	}
	if v.since != nil && !v.proved {
		v.faultAt(0, "whether the log extends the earlier checkpoint over %d leaves cannot be told from this export, which leaves out leaves around there: export the whole log, or export with --since", v.since.Size)
	}
}

// signatures lists who signed a note, for a message.
func signatures(msg []byte) string {
	s := ""
	for _, name := range signatureNames(msg) {
		if s != "" {
			s += ", "
		}
		s += name
	}
	if s == "" {
		return "nobody"
	}
	return s
}
