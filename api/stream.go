package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"onrecord/audit"
)

const streamText = "Server-sent events: each event once, in the order in which events are sealed (within a second of being recorded), for as long as the connection stays. " +
	"The `id` of each is its leaf number; send it back as `Last-Event-ID`, as browsers do by themselves, or as `cursor`, and the stream goes on there without a gap or a repeat. " +
	"Without either it begins with the next event to come; with `cursor=start`, at the beginning of the log. While nothing happens a comment comes every 15 seconds. " +
	"When the key is revoked or may no longer read the log, an event of the type `problem` comes within a second and the stream ends."

const (
	aliveEvery = 15 * time.Second
	// A reader who takes longer than this to take what is sent is gone.
	sendTimeout = time.Minute
	// retryAfter is when a broken stream should be asked for again.
	retryAfter = 2 * time.Second
)

type streamInput struct {
	FilterParams
	Cursor      string `query:"cursor" doc:"The leaf number after which to begin, or start for the whole log." example:"14202"`
	LastEventID string `header:"Last-Event-ID" doc:"The same; it counts if both are sent." example:"14202"`
}

// from is the leaf after which the stream begins; latest unless told.
func (in *streamInput) from(latest int64) (int64, error) {
	location, text := "query.cursor", in.Cursor
	if in.LastEventID != "" {
		location, text = "header.Last-Event-ID", in.LastEventID
	}
	if text == "start" {
		return -1, nil
	}
	after, err := readLeaf(location, text, latest)
	if err == nil && after > latest {
		return 0, wrongAt(location, text, "This log has no leaf "+text+" yet: the newest is "+strconv.FormatInt(latest, 10)+".")
	}
	return after, err
}

func (s *server) streamEvents(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
	f, err := in.filter()
	if err != nil {
		return nil, s.failed(ctx, err, in.sent(nil))
	}
	h := holder(ctx)
	latest, err := s.portal.LastLeaf(ctx, h.Caller, h.Team)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	after, err := in.from(latest)
	if err != nil {
		return nil, err
	}
	done, err := s.limits.open(h.Caller.ID)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	ctx, stop := s.untilStopping(ctx)
	follow, err := s.portal.FollowLog(ctx, h.Caller, h.Team, f, after)
	if err != nil {
		stop()
		done()
		return nil, s.failed(ctx, err, in.sent(nil))
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer done()
		defer stop()
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // asks proxies to pass each event on
		out := &sender{w: w, to: http.NewResponseController(w)}
		out.send("retry: " + strconv.FormatInt(retryAfter.Milliseconds(), 10) + "\n\n")
		s.stream(ctx, out, follow)
	}}, nil
}

// untilStopping is a context that also ends when the program is about to.
func (s *server) untilStopping(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	if s.config.Stopping == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-s.config.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// stream sends what comes, and a sign of life while nothing does.
func (s *server) stream(ctx context.Context, out *sender, follow func(func(audit.Event, error) bool)) {
	type given struct {
		e   audit.Event
		err error
	}
	// Following waits, so it has a goroutine of its own; it goes no further than
	// one event ahead of the reader.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	events := make(chan given)
	go func() {
		defer close(events)
		for e, err := range follow {
			select {
			case events <- given{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		text := ": alive\n\n"
		select {
		case g, more := <-events:
			if !more {
				return
			}
			var err error
			if text, err = s.message(ctx, g.e, g.err); err != nil {
				out.send(text)
				return
			}
			alive.Reset(aliveEvery)
		case <-alive.C:
		case <-ctx.Done():
			return
		}
		if out.send(text) != nil {
			return
		}
	}
}

// message is an event as the stream sends it, or the problem that ends it: then
// err is set.
func (s *server) message(ctx context.Context, e audit.Event, err error) (string, error) {
	var body []byte
	if err == nil {
		if body, err = json.Marshal(e); err == nil {
			return "id: " + strconv.FormatInt(*e.Leaf, 10) + "\ndata: " + string(body) + "\n\n", nil
		}
	}
	err = s.failed(ctx, err, nil)
	if p, ok := errors.AsType[*huma.ErrorModel](err); ok {
		body, _ = json.Marshal(p) // of the program's own types alone
	}
	return "event: problem\ndata: " + string(body) + "\n\n", err
}

// sender writes bit by bit to a reader who must keep up.
type sender struct {
	w     http.ResponseWriter
	to    *http.ResponseController
	begun bool // something was written
}

func (s *sender) send(text string) error {
	_, err := s.Write([]byte(text))
	if err == nil {
		err = s.to.Flush()
	}
	return err
}

// Write waits for a slow reader for sendTimeout.
func (s *sender) Write(b []byte) (int, error) {
	// Where deadlines are not supported, the connection has none to be moved.
	if err := s.to.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	s.begun = true
	return s.w.Write(b)
}
