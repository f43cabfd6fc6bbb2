package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

const (
	aliveEvery = 15 * time.Second // a sign of life, so that nobody on the way takes the silence for the end
	liveAgain  = 2 * time.Second  // when a browser asks again after a stream broke off
)

// liveButton lets new events into the list: that of the newest page alone. from
// is what LiveFrom gave before the list was read.
func (v *visit) liveButton(q logQuery, from int64) templ.Component {
	values := url.Values{"after": {strconv.FormatInt(from, 10)}}
	for _, h := range q.hidden() {
		values.Set(h.Name, h.Value)
	}
	return view.LiveButton(v.logPath("live") + "?" + values.Encode())
}

// live is GET …/audit-logs/live: the rows of events as they are sealed, as
// server-sent events whose ids are leaf numbers. It goes on after the one that
// the browser names as its last, or after the leaf in the address.
func (v *visit) live() error {
	q, _, err := readLogQuery(v.logPath(""), v.r.URL.Query())
	if err != nil {
		return err
	}
	text := v.r.Header.Get("Last-Event-ID")
	if text == "" {
		text = v.r.URL.Query().Get("after")
	}
	ctx, stop := v.long()
	defer stop()
	after, err := v.liveAfter(ctx, text)
	if err != nil {
		return err
	}
	follow, err := v.portal.FollowLog(ctx, v.by(), v.team(), q.asked(), after)
	if err != nil {
		return err
	}
	out := v.stream(func() {
		v.w.Header().Set("Content-Type", "text/event-stream")
		v.w.Header().Set("X-Accel-Buffering", "no") // asks proxies to pass each event on
	})
	l := &liveView{visit: v, q: q, out: out, icons: map[string]bool{}}
	if err := l.send(ctx, follow); err != nil {
		v.logger.DebugContext(v.ctx(), "a live view ended", "request", v.from.Request, "error", err)
	}
	return nil
}

// liveAfter reads the leaf after which a live view begins; the newest unless
// told.
func (v *visit) liveAfter(ctx context.Context, text string) (int64, error) {
	if text == "" {
		return v.portal.LiveFrom(ctx, v.by(), v.team())
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err == nil && after >= -1 {
		return after, nil
	}
	if _, err := v.portal.LiveFrom(ctx, v.by(), v.team()); err != nil {
		return 0, err // whoever may not read the log does not learn this either
	}
	return 0, audit.Invalid("after", "after: “%s” is no number of a leaf.", clipped(text, 40))
}

// liveView is one stream.
type liveView struct {
	*visit
	q     logQuery
	out   *stream
	icons map[string]bool // that this stream has sent
}

type followed struct {
	event audit.Event
	err   error
}

// send sends what comes, until the reader goes, may no longer read, or does not
// keep up. Following has a goroutine of its own, which is at most one event
// ahead: nobody who records waits for a reader.
func (l *liveView) send(ctx context.Context, follow func(func(audit.Event, error) bool)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	events := make(chan followed)
	go func() {
		defer close(events)
		for e, err := range follow {
			select {
			case events <- followed{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	if err := l.write("retry: " + strconv.FormatInt(liveAgain.Milliseconds(), 10) + "\n\n"); err != nil {
		return err
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		select {
		case f, more := <-events:
			if !more {
				return nil
			}
			if f.err != nil {
				return l.end(f.err)
			}
			if err := l.row(&f.event); err != nil {
				return err
			}
		case <-alive.C:
			if err := l.write(": alive\n\n"); err != nil {
				return err
			}
		}
	}
}

func (l *liveView) write(text string) error {
	_, err := l.out.Write([]byte(text))
	return err
}

// row sends the row of an event, and before it the icons that it needs.
func (l *liveView) row(e *audit.Event) error {
	refs, err := l.places(*e)
	if err != nil {
		return errors.Join(err, l.end(err))
	}
	row := refs.row(l.q, e)
	var text strings.Builder
	for _, name := range view.RowIcons(row) {
		if !l.icons[name] {
			l.icons[name] = true
			if err := l.message(&text, "icon", "", view.LiveIcon(name)); err != nil {
				return err
			}
		}
	}
	if err := l.message(&text, "row", strconv.FormatInt(*e.Leaf, 10), view.LiveRow(row)); err != nil {
		return err
	}
	return l.write(text.String())
}

// message adds a piece of a page as a message of the stream.
func (l *liveView) message(to *strings.Builder, kind, id string, piece templ.Component) error {
	var body bytes.Buffer
	if err := piece.Render(l.ctx(), &body); err != nil {
		return err
	}
	if id != "" {
		to.WriteString("id: " + id + "\n")
	}
	to.WriteString("event: " + kind + "\n")
	for line := range strings.Lines(body.String()) {
		to.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	to.WriteString("\n")
	return nil
}

// end says why the stream ends, so that the browser does not ask again.
func (l *liveView) end(why error) error {
	message := http.StatusText(http.StatusInternalServerError)
	switch e, ok := refusal(why); {
	case ok:
		message = e.Message
	case errors.Is(why, portal.ErrStopping), errors.Is(why, context.Canceled):
		return why // it may ask again
	default:
		l.logger.ErrorContext(l.ctx(), "a live view failed", "request", l.from.Request, "error", why)
	}
	return errors.Join(why, l.write("event: end\ndata: "+strings.ReplaceAll(message, "\n", " ")+"\n\n"))
}
