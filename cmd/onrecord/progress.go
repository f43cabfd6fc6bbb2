package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a long work has come, on a terminal; anywhere else it
// shows nothing. The bytes that are written to it are those that are done.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins to show. total is in bytes; -1 if it is not known.
func newProgress(c *console, total int64, what string) *progress {
	if !isTerminal(c.err) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// Write counts bytes as done. It never fails.
func (p *progress) Write(b []byte) (int, error) {
	if p.bar != nil {
		p.bar.Add(len(b)) // can fail only in drawing
	}
	return len(b), nil
}

// set says how far the work has come.
func (p *progress) set(done int64) {
	if p.bar != nil {
		p.bar.Set64(done) // can fail only in drawing
	}
}

// clear makes room for a line of text.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// isTerminal tells whether a person reads what is written there.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
