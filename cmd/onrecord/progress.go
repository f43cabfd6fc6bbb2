package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a long work has come, on a terminal; anywhere else it
// shows nothing. The bytes that are written to it are those that are done.
type progress struct {
	bar  *progressbar.ProgressBar // nil where nobody sees it
	what string
}

// newProgress begins to show. total is in bytes; -1 if it is not known.
func newProgress(c *console, total int64, what string) *progress {
	if !isTerminal(c.err) {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// shares is the whole of a work whose share done is known, not its size.
const shares = 10_000

// newShare begins to show a work of which only the share that is done is known,
// and how much came of it.
func newShare(c *console, what string) *progress {
	if !isTerminal(c.err) {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions64(shares,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	), what: what}
}

// share says how much is done, 0 to 1, and how many events came of it.
func (p *progress) share(events int64, done float64) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, %d events", p.what, events))
		p.bar.Set64(int64(done * shares)) // can fail only in drawing
	}
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

// counter shows how far a work of many steps has come.
type counter struct{ bar *progressbar.ProgressBar }

// newCounter begins to show, on a terminal.
func newCounter(c *console, what string) *counter {
	if !isTerminal(c.err) {
		return &counter{}
	}
	return &counter{progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

// of says how many of how many steps are done.
func (p *counter) of(done, total int64) {
	if p.bar == nil {
		return
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	p.bar.Set64(done) // can fail only in drawing
}

func (p *counter) finish() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
