package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
	"onrecord/portal"
)

// operations are addresses of every operation, each once.
func (s *site) operations() []string {
	var all []string
	for path, v := range visits {
		all = append(all, s.address(path, v.good[0].path))
	}
	return all
}

func TestARevokedKeyOpensNothing(t *testing.T) {
	s := newSite(t)
	s.get(s.key, "/actions").status(http.StatusOK)
	if _, err := s.RevokeAPIKey(t.Context(), s.Dana, s.Alpha, s.keyID, "leaked"); err != nil {
		t.Fatal(err)
	}
	s.Passed()
	for _, at := range s.operations() {
		s.get(s.key, at).problem(http.StatusUnauthorized, "", "was revoked on 2026-03-01")
	}
	s.Expect(t, `alpha access.refused denied "SIEM": refusal=*`) // once an hour
}

func TestAnExpiredKeyOpensNothing(t *testing.T) {
	s := newSite(t)
	key, _ := s.newKey(s.Dana, s.Alpha, portal.NewAPIKey{Name: "short", Expires: s.Clock.Now().Add(time.Hour)})
	s.get(key, "/actions").status(http.StatusOK)
	s.Clock.Advance(time.Hour)
	s.Passed()
	for _, at := range s.operations() {
		s.get(key, at).problem(http.StatusUnauthorized, "", "expired on")
	}
	s.Expect(t, `alpha access.refused denied "short": refusal=*`)
}

func TestAKeyStopsWithItsPerson(t *testing.T) {
	s := newSite(t)
	key, _ := s.newKey(s.Adam, s.Alpha, portal.NewAPIKey{Name: "Adam's"})
	if _, err := s.ChangeRole(t.Context(), s.Dana, s.Alpha, s.Adam.ID, portal.Agent, "", ""); err != nil {
		t.Fatal(err)
	}
	s.Passed()
	for _, at := range s.operations() {
		s.get(key, at).problem(http.StatusUnauthorized, "", "is an Agent now")
	}
	s.Expect(t, `alpha access.refused denied "Adam's": refusal=*`)
}

func TestNotOnThisPlan(t *testing.T) {
	s := newSite(t)
	if _, err := s.ChangePlan(t.Context(), s.Operator, s.Alpha, portal.PlanCore, ""); err != nil {
		t.Fatal(err)
	}
	s.Passed()
	for path, v := range visits {
		at := s.address(path, v.good[0].path)
		if path == "/actions" || strings.HasPrefix(path, "/users") {
			s.get(s.key, at).status(http.StatusOK)
			continue
		}
		a := s.get(s.key, at).problem(http.StatusForbidden, "", "part of the plan Call Center AI")
		if !strings.Contains(a.body, `"title":"Not on this plan"`) {
			t.Errorf("%s: %s", at, a.body)
		}
	}
	s.Expect(t)
}

func TestKeysInTheWrongPlace(t *testing.T) {
	s := newSite(t)
	for _, header := range []string{"", "Basic " + s.key, s.key, "Bearer", "Bearer "} {
		r := httptest.NewRequest("GET", Prefix+"/actions", nil)
		r.Header.Set("Authorization", header)
		r.AddCookie(&http.Cookie{Name: "onrecord", Value: s.key})
		s.send(r).problem(http.StatusUnauthorized, "", "Authorization: Bearer")
	}
	s.get("", "/actions?key="+s.key).problem(http.StatusUnauthorized, "")
	s.Expect(t) // without a key there is nobody to record
	r := httptest.NewRequest("GET", Prefix+"/actions", nil)
	r.Header.Set("Authorization", "bearer  "+s.key) // as RFC 9110 reads schemes
	s.send(r).status(http.StatusOK)
}

func TestUnknownKeysAreSlowedDown(t *testing.T) {
	s := newSite(t)
	codes := map[int]int{}
	for range 40 {
		a := s.get("ork_guess", "/actions")
		codes[a.StatusCode]++
		if wait, err := strconv.Atoi(a.Header.Get("Retry-After")); a.StatusCode == http.StatusTooManyRequests && (err != nil || wait < 1) {
			t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
		}
	}
	if recorded := len(s.Passed()); recorded > 10 || codes[http.StatusUnauthorized] != recorded || codes[http.StatusTooManyRequests] != 40-recorded {
		t.Errorf("%d are recorded of the answers %v", recorded, codes)
	}
	s.get(s.key, "/actions").status(http.StatusOK)
}

func TestRateOfAKey(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Rate, c.Burst = 2, 5 })
	ask := func(key string) int { return s.get(key, "/actions").StatusCode }
	for i := range 5 {
		if got := ask(s.key); got != http.StatusOK {
			t.Fatalf("request %d is answered %d", i, got)
		}
	}
	if got := s.get(s.key, "/actions").problem(http.StatusTooManyRequests, "", "2 a second").Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After is %q", got)
	}
	if got := ask(s.betaKey); got != http.StatusOK {
		t.Errorf("another key is answered %d", got)
	}
	s.Clock.Advance(time.Second)
	if got := []int{ask(s.key), ask(s.key), ask(s.key)}; got[0] != 200 || got[1] != 200 || got[2] != 429 {
		t.Errorf("a second later the answers are %v", got)
	}
	s.Expect(t)
}

func TestBucketsAreForgotten(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimits(func() time.Time { return now }, 1, 2)
	for i := range 2 * mostBuckets {
		if err := l.take("key_" + strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Millisecond)
	}
	if len(l.buckets) > mostBuckets {
		t.Errorf("%d buckets are kept", len(l.buckets))
	}
	for range mostOpen {
		if _, err := l.open("k"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.open("k"); err == nil {
		t.Error("one more than the most may be open")
	}
}

func TestFaultsTellNothing(t *testing.T) {
	var told strings.Builder
	s := newSite(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&told, nil)) })
	ctx := context.WithValue(t.Context(), fromKey, audit.Context{Request: "req_1"})
	p, ok := errors.AsType[*huma.ErrorModel](s.server.failed(ctx, errors.New("sql: no such table"), nil))
	if !ok || p.Status != http.StatusInternalServerError || strings.Contains(p.Detail, "sql") || !strings.Contains(p.Detail, "req_1") {
		t.Errorf("a fault is answered %+v", p)
	}
	if !strings.Contains(told.String(), "no such table") || !strings.Contains(told.String(), "req_1") {
		t.Errorf("the log says %q", told.String())
	}
	gone, hangUp := context.WithCancel(ctx)
	hangUp()
	told.Reset()
	if s.server.failed(gone, fmt.Errorf("reading: %w", gone.Err()), nil); told.Len() > 0 {
		t.Errorf("of a caller who hung up the log says %q", told.String())
	}
}

// Whatever a query holds, the answer is what was asked for or a problem that
// names what is wrong.
func FuzzQuery(f *testing.F) {
	for _, b := range badFilters {
		f.Add(b.query)
	}
	for _, b := range badPages {
		f.Add(b.query)
	}
	f.Add("q=actor:dana@example.com -outcome:ok&limit=7")
	f.Add("actor=%22Dana%22,&object=a%2Cb&action=call.viewed")
	f.Add("cursor=AAAAAAAAAAAAAAAA")
	f.Add("limit=%30%31;cursor=x")
	s := newSite(f)
	f.Fuzz(func(t *testing.T, query string) {
		s.t = t
		s.Clock.Advance(time.Second)
		for _, path := range []string{"/audit-events", "/audit-events/histogram", "/audit-events/" + s.event, "/users"} {
			r := httptest.NewRequest("GET", Prefix+path, nil)
			r.URL.RawQuery = query
			r.Header.Set("Authorization", "Bearer "+s.key)
			a := s.send(r)
			if a.StatusCode == http.StatusUnprocessableEntity {
				a.problem(http.StatusUnprocessableEntity, "")
			} else if a.status(http.StatusOK); !json.Valid([]byte(a.body)) {
				t.Errorf("%s?%s answers %q", path, query, a.body)
			}
		}
	})
}
