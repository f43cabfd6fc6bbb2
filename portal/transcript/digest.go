package transcript

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// Digest is the SHA-256 of all that a call says (everything but Place): two
// calls have the same digest if and only if they have the same content. It
// stays the same in every version, so an importer may store it and tell "the
// same call again" from "another call under the same id".
//
// What is hashed: "onrecord call 1", the fields in the order id, started-at,
// ended-at, agent, customer, direction, device, topic (times in RFC 3339 UTC,
// "" if unknown), the number of turns, and of each its speaker, start and end
// in milliseconds ("" if unknown) and text; each as its length in bytes in
// decimal, a colon and its bytes.
func Digest(c Call) [sha256.Size]byte {
	h := sha256.New()
	put(h, "onrecord call 1")
	for _, f := range c.header() {
		put(h, f.value)
	}
	put(h, decimal(int64(len(c.Turns))))
	for _, t := range records(c.Turns) {
		put(h, *t.Speaker)
		for _, at := range []*int64{t.StartMS, t.EndMS} {
			if at == nil {
				put(h, "")
			} else {
				put(h, decimal(*at))
			}
		}
		put(h, *t.Text)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func put(h hash.Hash, s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
