package seal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// chunkSize is how much of an export is handed to a worker at once.
const chunkSize = 256 << 10

// readLines reads an export and tells v of its lines, in their order. One
// goroutine reads, one sums all bytes up, some read the lines.
func readLines(in io.Reader, workers int, v *verifier) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	r := bufio.NewReaderSize(in, chunkSize)
	first, open, err := firstLine(r)
	switch {
	case err != nil:
		return err
	case len(first) == 0:
		v.faultAt(0, "the file is empty")
		return nil
	case len(first) > MaxLine:
		v.faultAt(1, "%s", tooLong)
		return nil
	}
	head := newLineReader("").read(bytes.TrimSuffix(first, []byte("\n")))
	log, ok := v.begin(&head)
	if !ok {
		return nil
	}
	if open {
		v.end(ending{line: 1})
		return nil
	}
	p := newPipeline(r, workers)
	p.total.Write(first)
	p.bytes = int64(len(first))
	return p.run(workers, log, v)
}

var tooLong = fmt.Sprintf("the line has more than %d bytes, which no line of a verified export has", MaxLine)

// firstLine reads one line, at most a little more than MaxLine. open tells that
// it has no line feed.
func firstLine(r *bufio.Reader) (line []byte, open bool, err error) {
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil:
			return line, false, nil
		case err == io.EOF || len(line) > MaxLine:
			return line, true, nil
		case err != bufio.ErrBufferFull:
			return nil, false, err
		}
	}
}

// chunk is some whole lines.
type chunk struct {
	data  []byte
	lines []line
	busy  sync.WaitGroup // who still reads data
}

// pipeline hands chunks from the reader to those who read their lines and to
// the one who sums up, and then in their order to the verifier. Chunks are used
// again, so that there are only so many.
type pipeline struct {
	in              io.Reader
	free            chan *chunk
	work, sum, then chan *chunk
	total           hash.Hash
	bytes           int64
	last            []byte // the last line, with its line feed if it has one
	long            bool   // a line was too long, and nothing was read after it
	err             error
}

func newPipeline(in io.Reader, workers int) *pipeline {
	n := 2*workers + 2
	p := &pipeline{in: in, free: make(chan *chunk, n), work: make(chan *chunk, n), sum: make(chan *chunk, n), then: make(chan *chunk, n), total: sha256.New()}
	for range n {
		p.free <- &chunk{}
	}
	return p
}

func (p *pipeline) run(workers int, log string, v *verifier) error {
	var running sync.WaitGroup
	running.Go(p.split)
	running.Go(func() {
		for c := range p.sum {
			p.total.Write(c.data)
			p.bytes += int64(len(c.data))
			c.busy.Done()
		}
	})
	for range workers {
		running.Go(func() {
			r := newLineReader(log)
			for c := range p.work {
				c.read(r)
				c.busy.Done()
			}
		})
	}
	n := int64(1)
	for c := range p.then {
		c.busy.Wait()
		for i := range c.lines {
			n++
			v.line(n, &c.lines[i])
		}
		p.free <- c
	}
	running.Wait()
	switch {
	case p.err != nil:
		return p.err
	case p.long:
		v.faultAt(n+1, "%s", tooLong)
		return nil
	}
	p.end(n, log, v)
	return nil
}

// end tells of the last line.
func (p *pipeline) end(n int64, log string, v *verifier) {
	e := ending{line: n, bytes: p.bytes, sum: hex.EncodeToString(p.total.Sum(nil))}
	if len(p.last) > 0 {
		e.line++
		text, whole := bytes.CutSuffix(p.last, []byte("\n"))
		l := newLineReader(log).read(text)
		e.last, e.open = &l, !whole
	}
	v.end(e)
}

// read reads the lines of a chunk.
func (c *chunk) read(r *lineReader) {
	c.lines = c.lines[:0]
	for rest := c.data; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n')
		if n > MaxLine {
			c.lines = append(c.lines, line{leaf: -1, err: fmt.Errorf("%s", tooLong)})
		} else {
			c.lines = append(c.lines, r.read(rest[:n]))
		}
		rest = rest[n+1:]
	}
}

// split reads to the end and cuts what it reads into chunks. The last line is
// kept back: the manifest does not count itself.
func (p *pipeline) split() {
	defer close(p.work)
	defer close(p.sum)
	defer close(p.then)
	var kept []byte
	for {
		c := <-p.free
		c.data = append(c.data[:0], kept...)
		end, err := c.fill(p.in)
		cut := lastLineAt(c.data)
		kept = append(kept[:0], c.data[cut:]...)
		c.data = c.data[:cut]
		if cut > 0 {
			c.busy.Add(2)
			p.sum <- c
			p.work <- c
			p.then <- c
		} else {
			p.free <- c
		}
		switch {
		case err != nil:
			p.err = err
			return
		case end:
			p.last = kept
			p.long = len(kept) > MaxLine+1
			return
		case len(kept) > 2*MaxLine+chunkSize:
			p.long = true
			return
		}
	}
}

// fill reads chunkSize bytes more.
func (c *chunk) fill(in io.Reader) (end bool, err error) {
	have := len(c.data)
	c.data = slices.Grow(c.data, chunkSize)[:have+chunkSize]
	n, err := io.ReadFull(in, c.data[have:])
	c.data = c.data[:have+n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return true, nil
	}
	return false, err
}

// lastLineAt is where the last line begins that has begun at all: after the
// last line feed but that at the very end.
func lastLineAt(data []byte) int {
	return bytes.LastIndexByte(bytes.TrimSuffix(data, []byte("\n")), '\n') + 1
}

// signatureNames lists the keys that a note says signed it, unchecked.
func signatureNames(msg []byte) []string {
	var names []string
	at := bytes.LastIndex(msg, []byte("\n\n"))
	for l := range strings.Lines(string(msg[at+1:])) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(l, "— "), " "); ok && strings.HasPrefix(l, "— ") {
			names = append(names, clip(name))
		}
	}
	return names
}
