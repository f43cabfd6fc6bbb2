package api

import (
	"context"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
)

// BenchmarkPage compares a page of events over the API, from the request to the
// last byte of the answer, with the search that it makes.
func BenchmarkPage(b *testing.B) {
	s := newSite(b)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 1000 {
				in := audit.Intent{Log: s.Alpha, Actor: s.Dana.Actor, Action: portal.CallViewed, Context: s.Dana.Context,
					Object: audit.Ref{Type: "call", ID: "call_" + strconv.Itoa(i*1000+j), Name: "Customer " + strconv.Itoa(j)}}
				if _, err := s.Log().Note(context.Background(), in); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := s.Log().Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, limit := range []int{50, 1000} {
		b.Run("search/"+strconv.Itoa(limit), func(b *testing.B) {
			for b.Loop() {
				if r, err := s.Log().Search(b.Context(), s.Alpha, audit.Filter{}, audit.Page{Limit: limit}); err != nil || len(r.Events) != limit {
					b.Fatal(len(r.Events), err)
				}
			}
		})
		b.Run("api/"+strconv.Itoa(limit), func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest("GET", Prefix+"/audit-events?limit="+strconv.Itoa(limit), nil)
				r.Header.Set("Authorization", "Bearer "+s.key)
				w := httptest.NewRecorder()
				if s.handler.ServeHTTP(w, r); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
