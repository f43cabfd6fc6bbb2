package web

import "onrecord/web/assets"

// route is one address of the portal.
type route struct {
	pattern string             // method and path, as http.ServeMux takes them
	handle  func(*visit) error // an error becomes the page that says so
	open    bool               // for people who are not signed in
	body    int64              // bytes that a form may have; maxForm unless set
}

const (
	maxForm   = 64 << 10
	maxUpload = 2 << 20
)

// routes are all of them, but for those that no visit needs: see mount.
func (s *server) routes() []route {
	return []route{
		{pattern: "GET /assets/", handle: plain(assets.Handler()), open: true},
		{pattern: "GET /healthz", handle: (*visit).healthz, open: true},
		{pattern: "/", handle: (*visit).nowhere},
	}
}
