package web

import (
	"net/http"
	"time"
)

// Answered is one request that was answered, as figures and the access log
// tell it: nothing in it says who asked, or for whom.
type Answered struct {
	Request string // its id, as in the events that it caused; "" for what no page answered
	Method  string
	Route   string // the pattern, never the address: that has ids and the tokens of links
	Status  int
	Bytes   int64
	Took    time.Duration
}

// Observed tells about each request that h answers, once it has. told must be
// quick. A request whose answer was broken off has status 499.
func Observed(h http.Handler, told func(*http.Request, Answered)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		heard := &hearing{ResponseWriter: w}
		whole := false
		defer func() {
			a := Answered{
				Request: w.Header().Get("X-Request-Id"), Method: method(r.Method), Route: r.Pattern,
				Status: heard.status, Bytes: heard.bytes, Took: time.Since(start),
			}
			switch {
			case !whole:
				a.Status = brokenOff
			case a.Status == 0:
				a.Status = http.StatusOK
			}
			told(r, a)
		}()
		h.ServeHTTP(heard, r)
		whole = true
	})
}

const brokenOff = 499 // as other servers log it

// method is the request's, unless it is one that a client made up.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// hearing is a ResponseWriter that remembers what was answered.
type hearing struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (h *hearing) WriteHeader(status int) {
	if h.status == 0 && status >= http.StatusOK {
		h.status = status
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *hearing) Write(b []byte) (int, error) {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	n, err := h.ResponseWriter.Write(b)
	h.bytes += int64(n)
	return n, err
}

// Flush sends what was written so far.
func (h *hearing) Flush() {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	http.NewResponseController(h.ResponseWriter).Flush() // fails for a client that hung up
}

// Unwrap is for http.ResponseController.
func (h *hearing) Unwrap() http.ResponseWriter { return h.ResponseWriter }
