package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the networks whose machines may say for whom they ask.
type proxies []netip.Prefix

// Client gives the address that a request came from, as pages record it, to
// what is served beside them.
func (c Config) Client(r *http.Request) string { return proxies(c.TrustedProxies).client(r) }

func (p proxies) trust(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// client gives the address that a request came from. Only a trusted proxy is
// believed about whom it asks for, and of X-Forwarded-For only what trusted
// proxies wrote: each adds at the right end whom it heard, so that the list is
// read from there to the first that is none of them. What stands further left
// may be forged. "" if the connection has no address.
func (p proxies) client(r *http.Request) string {
	at, ok := address(r.RemoteAddr)
	if !ok {
		return ""
	}
	heard := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(heard) - 1; i >= 0 && p.trust(at); i-- {
		next, ok := address(strings.TrimSpace(heard[i]))
		if !ok {
			break
		}
		at = next
	}
	return at.String()
}

// address reads an IP address with or without a port.
func address(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}
