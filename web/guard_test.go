package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal/portaltest"
)

func TestHeaders(t *testing.T) {
	s := newSite(t, func(c *Config) { c.URL = "https://portal.example.com/" })
	for _, path := range []string{"/login", "/t/" + s.Alpha + "/calls", "/nowhere", "/healthz", "/assets/none"} {
		h := s.open().get(path).Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store", "Content-Security-Policy": policy,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, not %q", path, name, got, want)
			}
		}
	}
	for _, unsafe := range []string{"unsafe", "http:", "https:", "data:", "*"} {
		if strings.Contains(policy, unsafe) {
			t.Errorf("the policy allows %s", unsafe)
		}
	}
	if h := newSite(t).open().get("/login").Header.Get("Strict-Transport-Security"); h != "" {
		t.Errorf("a portal over plain HTTP sends Strict-Transport-Security %q", h)
	}
}

func TestPagesAreNeverKeptNorNotModified(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	for _, path := range []string{"/calls/" + s.call, "/calls", "/users", "/settings/security/audit-logs"} {
		r := httptest.NewRequest("GET", "/t/"+s.Alpha+path, nil)
		r.Header.Set("If-None-Match", "*")
		r.Header.Set("If-Modified-Since", "Tue, 01 Dec 2037 00:00:00 GMT")
		a := dana.send(r).status(http.StatusOK)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("ETag")+a.Header.Get("Last-Modified") != "" {
			t.Errorf("%s may be kept: %v", path, a.Header)
		}
	}
}

func TestCookies(t *testing.T) {
	for _, c := range []struct {
		url    string
		prefix string
		secure bool
	}{{"https://portal.example.com", "__Host-", true}, {"http://portal.example.com", "", false}, {"", "", false}} {
		s := newSite(t, func(config *Config) { config.URL = c.url })
		s.SignedIn(t, s.Alpha, s.Dana)
		b := s.open()
		signedIn := b.post("/login", "email", "dana@example.com", "password", portaltest.Password).leads("/")
		renamed := b.post("/account/name", "name", "Dana C.").leads("/account")
		cookies := append(signedIn.Cookies(), renamed.Cookies()...)
		if len(cookies) != 2 || cookies[0].Name != c.prefix+"onrecord" || cookies[1].Name != c.prefix+"flash" {
			t.Fatalf("%s: cookies %v", c.url, cookies)
		}
		for _, cookie := range cookies {
			if !cookie.HttpOnly || cookie.Secure != c.secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge <= 0 {
				t.Errorf("%s: cookie %s", c.url, cookie.Raw)
			}
		}
		b.get("/account").has("Your name is saved.", "Dana C.")
		b.get("/account").lacks("Your name is saved.") // told once
	}
}

func TestSignInMakesANewSession(t *testing.T) {
	s := newSite(t)
	s.SignedIn(t, s.Alpha, s.Dana)
	planted := strings.Repeat("A", 43)
	b := s.open()
	b.cookies["onrecord"] = planted
	b.post("/login", "email", "dana@example.com", "password", portaltest.Password).leads("/")
	first := b.cookies["onrecord"]
	if first == planted || first == "" {
		t.Fatalf("the session is %q", first)
	}
	b.post("/login", "email", "dana@example.com", "password", portaltest.Password).leads("/")
	if b.cookies["onrecord"] == first {
		t.Error("signing in again keeps the session's token")
	}
	b.post("/logout").leads("/login?notice=signed-out")
	if b.cookies["onrecord"] != "" {
		t.Error("the cookie outlives signing out")
	}
	other := s.open()
	other.cookies["onrecord"] = planted
	other.get("/").leads("/login")
}

func TestLinksInChoosePassword(t *testing.T) {
	s := newSite(t, func(c *Config) { c.URL = "https://portal.example.com" })
	link, err := s.NewLink(t.Context(), s.Operator, s.Alpha, s.Agnes.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Passed()
	b := s.open()
	path := "/link/" + link.Token
	b.get(path).status(http.StatusOK).has("agnes@example.com", "Alpha")
	b.get(path).status(http.StatusOK) // opening does not use it up
	b.post(path, "name", "Agnes Ash", "password", "short").status(http.StatusUnprocessableEntity).has("at least 15", `value="Agnes Ash"`)
	b.post(path, "name", strings.Repeat("x", 500), "password", otherPassword).status(http.StatusUnprocessableEntity).has("Your name has 500", "aria-invalid")
	s.Expect(t)
	b.post(path, "name", "Agnes A.", "password", otherPassword).leads("/")
	s.Passed()
	b.get("/").status(http.StatusOK)
	s.open().get(path).status(http.StatusGone).has("was used on")
	s.open().post(path, "password", otherPassword).status(http.StatusGone)
	for _, line := range s.Passed() {
		if !strings.Contains(line, "account.password_set failed") && !strings.Contains(line, "account.password_set denied") {
			t.Errorf("recorded is %s", line)
		}
	}
}

func TestNextLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/": "/", "/account": "/account", "/t/team_1/calls?q=a+b&x=%2F": "/t/team_1/calls?q=a+b&x=%2F",
		"https://evil.example": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", `/\/evil.example`: "/",
		"/\t/evil.example": "/", "/\n/evil.example": "/", " //evil.example": "/", "javascript:alert(1)": "/", "evil.example": "/", "/%2Fevil.example": "/",
		"http:///evil.example": "/", "/%09/evil.example": "/%09/evil.example", "?next=//evil": "/", "/\x00": "/", "//user@evil.example/": "/",
	} {
		if got := local(next); got != want {
			t.Errorf("%q leads to %q, not %q", next, got, want)
		}
	}
	s := newSite(t)
	s.SignedIn(t, s.Alpha, s.Dana)
	b := s.open()
	form := []string{"email", "dana@example.com", "password", portaltest.Password, "next"}
	s.open().post("/login", append(form, "//evil.example")...).leads("/")
	b.post("/login", append(form, "/account?a=b")...).leads("/account?a=b")
	b.get("/login?next=" + url.QueryEscape("https://evil.example")).leads("/")
}

func TestForgedForwardedForNeverReachesAnEvent(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	byTrust := map[bool]*tab{}
	for trusted, networks := range map[bool][]netip.Prefix{true: proxies, false: nil} {
		s := newSite(t, func(c *Config) { c.TrustedProxies = networks })
		byTrust[trusted] = s.as(s.Alpha, s.Dana)
		for _, header := range []string{"X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip"} {
			byTrust[trusted].header.Set(header, "8.8.8.8")
		}
	}
	for _, c := range []struct {
		name    string
		trusted bool
		from    string
		heard   []string
		want    string
	}{
		{"directly", true, "203.0.113.9:1", nil, "203.0.113.9"},
		{"directly with a forged header", true, "203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		{"no proxies are trusted", false, "10.1.1.1:1", []string{"198.51.100.1"}, "10.1.1.1"},
		{"by a proxy", true, "10.1.1.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"by a proxy, forged further left", true, "10.1.1.1:1", []string{"8.8.8.8, 198.51.100.1"}, "198.51.100.1"},
		{"by two proxies, in two headers", true, "10.1.1.1:1", []string{"8.8.8.8, 198.51.100.1", "10.2.2.2"}, "198.51.100.1"},
		{"forged to look like a proxy", true, "10.1.1.1:1", []string{"8.8.8.8, 10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"nonsense", true, "10.1.1.1:1", []string{"8.8.8.8, nonsense"}, "10.1.1.1"},
		{"with a port", true, "10.1.1.1:1", []string{"198.51.100.1:5000"}, "198.51.100.1"},
		{"IPv6", true, "[2001:db8:1::1]:1", []string{"2001:db8:2::7"}, "2001:db8:2::7"},
		{"IPv4 in IPv6", true, "[::ffff:10.1.1.1]:1", []string{"[2001:db8:2::7]:99"}, "2001:db8:2::7"},
		{"an empty header", true, "10.1.1.1:1", []string{""}, "10.1.1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dana := byTrust[c.trusted]
			s := dana.site
			s.t, dana.from = t, c.from
			dana.header.Del("X-Forwarded-For")
			if c.heard != nil {
				dana.header["X-Forwarded-For"] = c.heard
			}
			dana.get("/t/" + s.Alpha + "/calls/" + s.call).status(http.StatusOK)
			found, err := s.Log().Search(t.Context(), s.Alpha, audit.Filter{}, audit.Page{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if e := found.Events[0]; e.Action != "call.viewed" || e.Context.IP != c.want || e.Context.Via != "web" ||
				!strings.HasPrefix(e.Context.Request, "req_") || e.Context.Session == "" || !strings.Contains(e.Context.UserAgent, "Firefox") {
				t.Errorf("%s from %+v, want the address %s", e.Action, e.Context, c.want)
			}
		})
	}
}

func TestALongUserAgentIsCut(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	dana.header.Set("User-Agent", strings.Repeat("ü", 4000)+"\x01\xff")
	dana.get("/t/" + s.Alpha + "/calls/" + s.call).status(http.StatusOK)
	s.Expect(t, `alpha call.viewed ok "Call Customer one"`)
}

func TestForgedFlashIsNotShown(t *testing.T) {
	s := newSite(t)
	dana, adam := s.as(s.Alpha, s.Dana), s.as(s.Alpha, s.Adam)
	dana.post("/t/"+s.Alpha+"/devices/add", "hostname", "desk-99").status(http.StatusSeeOther)
	told := dana.cookies["flash"]
	adam.cookies["flash"] = told // of another session
	adam.get("/t/" + s.Alpha + "/calls").lacks("was added")
	for _, forged := range []string{told + "x", "x" + told, strings.Split(told, ".")[0], "", ".", "e30.e30"} {
		dana.cookies["flash"] = forged
		dana.get("/t/" + s.Alpha + "/calls").status(http.StatusOK).lacks("was added")
	}
	dana.cookies["flash"] = told
	dana.get("/t/" + s.Alpha + "/calls").has("desk-99 was added.")
}

func TestTooManyTries(t *testing.T) {
	s := newSite(t)
	s.SignedIn(t, s.Alpha, s.Dana)
	s.Passed()
	b := s.open()
	for range 5 {
		b.post("/login", "email", "dana@example.com", "password", "wrong").status(http.StatusForbidden).has("not right", `value="dana@example.com"`)
	}
	if n := len(s.Passed()); n != 5 {
		t.Errorf("%d events, not 5", n)
	}
	a := b.post("/login", "email", "dana@example.com", "password", portaltest.Password).status(http.StatusTooManyRequests).has("Try again in")
	if wait := a.Header.Get("Retry-After"); wait == "" || wait == "0" {
		t.Errorf("Retry-After is %q", wait)
	}
	s.Expect(t)
}

func TestBodies(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/devices/add"
	dana.post(path, "hostname", strings.Repeat("x", maxForm)).status(http.StatusRequestEntityTooLarge)
	for kind, body := range map[string]string{"application/json": `{"hostname":"evil"}`, "text/plain": "hostname=evil", "": "hostname=evil"} {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		dana.send(r).status(http.StatusUnsupportedMediaType)
	}
	for kind, body := range map[string]string{"application/x-www-form-urlencoded": "hostname=%zz", "multipart/form-data": "x", "multipart/form-data; boundary=a": "--a\r\nno end"} {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		dana.send(r).status(http.StatusBadRequest)
	}
	s.Expect(t)
	dana.get("/t/" + s.Alpha + "/users?state=%zz").status(http.StatusOK) // an unreadable value is none
	dana.get("/t/" + s.Alpha + "/users?offset=-9999999999999999999999").status(http.StatusOK)
}

func TestFaultsTellNothing(t *testing.T) {
	var told bytes.Buffer
	s := newSite(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&told, nil)) })
	for _, rt := range []route{
		{handle: func(*visit) error { panic("the secret of the house") }, open: true},
		{handle: func(*visit) error { return errSecret{} }, open: true},
	} {
		w := httptest.NewRecorder()
		s.server.guard(s.server.answer(rt)).ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		a := answer{w.Result(), w.Body.String(), t, "/x"}
		a.status(http.StatusInternalServerError).lacks("secret").has("Something went wrong here", "req_")
		if !strings.Contains(told.String(), "the secret of the house") || !strings.Contains(told.String(), a.Header.Get("X-Request-Id")) {
			t.Errorf("the program's log has %s", told.String())
		}
		told.Reset()
	}
}

type errSecret struct{}

func (errSecret) Error() string { return "the secret of the house" }

func TestStatuses(t *testing.T) {
	for code, want := range map[audit.Code]int{
		audit.CodeDenied: 403, audit.CodeNotFound: 404, audit.CodeGone: 410, audit.CodeConflict: 409, audit.CodeInvalid: 422,
		audit.CodeTooMany: 429, audit.CodeUnavailable: 503, audit.CodeInternal: 500,
	} {
		if got := statusOf(&audit.Error{Code: code}); got != want {
			t.Errorf("%s is %d, not %d", code, got, want)
		}
	}
	if got := statusOf(errSecret{}); got != 500 {
		t.Errorf("a fault is %d", got)
	}
}

func TestCheckURL(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "https://portal.example.com": "https://portal.example.com", "https://Portal.example.com/": "https://portal.example.com", "http://127.0.0.1:8080": "http://127.0.0.1:8080",
	} {
		if got, err := CheckURL(address); err != nil || got != want {
			t.Errorf("%q gives %q, %v", address, got, err)
		}
	}
	for _, address := range []string{"portal.example.com", "ftp://x", "https://", "https://x/portal", "https://x?y", "https://x#y", "https://u:p@x", "://"} {
		if got, err := CheckURL(address); err == nil {
			t.Errorf("%q is taken as %q", address, got)
		}
	}
}
