package session

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestCookieAttributes(t *testing.T) {
	token := NewToken()
	for _, c := range []struct {
		secure bool
		set    string
		clear  string
	}{
		{true, "__Host-onrecord=" + token + "; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax", "__Host-onrecord=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{false, "onrecord=" + token + "; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax", "onrecord=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		SetCookie(w, token, c.secure, 12*time.Hour)
		ClearCookie(w, c.secure)
		got := w.Result().Header.Values("Set-Cookie")
		if len(got) != 2 || got[0] != c.set || got[1] != c.clear {
			t.Errorf("secure %t: got %q, want %q and %q", c.secure, got, c.set, c.clear)
		}
	}
}

func TestCookieComesBack(t *testing.T) {
	token := NewToken()
	for _, secure := range []bool{true, false} {
		w := httptest.NewRecorder()
		SetCookie(w, token, secure, time.Hour)
		r := httptest.NewRequest("GET", "/", nil)
		for _, cookie := range w.Result().Cookies() {
			r.AddCookie(cookie)
		}
		if got, ok := ReadCookie(r, secure); !ok || got != token {
			t.Errorf("secure %t: read %q, %t", secure, got, ok)
		}
		if got, ok := ReadCookie(r, !secure); ok || got != "" {
			t.Errorf("secure %t: the other kind's cookie was read: %q", secure, got)
		}
	}
}

func TestCookieThatHoldsNoToken(t *testing.T) {
	for _, value := range []string{"", "x", NewToken() + "x", "../../etc/passwd"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "onrecord", Value: value})
		if got, ok := ReadCookie(r, false); ok || got != "" {
			t.Errorf("read %q from %q", got, value)
		}
	}
	if _, ok := ReadCookie(httptest.NewRequest("GET", "/", nil), false); ok {
		t.Error("read a token without a cookie")
	}
}
