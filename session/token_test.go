package session

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token := NewToken()
		if seen[token] || !isToken(token) {
			t.Fatalf("made %q", token)
		}
		seen[token] = true
	}
	token := NewToken()
	for _, bad := range []string{"", token[1:], token + "A", token[:42] + "=", token[:42] + "B", strings.Replace(token, token[:1], "+", 1), token[:20] + "\n" + token[20:], " " + token[1:]} {
		if isToken(bad) {
			t.Errorf("took %q for a token", bad)
		}
	}
}

// NIST FIPS 180-2, appendix B.1.
func TestHashToken(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := hex.EncodeToString(HashToken("abc")); got != want {
		t.Errorf("HashToken(abc) = %s, want %s", got, want)
	}
}
