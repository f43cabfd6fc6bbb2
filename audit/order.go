package audit

import (
	"encoding/binary"
	"math"
	"time"
)

// An event's place n orders all events by time and fits one integer: the
// microseconds of its id, then 11 bits. The 11 bits are the first random bits
// of the id, so that n and id agree on the order; only when another event has
// taken that very place (one chance in 2,048 for two events of one
// microsecond, which one process never makes) the next free one is used.
const placeBits = 11

// place gives the wanted n of an event.
func place(uuid [16]byte) int64 {
	random := int64(binary.BigEndian.Uint16(uuid[8:10])&0x3fff) >> 3
	return microsOf(uuid)<<placeBits | random
}

// placeAt is the lowest n of a microsecond. Times before 1970 and, since n has
// 63 bits, after 2112 have the nearest n that there is.
func placeAt(t time.Time) int64 {
	return min(max(t.UnixMicro(), 0), math.MaxInt64>>placeBits) << placeBits
}

// timeAt is the microsecond of an n.
func timeAt(n int64) time.Time { return time.UnixMicro(n >> placeBits).UTC() }

// placesOf gives the range of n in which the event with this id stands.
func placesOf(id string) (first, last int64, err error) {
	_, uuid, err := ParseID(id)
	if err != nil {
		return 0, 0, err
	}
	first = place(uuid) >> placeBits << placeBits
	return first, first | (1<<placeBits - 1), nil
}

// stepped is the place so many steps on, round and round in the microsecond:
// 2,048 events of one microsecond are more than there can be.
func stepped(n int64, steps int) int64 {
	return n>>placeBits<<placeBits | (n+int64(steps))&(1<<placeBits-1)
}
