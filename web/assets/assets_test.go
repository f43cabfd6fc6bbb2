package assets

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"testing"
)

func get(t *testing.T, method, url string) *http.Response {
	t.Helper()
	answer := httptest.NewRecorder()
	Handler().ServeHTTP(answer, httptest.NewRequest(method, url, nil))
	return answer.Result()
}

func TestHandler(t *testing.T) {
	for name, wantType := range map[string]string{
		"portal.css": "text/css; charset=utf-8",
		"keys.js":    "text/javascript; charset=utf-8",
		"lists.js":   "text/javascript; charset=utf-8",
		"log.js":     "text/javascript; charset=utf-8",
		"icon.svg":   "image/svg+xml",
	} {
		answer := get(t, "GET", URL(name))
		if answer.StatusCode != 200 || answer.ContentLength == 0 {
			t.Errorf("%s: status %d, %d bytes", name, answer.StatusCode, answer.ContentLength)
		}
		if got := answer.Header.Get("Content-Type"); got != wantType {
			t.Errorf("%s: type %q, want %q", name, got, wantType)
		}
		if got := answer.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: cache %q", name, got)
		}
	}
	for _, url := range []string{Prefix, Prefix + "portal.css", Prefix + "../assets.go", Prefix + "portal-000000000000.css"} {
		if got := get(t, "GET", url).StatusCode; got != 404 {
			t.Errorf("%s: status %d, want 404", url, got)
		}
	}
	if got := get(t, "POST", URL("keys.js")).StatusCode; got != 405 {
		t.Errorf("POST: status %d, want 405", got)
	}
}

func TestUnknownNamePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	URL("nothing.css")
}

// TestSize keeps a first visit small: everything together, compressed.
func TestSize(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for _, a := range served {
		if _, err := w.Write(a.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > 20_000 {
		t.Errorf("%d bytes compressed, want at most 20,000", packed.Len())
	}
}
