package audit

import (
	"context"

	"onrecord/database"
)

// backend is what the engine leaves to each database. The index only proposes:
// every event that it should find it must find, and one too many does no harm.
type backend interface {
	// openRecord names the open record to the guards of this transaction.
	openRecord(ctx context.Context, tx *database.Tx, log, event string) error

	// collect closes the open record and gives what the guards saw, in order.
	// seen is what glimpse gave, if nothing was written since.
	collect(ctx context.Context, tx *database.Tx, seen *string) ([]write, error)

	// glimpse asks for what the guards have left so far, nothing if that is
	// much; "" if there is no such question.
	glimpse() string

	// openRecords counts the records that are open outside any transaction.
	openRecords() string

	// write writes the events of one commit with their parts and queues them
	// to be sealed.
	write(ctx context.Context, tx *database.Tx, events []*staged) error

	// placeTaken tells that write failed because an event of another program
	// has the place of one of these.
	placeTaken(err error) bool

	// engineGuards and tableGuards are the guards that must stand; guardsIn
	// reads, by their names, those that do.
	engineGuards() []guard
	tableGuards(t Table, cols []column, keys [][]string) []guard
	guardsIn(ctx context.Context, q database.Querier) (map[string]guard, error)

	// firstGuard is what the name of a guard that every audited table has ends
	// with.
	firstGuard() string

	// alone makes sure that no other program changes guards at the same time.
	alone(ctx context.Context, tx *database.Tx) error

	// columns reads a table's columns, uniqueKeys every unique key of it. The
	// latter refuses keys that a guard cannot see.
	columns(ctx context.Context, q database.Querier, table string) ([]column, error)
	uniqueKeys(ctx context.Context, q database.Querier, table string) ([][]string, error)

	// unfit says why values of a type cannot be recorded exactly, or "".
	unfit(kind string) string

	// shown is a column as the guards record it, for comparing.
	shown(c column) string

	// addToIndex writes the entries of events of a log.
	addToIndex(ctx context.Context, tx *database.Tx, log string, entries []entry) error

	// find gives a statement for the places between low and high, inclusive, of
	// a log's events: one column n, newest or oldest first, at most limit rows.
	find(log string, w wants, low, high int64, limit int, oldest bool) (query string, args []any)

	// stream is how many places one statement gives without working ahead of
	// what is wanted; inOrder ends a statement that joins events to places and
	// must keep their order, newest first.
	stream() int
	inOrder() string

	// eachEntry reads the whole index: the key of a term, and the place of an
	// event that has it. The key is valid until each returns.
	eachEntry(ctx context.Context, q database.Querier, each func(n int64, key []byte)) error

	// key is how eachEntry gives a term.
	key(t term) []byte

	// turn tells whether this transaction may seal. It holds until the
	// transaction ends: never may two at once.
	turn(ctx context.Context, tx *database.Tx) (bool, error)
}

func backendOf(d database.Dialect) backend {
	if d.Name == database.Postgres.Name {
		return pgBackend{}
	}
	return sqliteBackend{}
}
