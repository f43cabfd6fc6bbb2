// Package api is the portal for programs: JSON over HTTP at /api/v1, one key of
// one team for each program. It turns requests into calls of package portal,
// and decides nothing: who may do what, and what is recorded, is the portal's.
//
// The OpenAPI document is made from the types here; docs/api.md explains it
// with examples. A file holds the operations of one subject.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"onrecord/portal"
)

// Prefix is what the address of every operation begins with.
const Prefix = "/api/v1"

// Config says how the API is reached. The zero Config answers whoever connects
// directly.
type Config struct {
	// URL is the origin that people type, such as https://portal.example.com,
	// without a slash at its end; "" leaves it to each request.
	URL string
	// Client gives the address that a request came from, which is recorded; the
	// connection's own unless set.
	Client func(*http.Request) string
	// Logger is told of faults; slog.Default unless set.
	Logger *slog.Logger
	// Now is the clock that limits go by; time.Now unless set.
	Now func() time.Time
	// Stopping is closed when the program is about to end, so that streams end
	// as well; nil if it never is.
	Stopping <-chan struct{}
	// Rate is how many requests a second a key may make in the long run, and
	// Burst how many at once; 20 and 100 unless set.
	Rate, Burst int
}

const (
	defaultRate  = 20
	defaultBurst = 100
	// mostOpen is how many exports and streams one key may have open at once.
	mostOpen = 8
)

// server answers requests. Beside its limits it keeps no state.
type server struct {
	portal *portal.Portal
	config Config
	limits *limits
	huma   huma.API
	spec   []byte // the OpenAPI document
	page   []byte // the same for people
}

// New gives the handler of every address under [Prefix].
func New(p *portal.Portal, c Config) http.Handler { return newServer(p, c).handler() }

func newServer(p *portal.Portal, c Config) *server {
	if c.Client == nil {
		c.Client = connection
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rate <= 0 {
		c.Rate = defaultRate
	}
	if c.Burst <= 0 {
		c.Burst = defaultBurst
	}
	return &server{portal: p, config: c, limits: newLimits(c.Now, c.Rate, c.Burst)}
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	config := huma.Config{
		OpenAPI:                      description(s.config.URL),
		Formats:                      huma.DefaultFormats,
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{explain},
	}
	s.huma = humago.NewWithPrefix(mux, Prefix, config)
	s.huma.UseMiddleware(s.authenticate)
	s.events()
	s.catalogue()
	s.users()
	s.proofs()
	spec, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		panic(err) // made of the program's own types alone
	}
	s.spec, s.page = spec, docsPage(s.huma.OpenAPI())
	for pattern, file := range map[string]static{
		"/openapi.json": {"application/openapi+json", s.spec},
		"/docs":         {"text/html; charset=utf-8", s.page},
		"/docs.css":     {"text/css; charset=utf-8", docsStyle},
	} {
		mux.Handle("GET "+Prefix+pattern, file.handler())
	}
	mux.Handle("GET "+Prefix+"/{$}", http.RedirectHandler(Prefix+"/docs", http.StatusSeeOther))
	mux.HandleFunc("/", s.nowhere(mux))
	return s.guard(mux)
}
