package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"onrecord/portal"
)

// Operating gives what programs that watch the portal ask for, for an address
// of their own: /healthz, /readyz and, from metrics, /metrics.
func Operating(p *portal.Portal, logger *slog.Logger, metrics http.Handler) http.Handler {
	s := &server{portal: p, logger: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.Handle("GET /readyz", s.ready())
	mux.Handle("GET /metrics", metrics)
	return s.guard(mux)
}

// healthz answers that the program is alive.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n")) // fails for a client that hung up
}

// ready answers whether the portal can serve: 503 if the database cannot be
// reached or its schema is not this program's. What its log has to tell stands
// in the body and is no reason to take the portal down.
func (s *server) ready() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, err := s.portal.Health(r.Context())
		status := http.StatusOK
		if err != nil {
			status = http.StatusServiceUnavailable
			s.logger.WarnContext(r.Context(), "the portal is not ready", "error", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(readiness(h, err)) // fails for a client that hung up
	})
}

// readyBody is the answer of /readyz. docs/operating.md describes it.
type readyBody struct {
	Status   string   `json:"status"`   // ready, not ready
	Database string   `json:"database"` // reachable, unreachable
	Schema   string   `json:"schema"`   // current, other, unknown
	Events   int64    `json:"events"`
	Unsealed int64    `json:"unsealed_events"`
	Lag      float64  `json:"seal_lag_seconds"`
	Checked  *string  `json:"log_checked"` // when; null if it never was
	Faulty   int      `json:"log_faults"`
	Faults   []string `json:"faults"` // the first of them
}

func readiness(h portal.Health, err error) readyBody {
	b := readyBody{
		Status: "ready", Database: "reachable", Schema: "current",
		Events: h.Events, Unsealed: h.Unsealed, Lag: h.Lag.Seconds(), Faulty: h.Faulty, Faults: h.Faults,
	}
	if b.Faults == nil {
		b.Faults = []string{}
	}
	if !h.Checked.IsZero() {
		at := h.Checked.UTC().Format(time.RFC3339)
		b.Checked = &at
	}
	switch {
	case errors.Is(err, portal.ErrOtherSchema):
		b.Status, b.Schema = "not ready", "other"
	case err != nil:
		b.Status, b.Database, b.Schema = "not ready", "unreachable", "unknown"
	}
	return b
}

// figures answers /metrics to a program on this machine. To everybody else
// there is no such page: a proxy says for whom it asks, and so is somebody else.
func (v *visit) figures() error {
	if v.figured == nil || !onThisMachine(v.r) {
		return v.nowhere()
	}
	v.figured.ServeHTTP(v.w, v.r)
	return nil
}

func onThisMachine(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}
