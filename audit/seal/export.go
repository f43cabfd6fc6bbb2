package seal

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// A verified export is one file of lines, each canonical JSON (RFC 8785) with
// a line feed: a header, then events and skipped leaves in the order of their
// leaves, then the manifest. docs/verify.md describes it.

// ExportFormat stands in the header.
const ExportFormat = "onrecord/export/v1"

// MaxLine is how many bytes a line of an export may have: two parts at their
// largest, the sealed bytes, and what is around them.
const MaxLine = 2*(1<<20) + 64<<10

// Header begins an export.
type Header struct {
	Checkpoint []byte // the signed note that the export is proved against, with cosignatures if there are any
	Log        string
	Query      string // what was asked for; "" for the whole log
}

// Part is an erasable half of an event.
type Part struct{ Salt, JSON []byte }

// Entry is one event of an export. A part that is nil was erased.
type Entry struct {
	Leaf      int64
	Body      []byte // the sealed bytes
	Who, What *Part
}

// Manifest ends an export.
type Manifest struct {
	Events int64
	Bytes  int64  // before the manifest's line
	SHA256 string // of them, hexadecimal
}

// ExportWriter writes a verified export as the events come, in constant memory.
type ExportWriter struct {
	out    *bufio.Writer
	sum    hash.Hash
	hashes tlog.HashReader
	size   int64 // leaves that the checkpoint covers
	query  string
	cuts   []int64
	next   int64
	done   Manifest
	line   []byte
	err    error // the first; nothing is written after it
}

// NewExportWriter writes the header. hashes are those of the log's tree; they
// are asked for the leaves that the export leaves out. Where it leaves out
// leaves around one of the sizes in cuts, the proof is divided there, so that
// [Verify] can show that the log extends a checkpoint of that size.
func NewExportWriter(out io.Writer, h Header, hashes tlog.HashReader, cuts ...int64) (*ExportWriter, error) {
	w := &ExportWriter{out: bufio.NewWriterSize(out, 1<<16), sum: sha256.New(), hashes: hashes, query: h.Query, cuts: cuts}
	text, err := noteText(h.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("exporting: the checkpoint: %w", err)
	}
	c, err := ParseCheckpoint(text)
	if err != nil {
		return nil, fmt.Errorf("exporting: the checkpoint: %w", err)
	}
	if !utf8.ValidString(h.Query) || !utf8.Valid(h.Checkpoint) {
		return nil, errors.New("exporting: the query and the checkpoint must be valid UTF-8")
	}
	w.size = c.Size
	b := appendText([]byte(`{"checkpoint":`), string(h.Checkpoint))
	b = appendText(append(b, `,"format":`...), ExportFormat)
	b = appendText(append(b, `,"log":`...), h.Log)
	if h.Query != "" {
		b = appendText(append(b, `,"query":`...), h.Query)
	}
	w.write(append(b, "}\n"...))
	return w, w.err
}

// write writes whole lines.
func (w *ExportWriter) write(b []byte) {
	if w.err != nil {
		return
	}
	w.sum.Write(b)
	w.done.Bytes += int64(len(b))
	_, w.err = w.out.Write(b)
}

// Next is the leaf after the last one that was written.
func (w *ExportWriter) Next() int64 { return w.next }

// Add writes an event. Its leaf is not before Next and within the checkpoint;
// leaves in between are left out, which only an export with a query may do.
func (w *ExportWriter) Add(e Entry) error {
	if e.Leaf < w.next || e.Leaf >= w.size {
		return fmt.Errorf("exporting leaf %d after %d leaves of %d", e.Leaf, w.next, w.size)
	}
	if err := w.skip(e.Leaf); err != nil {
		return err
	}
	hash := tlog.RecordHash(e.Body)
	b := append(append(w.line[:0], `{"event":`...), e.Body...)
	b = base64.StdEncoding.AppendEncode(append(b, `,"hash":"`...), hash[:])
	b = strconv.AppendInt(append(b, `","leaf":`...), e.Leaf, 10)
	b = appendPart(append(b, `,"what":`...), e.What)
	b = appendPart(append(b, `,"who":`...), e.Who)
	w.line = append(b, "}\n"...)
	w.write(w.line)
	w.next++
	w.done.Events++
	return w.err
}

func appendPart(b []byte, p *Part) []byte {
	if p == nil {
		return append(b, `{"erased":true}`...)
	}
	b = append(append(b, `{"part":`...), p.JSON...)
	b = base64.StdEncoding.AppendEncode(append(b, `,"salt":"`...), p.Salt)
	return append(b, `"}`...)
}

// skip writes the hashes of the leaves before end that are left out.
func (w *ExportWriter) skip(end int64) error {
	if w.err != nil || end == w.next {
		return w.err
	}
	if w.query == "" {
		w.err = fmt.Errorf("exporting the whole log: leaves %d to %d are missing", w.next, end-1)
		return w.err
	}
	var cover []Subtree
	first := w.next
	for _, cut := range w.cuts {
		if first < cut && cut < end {
			cover = append(cover, Cover(first, cut)...)
			first = cut
		}
	}
	cover = append(cover, Cover(first, end)...)
	hashes, err := readCover(w.hashes, cover)
	if err != nil {
		w.err = fmt.Errorf("reading the hashes of the leaves %d to %d: %w", w.next, end-1, err)
		return w.err
	}
	b := append(w.line[:0], `{"hashes":[`...)
	for i, h := range hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = base64.StdEncoding.AppendEncode(append(b, '"'), h[:])
		b = append(b, '"')
	}
	b = append(b, `],"skip":[`...)
	for i, s := range cover {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(s.Level), 10)
	}
	w.line = append(b, "]}\n"...)
	w.write(w.line)
	w.next = end
	return w.err
}

// Close writes the rest of the proof and the manifest. It does not close what
// it writes to.
func (w *ExportWriter) Close() (Manifest, error) {
	if err := w.skip(w.size); err != nil {
		return w.done, err
	}
	w.done.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	m := w.done
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, `{"bytes":%d,"events":%d,"sha256":"%s"}`+"\n", m.Bytes, m.Events, m.SHA256)
	}
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return m, w.err
}

// Flush hands on what was written so far: whole lines.
func (w *ExportWriter) Flush() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

// appendText writes a text as RFC 8785 section 3.2.2.2 demands. s is valid
// UTF-8.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\r':
			b = append(b, `\r`...)
		default:
			b = fmt.Appendf(b, `\u%04x`, c)
		}
	}
	return append(b, '"')
}
