package web

import (
	"context"
	"net/http"
	"time"

	"onrecord/portal"
)

const (
	// stallTime is how long the reader of a long answer may take for a piece of
	// it, before it is cut off.
	stallTime  = 30 * time.Second
	streamSize = 32 << 10 // bytes of such a piece
)

// stoppingKey is under which the context of a request holds the one that ends
// when the program is told to stop.
type stoppingKey struct{}

// long gives the context of an answer that takes as long as it takes: it ends
// with the request, and at once when the program is told to stop, which does
// not wait for such answers. The caller calls stop.
func (v *visit) long() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(v.ctx())
	detach := func() bool { return true }
	if stopping, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		detach = context.AfterFunc(stopping, func() { cancel(portal.ErrStopping) })
	}
	return ctx, func() {
		detach()
		cancel(nil)
	}
}

// stream writes a long answer: as long as its reader reads, no time limit ends
// it. begin sets the headers, before the first byte.
type stream struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	stall time.Duration
	begin func()
	begun bool
}

func (v *visit) stream(begin func()) *stream {
	s := &stream{w: v.w, rc: http.NewResponseController(v.w), stall: v.stall, begin: begin}
	// The whole request has arrived; the limit for that would end the answer.
	s.rc.SetReadDeadline(time.Time{}) // a test's recorder has none
	return s
}

// Write sends b in pieces, and returns when the reader has taken all but what
// the connection holds.
func (s *stream) Write(b []byte) (n int, err error) {
	if !s.begun {
		s.begun = true
		s.begin()
	}
	for n < len(b) {
		s.rc.SetWriteDeadline(time.Now().Add(s.stall))
		sent, err := s.w.Write(b[n:min(len(b), n+streamSize)])
		if n += sent; err != nil {
			return n, err
		}
	}
	s.rc.SetWriteDeadline(time.Now().Add(s.stall))
	return n, s.rc.Flush()
}

// breakOff ends an answer so that its reader sees that it is not whole.
func (s *stream) breakOff() { panic(http.ErrAbortHandler) }
