package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/session"
	"onrecord/web"
)

// answer keeps what a handler answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.body.Write(b)
}

// cookie is what a browser holds of a session.
func cookie(in portal.SignedIn) string {
	a := &answer{header: http.Header{}}
	session.SetCookie(a, in.Token, false, 0)
	return (&http.Response{Header: a.header}).Cookies()[0].String()
}

// logPath is the address of the team's Audit Logs.
func (c *center) logPath() string { return "/t/" + c.team + "/settings/security/audit-logs" }

// pages compares the page Audit Logs, from the request to its last byte, with
// the search alone.
func (r *run) pages(ctx context.Context) error {
	c, err := r.filled(ctx)
	if err != nil {
		return err
	}
	in, err := c.signIn(ctx)
	if err != nil {
		return err
	}
	handler := web.New(c.portal, web.Config{Logger: slog.New(slog.DiscardHandler)})
	actor := audit.Filter{Actor: anyOf(actorID(0))}
	for _, p := range []struct {
		name, what, query string
		filter            audit.Filter
	}{
		{"page/everything", "everything", "?all=1", audit.Filter{}},
		{"page/actor", "of one actor", "?q=" + url.QueryEscape(actor.String()), actor},
	} {
		size := 0
		page := func() error {
			size, err = get(ctx, handler, c.logPath()+p.query, cookie(in))
			return err
		}
		search := func() error {
			_, err := c.portal.Log().Search(ctx, c.team, p.filter, audit.Page{})
			return err
		}
		got, err := r.compare(ctx, p.name, lookUps, times(lookUps, page), times(lookUps, search), nil)
		if err != nil {
			return err
		}
		row := got.row(p.name, "the page Audit Logs, 50 rows of "+count(r.Events)+": "+p.what, "the search alone").atMost(2)
		row.Note = fmt.Sprintf("%d kB of HTML", size/1000)
		r.report(row)
	}
	return nil
}

func times(n int, op func() error) func() error {
	return func() error {
		for range n {
			if err := op(); err != nil {
				return err
			}
		}
		return nil
	}
}

// get asks a handler for a page and gives the page's size.
func get(ctx context.Context, h http.Handler, path, cookie string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return 0, err
	}
	req.RemoteAddr = "127.0.0.1:1"
	req.Header.Set("Cookie", cookie)
	a := &answer{header: http.Header{}}
	h.ServeHTTP(a, req)
	if a.status != http.StatusOK {
		return 0, fmt.Errorf("GET %s answered %d: %.200s", path, a.status, a.body.String())
	}
	return a.body.Len(), nil
}
