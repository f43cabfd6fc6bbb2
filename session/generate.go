package session

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// NewPassword makes a password that can be read aloud and typed: five
// proquints (Wilkerson, "A Proposal for Proquints", 2009) such as
// "lusab-babad-gutih-tugad-mudof", 80 random bits.
func NewPassword() string {
	var random [10]byte
	rand.Read(random[:]) // never fails
	words := make([]string, 0, len(random)/2)
	for i := 0; i < len(random); i += 2 {
		words = append(words, proquint(binary.BigEndian.Uint16(random[i:])))
	}
	return strings.Join(words, "-")
}

// proquint spells 16 bits as consonant, vowel, consonant, vowel, consonant.
func proquint(n uint16) string {
	const consonants, vowels = "bdfghjklmnprstvz", "aiou"
	return string([]byte{
		consonants[n>>12],
		vowels[n>>10&3],
		consonants[n>>6&15],
		vowels[n>>4&3],
		consonants[n&15],
	})
}
