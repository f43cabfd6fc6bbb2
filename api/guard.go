package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
)

// policy keeps the page for people from running or loading anything but its
// own styles. Answers in JSON are no pages.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard is around everything: headers, and an answer when the program fails.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := audit.NewID("req", s.config.Now())
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Request-Id", request)
		if strings.HasPrefix(s.config.URL, "https://") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if fault := recover(); fault != nil {
				if fault == http.ErrAbortHandler {
					panic(fault)
				}
				s.config.Logger.ErrorContext(r.Context(), "an answer of the API panicked", "request", request, "route", r.Pattern, "fault", fault, "stack", string(debug.Stack()))
				s.refuse(w, internal(request))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// nowhere answers addresses and methods that no operation has.
func (s *server) nowhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := ""
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "/" && pattern != "" {
				allowed += ", " + method
			}
		}
		if allowed != "" {
			w.Header().Set("Allow", strings.TrimPrefix(allowed, ", "))
			s.refuse(w, problem(http.StatusMethodNotAllowed, "This address does not take "+quoted(r.Method)+"."))
			return
		}
		s.refuse(w, problem(http.StatusNotFound, "There is no such address in the API; "+Prefix+"/docs lists them all."))
	}
}

// refuse writes a problem outside any operation.
func (s *server) refuse(w http.ResponseWriter, p *huma.ErrorModel) {
	body, err := json.Marshal(p)
	if err != nil {
		s.config.Logger.Error("a problem could not be written", "error", err)
	}
	w.Header().Set("Content-Type", p.ContentType("application/json"))
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n'))
}

// connection is the address at the other end of the connection.
func connection(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// static is a document that is the same for everybody.
type static struct {
	contentType string
	body        []byte
}

func (f static) handler() http.Handler {
	sum := sha256.Sum256(f.body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "no-cache") // kept, and asked for again
		h.Set("ETag", tag)
		http.ServeContent(w, r, "", zeroTime, bytes.NewReader(f.body))
	})
}
