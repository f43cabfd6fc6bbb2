package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"onrecord/web/view"
)

// flash tells once what the last form did. It travels in a cookie that only
// the session's own server could have written: its key is the session's token,
// so it needs no state here, and nobody else can put words onto a page.
type flash struct {
	Kind view.FlashKind `json:"kind"`
	Text string         `json:"text"`
	Undo *view.Undo     `json:"undo,omitempty"`
	Link *view.Link     `json:"link,omitempty"`
	// Edited is the call whose score the last form changed: showing it again
	// is no opening of its own if the portal agrees.
	Edited string `json:"edited,omitempty"`
}

const (
	flashLife = 60   // seconds
	flashText = 1000 // bytes; a cookie holds 4,096 altogether
)

func (s *server) flashCookie(value string, life int) *http.Cookie {
	name := "flash"
	if s.secure {
		name = "__Host-flash"
	}
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: life, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
}

// tell leaves a message for the next page.
func (v *visit) tell(f flash) error {
	if len(f.Text) > flashText {
		cut := flashText
		for !utf8.RuneStart(f.Text[cut]) {
			cut--
		}
		f.Text = f.Text[:cut] + "…"
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	encoded := base64.RawURLEncoding.EncodeToString(body)
	http.SetCookie(v.w, v.flashCookie(encoded+"."+v.mark(encoded), flashLife))
	return nil
}

// done leaves a message that all went well and leads to a page.
func (v *visit) done(path, text string) error {
	if err := v.tell(flash{Kind: view.FlashDone, Text: text}); err != nil {
		return err
	}
	return v.see(path)
}

// takeFlash reads the message and makes the browser forget it.
func (v *visit) takeFlash() {
	c, err := v.r.Cookie(v.flashCookie("", 0).Name)
	if err != nil {
		return
	}
	http.SetCookie(v.w, v.flashCookie("", -1))
	encoded, mark, _ := strings.Cut(c.Value, ".")
	if !hmac.Equal([]byte(mark), []byte(v.mark(encoded))) {
		return
	}
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return
	}
	var f flash
	if json.Unmarshal(body, &f) == nil {
		v.flash = &f
	}
}

func (v *visit) mark(encoded string) string {
	m := hmac.New(sha256.New, []byte("flash "+v.token))
	m.Write([]byte(encoded))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// shown is the message as pages show it.
func (f *flash) shown() *view.Flash {
	if f == nil || f.Text == "" {
		return nil
	}
	return &view.Flash{Kind: f.Kind, Text: f.Text, Undo: f.Undo, Link: f.Link}
}
