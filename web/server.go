// Package web is the portal in the browser: it turns requests into calls of
// package portal and what comes back into the pages of web/view. It decides
// nothing: who may do what, and what is recorded, is the portal's.
//
// routes.go lists every address. A file holds the pages of one subject.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"onrecord/portal"
)

// Config says how the portal is reached. The zero Config serves plain HTTP to
// whoever connects directly.
type Config struct {
	// URL is the address that people type, such as https://portal.example.com:
	// links for new users begin with it, and cookies are made for HTTPS if it
	// is. "" takes the address of each request, over plain HTTP.
	URL string
	// TrustedProxies may say in X-Forwarded-For for whom they ask. None unless
	// set.
	TrustedProxies []netip.Prefix
	// Logger is told of faults; slog.Default unless set.
	Logger *slog.Logger
	// Metrics answers /metrics, to programs on this machine that ask directly.
	// Nobody unless set.
	Metrics http.Handler
	// Now is the clock that pages go by; time.Now unless set.
	Now func() time.Time
}

// server answers requests. It keeps no state of its own but how far exports
// are.
type server struct {
	portal  *portal.Portal
	secure  bool   // people come by HTTPS
	base    string // Config.URL without a slash at its end, or ""
	logger  *slog.Logger
	now     func() time.Time
	csrf    *http.CrossOriginProtection
	proxies proxies
	figured http.Handler // answers /metrics; or nil
	sending sending
	stall   time.Duration // stallTime, unless a test sets it
}

// New gives the handler of all pages. A URL that is none is ignored for links
// and cookies; check it with [CheckURL] first.
func New(p *portal.Portal, c Config) http.Handler { return newServer(p, c).handler() }

func newServer(p *portal.Portal, c Config) *server {
	s := &server{portal: p, logger: c.Logger, now: c.Now, csrf: http.NewCrossOriginProtection(), proxies: c.TrustedProxies, stall: stallTime, figured: c.Metrics}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if origin, err := CheckURL(c.URL); err == nil && origin != "" {
		s.base, s.secure = origin, strings.HasPrefix(origin, "https://")
		if err := s.csrf.AddTrustedOrigin(origin); err != nil {
			s.logger.Error("the portal's own address is not taken as an origin", "url", origin, "error", err)
		}
	}
	return s
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.answer(r))
	}
	return s.guard(mux)
}

// CheckURL gives the origin of an address for [Config.URL]. Error: for what is
// not the http or https address of a host alone; "" is allowed.
func CheckURL(address string) (origin string, err error) {
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil:
		return "", &urlError{address, "it looks like https://portal.example.com"}
	case strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return "", &urlError{address, "the portal answers at the root of a host, without a path"}
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

type urlError struct{ address, why string }

func (e *urlError) Error() string { return "the address " + e.address + " cannot be used: " + e.why }
