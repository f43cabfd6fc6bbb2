package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

const tokenBytes = 32 // 256 bits

// NewToken makes a secret for one session or one link: 256 random bits in
// unpadded base64url, 43 characters. Only its [HashToken] may be stored.
func NewToken() string {
	var random [tokenBytes]byte
	rand.Read(random[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// HashToken gives what is stored and looked up instead of a token: the 32
// bytes of its SHA-256. A random token of 256 bits needs neither salt nor a
// slow hash.
func HashToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// isToken tells whether a text has the one form that [NewToken] makes.
func isToken(text string) bool {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(decoded) == tokenBytes && len(text) == base64.RawURLEncoding.EncodedLen(tokenBytes)
}
