package audittest

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/database/dbtest"
)

// Suite is everything that the engine promises, run against a database: fresh
// names an empty one for each test.
func Suite(t *testing.T, fresh func(testing.TB) (dsn string)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Shop)
	}{
		{"changes carry before and after", changesCarryBeforeAndAfter},
		{"classes decide where a value stands", classesDecide},
		{"a change that fails leaves only its refusal", failedChange},
		{"refusals of a flood are counted", refusalsAreCounted},
		{"two events of one transaction", twoEvents},
		{"many events of one transaction", manyEvents},
		{"a caller's own transaction", callersTransaction},
		{"intents that must not be", badIntents},
		{"plain SQL changes nothing", plainSQL},
		{"declarations are checked", declarationsAreChecked},
		{"a guard that was dropped is put back", droppedGuard},
		{"searches equal a scan", searchesEqualScan},
		{"exports can be repeated", exportsRepeat},
		{"exports end with their reader", exportsEnd},
		{"pages join without gap or repeat", pagesJoin},
		{"cursors belong to their filter", cursorsBelong},
		{"histograms equal a search", histogramsEqualSearch},
		{"facets equal a search", facetsEqualSearch},
		{"neighbours are the next in a list", neighboursAreNext},
		{"a count says how far it came", countsSayHowFar},
		{"names as they were and as they are", names},
		{"a search says how far it came", searchSaysHowFar},
		{"clock set back", clockSetBack},
		{"sealing", sealing},
		{"leaves are numbered as sealed", leavesAreNumberedAsSealed},
		{"following", following},
		{"sealing at once", sealingAtOnce},
		{"signed later", signedLater},
		{"closing seals", closingSeals},
		{"an adversary's change is found", adversary},
		{"every new change is visible at once", visibleAtOnce},
		{"many at once", manyAtOnce},
		{"hanging up", hangingUp},
		{"panics", panics},
		{"ignored failures", ignoredFailures},
		{"a record inside a record", recordInsideRecord},
		{"a slow change", slowChange},
		{"closing while others wait", closingWhileOthersWait},
		{"a refusal of unfit text", refusalOfUnfitText},
		{"two programs and readers", twoProgramsAndReaders},
		{"an importer beside single changes", importerBeside},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewShop(t, dbtest.Open(t, fresh(t)))
			s.fresh = fresh
			test.run(t, s)
		})
	}
}

// Shop is a small application whose orders are on the record.
type Shop struct {
	T     testing.TB
	DB    *database.DB
	Log   *audit.Log
	Clock *Clock

	fresh func(testing.TB) string // names another empty database of the same kind
}

// The shop's declarations.
var (
	Catalogue = audit.MustCatalogue(
		audit.Action{ID: "order.created", Label: "Created order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was created."},
		audit.Action{ID: "order.changed", Label: "Changed order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was changed."},
		audit.Action{ID: "order.viewed", Label: "Viewed order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was shown.", Quiet: true},
		audit.Action{ID: "shop.opened", Label: "Opened shop", Group: "Shop", Doc: "The shop was opened."},
	)
	Orders = audit.Table{
		Name: "orders", Type: "order", Log: "shop", ID: "id",
		Plain: []string{"status", "amount"}, Personal: []string{"customer"}, Secret: []string{"card"}, Digest: []string{"note"},
	}
)

const ordersSQL = `CREATE TABLE orders (
	shop     TEXT NOT NULL,
	id       TEXT NOT NULL,
	status   TEXT NOT NULL,
	amount   INTEGER,
	customer TEXT,
	card     TEXT,
	note     TEXT,
	event_id TEXT NOT NULL,
	PRIMARY KEY (shop, id),
	UNIQUE (shop, customer)
)`

// NewShop opens a shop in an empty database and checks its log at the test's
// end, unless the test expects faults.
func NewShop(t testing.TB, db *database.DB) *Shop {
	t.Helper()
	s := &Shop{T: t, DB: db, Clock: NewClock()}
	s.Write(ordersSQL)
	if _, err := audit.Migrate(t.Context(), db, []audit.Table{Orders}); err != nil {
		t.Fatal(err)
	}
	s.Log = s.Open()
	t.Cleanup(func() {
		if err := s.Log.Close(); err != nil {
			t.Error(err)
		}
		if !t.Failed() && s.Log.DB() == db {
			CheckLog(background{t}, s.Log)
		}
	})
	return s
}

// Open opens the shop's log once more, as another process would.
func (s *Shop) Open(opts ...audit.Option) *audit.Log {
	s.T.Helper()
	opts = append([]audit.Option{audit.WithClock(s.Clock.Now)}, opts...)
	l, err := audit.Open(s.T.Context(), s.DB, Catalogue, []audit.Table{Orders}, opts...)
	if err != nil {
		s.T.Fatal(err)
	}
	return l
}

// stopSealing opens the log again: from now on only Seal seals, and signs.
func (s *Shop) stopSealing() {
	s.T.Helper()
	if err := s.Log.Close(); err != nil {
		s.T.Fatal(err)
	}
	s.Log = s.Open(audit.WithoutSealing(), audit.WithSigner(SignPlainly))
}

// Seal seals what waits.
func (s *Shop) Seal() {
	s.T.Helper()
	if err := s.Log.Seal(s.T.Context()); err != nil {
		s.T.Fatal(err)
	}
}

// SignPlainly is a signer without a key: its notes say what they are of.
func SignPlainly(log string, size int64, root tlog.Hash) ([]byte, error) {
	return fmt.Appendf(nil, "test/%s\n%d\n%s\n\n— test none\n", log, size, root), nil
}

// background lends a context that still lives during cleanup.
type background struct{ testing.TB }

func (background) Context() context.Context { return context.Background() }

// Write runs one statement outside any record.
func (s *Shop) Write(query string, args ...any) {
	s.T.Helper()
	if err := s.try(query, args...); err != nil {
		s.T.Fatal(err)
	}
}

func (s *Shop) try(query string, args ...any) error {
	ctx := s.T.Context()
	return s.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// Intent is Dana doing something to an order.
func Intent(action, order string) audit.Intent {
	return audit.Intent{
		Log: "shop_1", Action: action, Object: audit.Ref{Type: "order", ID: order, Name: "Order " + order},
		Actor:   audit.Actor{Type: audit.ActorUser, ID: "user_dana", Name: "Dana Cruz", Email: "dana@example.com"},
		Context: audit.Context{IP: "203.0.113.7", UserAgent: "Test/1.0", Session: "ses_1", Request: "req_1", Via: "web"},
	}
}

// Create records a new order.
func (s *Shop) Create(order, status string) string {
	s.T.Helper()
	return s.Record(Intent("order.created", order),
		`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, $2, $3)`, order, status)
}

// SetStatus records a new status of an order.
func (s *Shop) SetStatus(order, status string) string {
	s.T.Helper()
	return s.Record(Intent("order.changed", order),
		`UPDATE orders SET status = $2, event_id = $3 WHERE shop = 'shop_1' AND id = $1`, order, status)
}

// Record runs one statement inside a record; the event's id comes as its last
// argument.
func (s *Shop) Record(in audit.Intent, query string, args ...any) string {
	s.T.Helper()
	ctx := s.T.Context()
	id, err := s.Log.Record(ctx, in, func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, query, append(args, tx.EventID())...)
		return err
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return id
}

// Note records a viewing.
func (s *Shop) Note(in audit.Intent) string {
	s.T.Helper()
	id, err := s.Log.Note(s.T.Context(), in)
	if err != nil {
		s.T.Fatal(err)
	}
	return id
}

// Event reads an event back.
func (s *Shop) Event(id string) audit.Event {
	s.T.Helper()
	e, err := s.Log.Event(s.T.Context(), "shop_1", id)
	if err != nil {
		s.T.Fatal(err)
	}
	return e
}

// All gives every event that a filter matches, newest first, page by page.
func (s *Shop) All(f audit.Filter) []audit.Event {
	s.T.Helper()
	var all []audit.Event
	page := audit.Page{Limit: 7}
	for {
		res, err := s.Log.Search(s.T.Context(), "shop_1", f, page)
		if err != nil {
			s.T.Fatal(err)
		}
		all = append(all, res.Events...)
		if res.Older == "" {
			return all
		}
		page.Cursor = res.Older
	}
}

// Changes writes an event's changes one a line, for comparison.
func Changes(e audit.Event) []string {
	var lines []string
	for _, c := range e.Changes {
		lines = append(lines, fmt.Sprintf("%s %s %s %s: %q → %q", c.On.Type, c.On.ID, c.Field, c.Class, c.From.String(), c.To.String()))
	}
	return lines
}
