package session

import (
	"net/http"
	"time"
)

// cookieName: the __Host- prefix makes browsers refuse the cookie unless it is
// Secure, of this host alone and for every path, so that no neighbouring
// subdomain can plant one. Over plain HTTP they would refuse it always.
func cookieName(secure bool) string {
	if secure {
		return "__Host-onrecord"
	}
	return "onrecord"
}

func newCookie(value string, secure bool) *http.Cookie {
	return &http.Cookie{
		Name:     cookieName(secure),
		Value:    value,
		Path:     "/",
		HttpOnly: true,
		Secure:   secure,
		SameSite: http.SameSiteLaxMode,
	}
}

// SetCookie gives the browser the token of its session for so long (whole
// seconds; 0 means until the browser closes). secure says that people reach
// the portal by HTTPS.
func SetCookie(w http.ResponseWriter, token string, secure bool, life time.Duration) {
	cookie := newCookie(token, secure)
	cookie.MaxAge = int(life / time.Second)
	http.SetCookie(w, cookie)
}

// ClearCookie makes the browser forget its session.
func ClearCookie(w http.ResponseWriter, secure bool) {
	cookie := newCookie("", secure)
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

// ReadCookie gives the token of the browser's session. It is "" and false if
// there is none or the cookie does not hold a token.
func ReadCookie(r *http.Request, secure bool) (token string, ok bool) {
	cookie, err := r.Cookie(cookieName(secure))
	if err != nil || !isToken(cookie.Value) {
		return "", false
	}
	return cookie.Value, true
}
