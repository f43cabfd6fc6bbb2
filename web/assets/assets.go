// Package assets serves the style sheet, the scripts and the icon from inside
// the binary. An address holds a hash of the content, so that browsers may
// keep a file for a year and never show a stale one.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix is where Handler expects to be mounted.
const Prefix = "/assets/"

//go:embed *.css *.js *.svg
var files embed.FS

type asset struct {
	content     []byte
	contentType string
}

// urls maps a file's name to its address, served maps an address to the file.
// Both are filled once and only read afterwards.
var urls, served = load()

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func load() (map[string]string, map[string]asset) {
	urls, served := map[string]string{}, map[string]asset{}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(fmt.Sprintf("assets: %v", err)) // the files are in the binary
	}
	for _, entry := range entries {
		name := entry.Name()
		content, err := fs.ReadFile(files, name)
		if err != nil {
			panic(fmt.Sprintf("assets: %v", err))
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		url := Prefix + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		urls[name] = url
		served[url] = asset{content, contentTypes[ext]}
	}
	return urls, served
}

// URL gives the address of a file of this folder, e.g. URL("portal.css").
// It panics for a name that is not there, which is a fault of the program.
func URL(name string) string {
	url, ok := urls[name]
	if !ok {
		panic("assets: no file " + name)
	}
	return url
}

// Handler serves the addresses that URL gives, for GET and HEAD under Prefix.
// Any other address is answered with 404.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		a, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
	})
}
