package audit

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"onrecord/database"
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

// takePlaces gives each id its n, stepping past places already taken.
//
// Cost: one look at the end of the table; events that are older than the
// newest (another process was faster, a clock was set back, an import) look
// their own places up.
func takePlaces(ctx context.Context, tx *database.Tx, ids []string) ([]int64, error) {
	var newest sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT max(n) FROM audit_event`).Scan(&newest); err != nil {
		return nil, fmt.Errorf("placing events: %w", err)
	}
	places := make([]int64, len(ids))
	mine := make(map[int64]bool, len(ids))
	for i, id := range ids {
		_, uuid, err := ParseID(id)
		if err != nil {
			return nil, fmt.Errorf("placing events: %w", err)
		}
		n := place(uuid)
		for {
			taken := mine[n]
			if !taken && newest.Valid && n <= newest.Int64 {
				if taken, err = exists(ctx, tx, `SELECT 1 FROM audit_event WHERE n = $1`, n); err != nil {
					return nil, fmt.Errorf("placing events: %w", err)
				}
			}
			if !taken {
				break
			}
			// The next place of the same microsecond, round and round: 2,048
			// events of one microsecond are more than there can be.
			n = n>>placeBits<<placeBits | (n+1)&(1<<placeBits-1)
		}
		places[i], mine[n] = n, true
	}
	return places, nil
}
