package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"go.jetify.com/typeid"
)

// NewID mints an id: a TypeID, that is a type's prefix and a UUIDv7 in 26
// characters of base 32. The UUID is built here, because its time is finer
// than the standard's: 48 bits of milliseconds, 10 bits of microseconds within
// the millisecond, 2 zero bits, 62 random bits. Ids sort by time. Times before
// 1970 or after 10889 do not fit and count as the nearest that does.
func NewID(prefix string, at time.Time) string {
	var random [8]byte
	rand.Read(random[:]) // never fails: crypto/rand
	return format(prefix, uuidAt(at, random))
}

// ForeignID mints the id of something that another system named. Instead of
// random bits it holds the last 62 of the first 64 bits of
// SHA-256(log ‖ 0 ‖ source ‖ 0 ‖ id), so that a second import of the same
// thing meets the same id. log and source hold no zero byte.
func ForeignID(prefix string, at time.Time, log, source, id string) string {
	sum := sha256.Sum256([]byte(log + "\x00" + source + "\x00" + id))
	return format(prefix, uuidAt(at, [8]byte(sum[:8])))
}

// maxMicros is the last microsecond whose milliseconds fit 48 bits.
const maxMicros = 1<<48*1000 - 1

// idMicros are the microseconds since 1970 that an id holds for a time.
func idMicros(at time.Time) int64 { return min(max(at.UnixMicro(), 0), maxMicros) }

func uuidAt(at time.Time, random [8]byte) [16]byte {
	var u [16]byte
	micros := uint64(idMicros(at))
	binary.BigEndian.PutUint64(u[:8], micros/1000<<16|7<<12|micros%1000<<2)
	copy(u[8:], random[:])
	u[8] = u[8]&0x3f | 0x80 // the variant of RFC 9562
	return u
}

func format(prefix string, u [16]byte) string {
	id, err := typeid.FromUUIDBytesWithPrefix(prefix, u[:])
	if err != nil {
		panic(fmt.Sprintf("audit: prefix %q of an id: %v", prefix, err)) // prefixes are written in the program
	}
	return id.String()
}

// ParseID reads an id's prefix and UUID.
func ParseID(s string) (prefix string, uuid [16]byte, err error) {
	id, err := typeid.FromString(s)
	if err != nil {
		return "", uuid, fmt.Errorf("reading id %q: %w", s, err)
	}
	return id.Prefix(), [16]byte(id.UUIDBytes()), nil
}

// IDTime is the time in an id, to the microsecond.
func IDTime(s string) (time.Time, error) {
	_, u, err := ParseID(s)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(microsOf(u)).UTC(), nil
}

func microsOf(u [16]byte) int64 {
	head := binary.BigEndian.Uint64(u[:8])
	return int64(head>>16)*1000 + int64(head&0xfff)>>2
}

// ValidID tells whether s is an id of ours with this prefix: a UUIDv7 with
// microseconds below 1,000 and the two zero bits.
func ValidID(prefix, s string) bool {
	p, u, err := ParseID(s)
	if err != nil || p != prefix {
		return false
	}
	head := binary.BigEndian.Uint64(u[:8])
	return head>>12&0xf == 7 && head&3 == 0 && head&0xfff>>2 < 1000 && u[8]>>6 == 2
}
