package audit

import (
	"context"

	"onrecord/database"
)

// condition is what the index knows of a condition of a filter: an event meets
// it that has all terms of one of the alternatives.
type condition [][]term

// anyOf is met by an event that has one of the terms.
func anyOf(terms []term) condition {
	c := make(condition, len(terms))
	for i, t := range terms {
		c[i] = []term{t}
	}
	return c
}

// wants is a question to the index: events that meet all of the conditions and
// have none of the terms.
type wants struct {
	all  []condition
	none []term
}

// entry is a sealed event as the index knows it.
type entry struct {
	n     int64
	terms []term
}

// backend is what the engine leaves to each database. The index only proposes:
// every event that it should find it must find, and one too many does no harm.
type backend interface {
	// addToIndex writes the entries of events of a log.
	addToIndex(ctx context.Context, tx *database.Tx, log string, entries []entry) error

	// find gives a statement for the places between low and high, inclusive, of
	// a log's events: one column n, newest or oldest first, at most limit rows.
	find(log string, w wants, low, high int64, limit int, oldest bool) (query string, args []any)

	// eachEntry reads the whole index: the key of a term, and the place of an
	// event that has it. The key is valid until each returns.
	eachEntry(ctx context.Context, q database.Querier, each func(n int64, key []byte)) error

	// key is how eachEntry gives a term.
	key(t term) []byte

	// turn tells whether this transaction may seal. It holds until the
	// transaction ends: never may two at once.
	turn(ctx context.Context, tx *database.Tx) (bool, error)
}

func backendOf(database.Dialect) backend { return sqliteBackend{} }
