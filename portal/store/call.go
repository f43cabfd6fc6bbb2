package store

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"go.jetify.com/typeid"

	"onrecord/audit"
	"onrecord/database"
)

// Call is one call session without its transcript.
type Call struct {
	ID       string // call_…, sorts by the time the call started
	SourceID string // its id in the system that recorded it
	Customer string
	Agent    string // as the recording system named the person
	UserID   string // the member who is that agent, or ""
	Device   string // hostname, as the recording system named it, or ""
	DeviceID string // the team's device of that name, or ""
	Hostname string // of that device as it is called now, or ""

	Direction string // inbound or outbound
	Topic     string // or ""
	Started   time.Time
	Ended     time.Time     // zero unless the recording system said so
	Duration  time.Duration // 0 if neither the end nor the turns' times are known
	Turns     int
	Timed     bool // every turn says when it began and ended

	Deleted time.Time // zero while the call is there
	EventID string    // the event that last changed it: its version
}

// CallFilter narrows a list of calls; the zero value asks for all that are
// not deleted.
type CallFilter struct {
	Deleted   bool // only deleted ones, the last deleted first
	Direction string
	Agent     string // exactly
	DeviceID  string
	After     time.Time // started at or after
	Before    time.Time // started before
}

// CallKey is the place of a call in a list: keyset paging goes on from it.
type CallKey struct {
	Deleted int64 // microseconds; only in the list of deleted calls
	ID      string
}

const callColumns = `c.id, c.source_id, c.customer, c.agent, coalesce(c.user_id, ''), c.device,
	coalesce(c.device_id, ''), coalesce(d.hostname, ''), c.direction, c.topic, c.started_at, coalesce(c.ended_at, 0),
	c.duration_ms, c.turns, c.timed,
	coalesce(c.deleted_at, 0), c.event_id`

const callFrom = ` FROM call c LEFT JOIN device d ON d.team = c.team AND d.id = c.device_id `

func scanCall(row interface{ Scan(...any) error }) (Call, error) {
	var c Call
	var started, ended, duration, deleted int64
	err := row.Scan(&c.ID, &c.SourceID, &c.Customer, &c.Agent, &c.UserID, &c.Device, &c.DeviceID, &c.Hostname, &c.Direction,
		&c.Topic, &started, &ended, &duration, &c.Turns, &c.Timed, &deleted, &c.EventID)
	c.Started = time.UnixMicro(started).UTC()
	c.Ended, c.Deleted = fromMicros(ended), fromMicros(deleted)
	c.Duration = time.Duration(duration) * time.Millisecond
	return c, err
}

// CallByID gives a call of the team, deleted or not. Error: sql.ErrNoRows.
func CallByID(ctx context.Context, q database.Querier, team, id string) (Call, error) {
	return scanCall(q.QueryRowContext(ctx, "SELECT "+callColumns+callFrom+"WHERE c.team = $1 AND c.id = $2", fit(team), fit(id)))
}

// CallBySource gives the id of the call that a recording system names so, the
// digest of its content and the event that last changed it. Error:
// sql.ErrNoRows.
func CallBySource(ctx context.Context, q database.Querier, team, sourceID string) (id string, content []byte, eventID string, err error) {
	err = q.QueryRowContext(ctx, "SELECT id, content, event_id FROM call WHERE team = $1 AND source_id = $2", team, sourceID).
		Scan(&id, &content, &eventID)
	return id, content, eventID, err
}

// where builds the condition and the order of a list that goes on from key
// (the zero key begins it), toward older rows or, with newer, back.
func (f CallFilter) where(team string, key CallKey, newer bool) (string, []any) {
	args := []any{team}
	conditions := []string{"c.team = $1"}
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		conditions = append(conditions, condition)
	}
	if f.Direction != "" {
		add("c.direction = ?", f.Direction)
	}
	if f.Agent != "" {
		add("c.agent = ?", fit(f.Agent))
	}
	if f.DeviceID != "" {
		add("c.device_id = ?", fit(f.DeviceID))
	}
	// A call's id begins with the time it started, so the range is one of ids
	// and the list stops at its end instead of reading on.
	if !f.After.IsZero() {
		add("c.id >= ?", firstCallID(f.After))
	}
	if !f.Before.IsZero() {
		add("c.id < ?", firstCallID(f.Before))
	}
	op, dir := "<", " DESC"
	if newer {
		op, dir = ">", " ASC"
	}
	if f.Deleted {
		conditions = append(conditions, "c.deleted_at IS NOT NULL")
		if key.ID != "" {
			add("(c.deleted_at, c.id) "+op+" (?, ?)", key.Deleted, fit(key.ID))
		}
		return strings.Join(conditions, " AND ") + " ORDER BY c.deleted_at" + dir + ", c.id" + dir, args
	}
	conditions = append(conditions, "c.deleted_at IS NULL")
	if key.ID != "" {
		add("c.id "+op+" ?", fit(key.ID))
	}
	return strings.Join(conditions, " AND ") + " ORDER BY c.id" + dir, args
}

// firstCallID is the lowest id that a call which started then can have: a
// UUIDv7 as audit.ForeignID makes them, with every other bit clear.
func firstCallID(t time.Time) string {
	us := max(t.UnixMicro(), 0)
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(us/1000)<<16|7<<12|uint64(us%1000)<<2)
	id[8] = 0x80
	return typeid.Must(typeid.FromUUIDBytesWithPrefix("call", id[:])).String()
}

// WalkCalls gives the calls of a list one after another, beginning after key,
// to yield, which says whether to go on.
func WalkCalls(ctx context.Context, q database.Querier, team string, f CallFilter, key CallKey, newer bool, limit int, yield func(Call) bool) error {
	where, args := f.where(team, key, newer)
	args = append(args, limit)
	rows, err := q.QueryContext(ctx, "SELECT "+callColumns+callFrom+"WHERE "+where+" LIMIT $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanCall(rows)
		if err != nil {
			return err
		}
		if !yield(c) {
			return nil
		}
	}
	return rows.Err()
}

// Agents names everybody who stands as agent in a call of the team, in
// alphabetical order, at most limit.
func Agents(ctx context.Context, q database.Querier, team string, limit int) ([]string, error) {
	// Steps from one name to the next along the index instead of reading every call.
	rows, err := q.QueryContext(ctx, `
		WITH RECURSIVE a(name) AS (
			SELECT min(agent) FROM call WHERE team = $1
			UNION ALL
			SELECT (SELECT min(agent) FROM call WHERE team = $1 AND agent > a.name) FROM a WHERE a.name IS NOT NULL)
		SELECT name FROM a WHERE name IS NOT NULL LIMIT $2`, team, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// NewCall is a call as it arrives: the call, the digest of all it holds, and
// the turns as canonical JSON.
type NewCall struct {
	Call
	Content []byte
	Turns   []byte
}

// InsertCall adds a call and its transcript.
func InsertCall(ctx context.Context, tx *audit.Tx, team string, c NewCall) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO call (team, id, source_id, customer, agent, user_id, device, device_id, direction, topic, started_at,
			ended_at, duration_ms, turns, timed, content, event_id)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, nullif($8, ''), $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		team, c.ID, c.SourceID, c.Customer, c.Agent, c.UserID, c.Device, c.DeviceID, c.Direction, c.Topic, c.Started.UnixMicro(),
		micros(c.Ended), c.Duration.Milliseconds(), c.Call.Turns, integer(c.Timed), c.Content, tx.EventID())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO transcript (team, id, turns, event_id) VALUES ($1, $2, $3, $4)",
		team, c.ID, string(c.Turns), tx.EventID())
	return err
}

// SetCallDeleted marks a call as deleted, or with the zero time as present again.
func SetCallDeleted(ctx context.Context, tx *audit.Tx, team, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE call SET deleted_at = $1, event_id = $2 WHERE team = $3 AND id = $4",
		micros(at), tx.EventID(), team, id)
	return err
}

// Turns gives a call's transcript as canonical JSON. Error: sql.ErrNoRows.
func Turns(ctx context.Context, q database.Querier, team, call string) ([]byte, error) {
	var turns string
	err := q.QueryRowContext(ctx, "SELECT turns FROM transcript WHERE team = $1 AND id = $2", team, call).Scan(&turns)
	return []byte(turns), err
}

// CountDeletedCalls counts the team's deleted calls.
func CountDeletedCalls(ctx context.Context, q database.Querier, team string) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, "SELECT count(*) FROM call WHERE team = $1 AND deleted_at IS NOT NULL", team).Scan(&n)
	return n, err
}
