package audittest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/database/dbtest"
)

// plainSQL tries to get round the record with every verb of SQL.
func plainSQL(t *testing.T, s *Shop) {
	s.stopSealing()
	old := s.Create("o1", "open")
	s.Record(Intent("order.created", "o2"), `INSERT INTO orders (shop, id, status, customer, event_id) VALUES ('shop_1', 'o2', 'open', 'Sam', $1)`)
	s.Seal() // two are sealed, one is not
	last := s.SetStatus("o1", "paid")
	d := s.sql()
	for _, query := range slices.Concat(d.plain(old, last), []string{
		`UPDATE orders SET status = 'free'`,
		`UPDATE orders SET status = 'free', event_id = event_id`,
		`UPDATE orders SET status = 'free', event_id = '` + old + `'`,
		`UPDATE orders SET status = 'free', event_id = '` + last + `' WHERE id = 'o1'`,
		`UPDATE orders SET status = 'free', event_id = 'junk'`,
		`UPDATE orders SET event_id = NULL`,
		`UPDATE orders SET id = 'o3'`,
		`DELETE FROM orders`,
		`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o3', 'free', '` + last + `')`,
		`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o3', 'free', 'junk')`,
		`UPDATE audit_event SET body = ` + d.bytes(""),
		`UPDATE audit_event SET log = 'shop_2'`,
		`UPDATE audit_event SET n = n + 1`,
		`DELETE FROM audit_event`,
		`INSERT INTO audit_event (log, n, id, body) SELECT log, n + 5000000, id, body FROM audit_event`,
		`UPDATE audit_part SET part = ` + d.bytes("00"),
		`DELETE FROM audit_part`,
		`INSERT INTO audit_part (log, n, kind, salt, part) VALUES ('shop_1', 1, 'who', ` + d.bytes("00") + `, ` + d.bytes("00") + `)`,
		`UPDATE audit_name SET name = 'Nobody'`,
		`DELETE FROM audit_name`,
		`UPDATE audit_unsealed SET action = 'order.viewed'`,
		`DELETE FROM audit_unsealed`,
		`UPDATE audit_leaf SET leaf = leaf + 10`,
		`DELETE FROM audit_leaf`,
		`INSERT INTO audit_leaf SELECT log, leaf + 2, n + 1, hashes FROM audit_leaf`,
		`INSERT INTO audit_leaf SELECT log, 7, n, ` + d.bytes("00") + ` FROM audit_unsealed`,
		`UPDATE audit_checkpoint SET note = ` + d.bytes(""),
		`DELETE FROM audit_checkpoint`,
		`INSERT INTO audit_checkpoint VALUES ('shop_1', 1, ` + d.bytes("00") + `)`,
		`INSERT INTO audit_checkpoint VALUES ('shop_1', 9, ` + d.bytes("00") + `)`,
	}) {
		before := s.Dump()
		if err := s.try(query); err == nil {
			t.Errorf("%s: it was not refused", query)
		} else if s.DB.Dialect().Condition(err) != database.Constraint {
			t.Errorf("%s: refused by something else than a guard: %v", query, err)
		}
		if after := s.Dump(); after != before {
			t.Errorf("%s: it changed\n%s\nto\n%s", query, before, after)
		}
	}
	// Inside a record, with the right stamp, a row still cannot be removed,
	// replaced or renamed.
	for _, query := range slices.Concat(d.stamped, []string{
		`DELETE FROM orders WHERE event_id <> $1`,
		`UPDATE orders SET id = 'o4', event_id = $1 WHERE id = 'o1'`,
		`UPDATE orders SET shop = 'shop_2', event_id = $1 WHERE id = 'o1'`,
		`DELETE FROM audit_event WHERE id <> $1`,
		`UPDATE audit_event SET id = $1`,
	}) {
		before := s.Dump()
		_, err := s.Log.Record(t.Context(), Intent("order.viewed", "o1"), func(tx *audit.Tx) error {
			_, err := tx.ExecContext(t.Context(), query, tx.EventID())
			return err
		})
		if s.DB.Dialect().Condition(err) != database.Constraint {
			t.Errorf("inside a record, %s: %v", query, err)
		}
		if after := s.Dump(); after != before {
			t.Errorf("inside a record, %s changed\n%s\nto\n%s", query, before, after)
		}
	}
}

// Dump writes every order and how many events and parts there are of those
// that succeeded.
func (s *Shop) Dump() string {
	s.T.Helper()
	rows, err := s.DB.QueryContext(s.T.Context(), `
		SELECT shop || ' ' || id || ' ' || status || ' ' || coalesce(customer, '') || ' ' || event_id FROM orders
		UNION ALL SELECT DISTINCT type || ' ' || id || ' ' || name FROM audit_name ORDER BY 1`)
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			s.T.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		s.T.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func declarationsAreChecked(t *testing.T, s *Shop) {
	s.Write(`CREATE TABLE thing (id TEXT PRIMARY KEY, a TEXT, b TEXT, event_id TEXT NOT NULL)`)
	s.Write(`CREATE TABLE loose (id TEXT, event_id TEXT NOT NULL)`)
	s.Write(`CREATE TABLE nullable (id TEXT PRIMARY KEY, event_id TEXT)`)
	s.Write(`CREATE TABLE fraction (id TEXT PRIMARY KEY, f REAL, event_id TEXT NOT NULL)`)
	s.Write(`CREATE TABLE partial (id TEXT PRIMARY KEY, a TEXT, event_id TEXT NOT NULL)`)
	s.Write(`CREATE UNIQUE INDEX partial_a ON partial (a) WHERE a > ''`)
	wrong := map[string]audit.Table{
		"column b is not declared":       {Name: "thing", Type: "thing", ID: "id", Plain: []string{"a"}},
		"declared twice":                 {Name: "thing", Type: "thing", ID: "id", Plain: []string{"a", "b"}, Secret: []string{"b"}},
		"has no column c":                {Name: "thing", Type: "thing", ID: "id", Plain: []string{"a", "b", "c"}},
		"does not exist":                 {Name: "nothing", Type: "thing", ID: "id"},
		"names no id column":             {Name: "thing", Type: "thing"},
		"no primary or unique key makes": {Name: "loose", Type: "loose", ID: "id"},
		"must be NOT NULL":               {Name: "nullable", Type: "nullable", ID: "id"},
		"keep fractions as decimal text": {Name: "fraction", Type: "fraction", ID: "id", Plain: []string{"f"}},
		"both hold objects of type":      {Name: "thing", Type: "order", ID: "id", Plain: []string{"a", "b"}},
	}
	if partial := (audit.Table{Name: "partial", Type: "partial", ID: "id", Plain: []string{"a"}}); s.onPostgres() {
		// No statement replaces a row behind the guard, so the key may be what it likes.
		if _, err := audit.Migrate(t.Context(), s.DB, []audit.Table{Orders, partial}); err != nil {
			t.Error(err)
		}
		wrong["is jsonb: keep it as text"] = audit.Table{Name: "jsonish", Type: "jsonish", ID: "id", Plain: []string{"j"}}
		s.Write(`CREATE TABLE jsonish (id TEXT PRIMARY KEY, j JSONB, event_id TEXT NOT NULL)`)
	} else {
		wrong["is partial"] = partial
	}
	for want, table := range wrong {
		_, err := audit.Migrate(t.Context(), s.DB, []audit.Table{Orders, table})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want it to say %q", table, err, want)
		}
	}
	unguarded := audit.Table{Name: "thing", Type: "thing", ID: "id", Plain: []string{"a", "b"}}
	if _, err := audit.Open(t.Context(), s.DB, Catalogue, []audit.Table{Orders, unguarded}); err == nil || !strings.Contains(err.Error(), "has no guard") {
		t.Errorf("opening with an unguarded table: %v", err)
	}
}

func droppedGuard(t *testing.T, s *Shop) {
	s.Create("o1", "open")
	for _, weakened := range s.sql().weakened {
		for _, query := range weakened {
			s.Write(query)
		}
		if _, err := audit.Migrate(t.Context(), s.DB, []audit.Table{Orders}); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{`UPDATE orders SET status = 'free'`, `DELETE FROM orders`} {
			if err := s.try(query); err == nil {
				t.Errorf("after %v the guard was not put back: %s", weakened, query)
			}
		}
	}
	e := s.Event(s.SetStatus("o1", "paid"))
	equal(t, "change", Changes(e), []string{`order o1 status plain: "open" → "paid"`})
}

// adversary changes the database with its owner's rights, guards removed:
// every such change must be found, and named.
func adversary(t *testing.T, s *Shop) {
	s.stopSealing()
	s.Create("o1", "open")
	s.Record(Intent("order.created", "o2"), `INSERT INTO orders (shop, id, status, customer, note, event_id) VALUES ('shop_1', 'o2', 'open', 'Sam', 'a note', $1)`)
	s.Seal()
	s.SetStatus("o1", "paid")
	viewed := s.Note(Intent("order.viewed", "o2"))
	other := Intent("order.created", "o1")
	other.Log = "shop_2"
	s.Record(other, `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_2', 'o1', 'open', $1)`)
	s.Seal()
	waiting := s.Note(Intent("order.viewed", "o1"))
	if faults, err := s.Log.Check(t.Context()); err != nil || len(faults) > 0 {
		t.Fatalf("before: %v, %v", faults, err)
	}
	d := s.sql()
	const lastLeaf = ` WHERE log = 'shop_1' AND leaf = 3`
	harm := map[string][]string{
		`status is "free"; the last event says "paid"`:      {`UPDATE orders SET status = 'free' WHERE id = 'o1' AND shop = 'shop_1'`},
		`customer is "5 bytes of personal text"`:            {`UPDATE orders SET customer = 'Roger' WHERE id = 'o2'`},
		`note is "6 bytes of digest text"`:                  {`UPDATE orders SET note = 'A note' WHERE id = 'o2'`},
		`amount is "5"; the last event says ""`:             {`UPDATE orders SET amount = 5 WHERE id = 'o2'`},
		`it is stamped with event`:                          {`UPDATE orders SET event_id = '` + viewed + `' WHERE id = 'o2'`},
		`the log does not explain this row`:                 {`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o9', 'free', '` + viewed + `')`},
		`the log explains a row that does not exist`:        {`DELETE FROM orders WHERE id = 'o2'`},
		`the sealed bytes are not the canonical JSON`:       {`UPDATE audit_event SET body = ` + d.edited(`body`, `"via"`, ` "via"`) + ` WHERE id = '` + viewed + `'`},
		`says "shop_1", the sealed bytes say "shop_2"`:      {`UPDATE audit_event SET log = 'shop_1' WHERE log = 'shop_2'`},
		`part who does not match its commitment`:            {`UPDATE audit_part SET part = ` + d.edited(`part`, `Dana`, `Rana`) + ` WHERE kind = 'who'`},
		`part what does not match its commitment`:           {`UPDATE audit_part SET salt = ` + d.zeros + ` WHERE kind = 'what' AND n = (SELECT min(n) FROM audit_part)`},
		`is neither sealed nor in the queue of unsealed`:    {`DELETE FROM audit_unsealed`},
		`still in the queue of unsealed events`:             {`INSERT INTO audit_unsealed SELECT log, n, 'order.viewed' FROM audit_leaf` + lastLeaf},
		`has it as "order.changed"`:                         {`UPDATE audit_unsealed SET action = 'order.changed'`},
		`an index entry is missing`:                         {d.emptyIndex},
		`in log shop_1, in all, is 2, there are 1 sealed`:   {`UPDATE audit_count SET events = 2 WHERE action = 'order.viewed' AND span = 'all'`},
		`order.changed in log shop_1, day of`:               {`DELETE FROM audit_count WHERE action = 'order.changed' AND span = 'day'`},
		`the name of user user_dana is missing`:             {`DELETE FROM audit_name WHERE type = 'user'`},
		`is not in the microsecond of the event's id`:       {`UPDATE audit_event SET n = n + 4096 WHERE id = '` + viewed + `'`},
		`events that changed it are not in the chain`:       {`DELETE FROM audit_event WHERE n = (SELECT min(n) FROM audit_event)`},
		`events in the queue to be sealed, the events make`: {`DELETE FROM audit_event WHERE id = '` + waiting + `'`},
		`the event of leaf 3 is missing`:                    {`DELETE FROM audit_event WHERE id = '` + viewed + `'`},
		`a checkpoint of 4 leaves, there are 3`:             {`DELETE FROM audit_event WHERE id = '` + viewed + `'`, `DELETE FROM audit_leaf` + lastLeaf},
		`after leaf 0 comes leaf 2`:                         {`DELETE FROM audit_leaf WHERE log = 'shop_1' AND leaf = 1`},
		`not those that were sealed as leaf 3`:              {`UPDATE audit_event SET body = ` + d.edited(`body`, `web`, `cli`) + ` WHERE id = '` + viewed + `'`},
		`not those that were sealed as leaf 2`:              {`UPDATE audit_leaf SET hashes = ` + d.zeros + ` WHERE log = 'shop_1' AND leaf = 2`},
		`not those that were sealed as leaf 0`: {
			`CREATE TEMP TABLE two AS SELECT leaf, n FROM audit_leaf WHERE log = 'shop_1' AND leaf IN (0, 2)`,
			`UPDATE audit_leaf SET n = -n WHERE log = 'shop_1' AND leaf IN (0, 2)`,
			`UPDATE audit_leaf SET n = (SELECT n FROM two WHERE leaf = 2 - audit_leaf.leaf) WHERE n < 0`},
		`over leaves 0 to 1, kept with leaf 1`: {
			`UPDATE audit_leaf SET leaf = -1 WHERE log = 'shop_1' AND leaf = 0`,
			`UPDATE audit_leaf SET leaf = 0 WHERE log = 'shop_1' AND leaf = 2`,
			`UPDATE audit_leaf SET leaf = 2 WHERE log = 'shop_1' AND leaf = -1`},
		`leaf 3 has 32 bytes of hashes, it completes 96`: {`UPDATE audit_leaf SET hashes = substr(hashes, 1, 32)` + lastLeaf},
		`over leaves 0 to 3, kept with leaf 3`:           {`UPDATE audit_leaf SET hashes = ` + d.joined(`substr(hashes, 1, 64)`, d.zeros) + `` + lastLeaf},
		`of 2 leaves was signed for the root`:            {`UPDATE audit_checkpoint SET note = ` + d.overlaid(`note`, 15, `AAAAAA`) + ` WHERE log = 'shop_1' AND size = 2`},
		`kept for 2 leaves was signed for 4`: {
			`UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE log = 'shop_1' AND size = 4) WHERE log = 'shop_1' AND size = 2`},
	}
	if !s.onPostgres() { // there it is a setting of the transaction
		harm[`open records`] = []string{`INSERT INTO audit_open (seq, event) VALUES (0, 'x')`}
	}
	for want, queries := range harm {
		t.Run(want, func(t *testing.T) { s.sabotage(t, want, queries) })
	}
}

// sabotage runs the queries on a copy without any guard, and wants the check
// to say so.
func (s *Shop) sabotage(t *testing.T, want string, queries []string) {
	ctx := t.Context()
	db := dbtest.Open(t, s.copied(t))
	l, err := audit.Open(ctx, db, Catalogue, []audit.Table{Orders}, audit.WithoutSealing())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, func(tx *database.Tx) error {
		unguarded, err := s.sql().unguarded(ctx, tx)
		if err != nil {
			return err
		}
		for _, q := range append(unguarded, queries...) {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	faults, err := l.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		if strings.Contains(f.String(), want) {
			return
		}
	}
	t.Errorf("the check found %v, want %q", faults, want)
}

// clockSetBack records while the clock jumps: every event is kept, findable,
// and the chains of changes hold although times run backwards.
func clockSetBack(t *testing.T, s *Shop) {
	s.Create("o1", "a")
	s.Clock.Move(-time.Hour)
	back := s.SetStatus("o1", "b")
	s.Clock.Move(3 * time.Hour)
	s.SetStatus("o1", "c")
	s.Clock.Move(-time.Second / 2)
	s.SetStatus("o1", "d")
	if got := s.Event(back).Recorded; !got.Before(NewClock().Now()) {
		t.Errorf("set back an hour, the clock's time is %s: an event must say what the clock says", got)
	}
	var statuses []string
	for _, e := range s.All(audit.Filter{}) {
		statuses = append(statuses, e.Changes[0].To.String())
	}
	equal(t, "newest first by time", statuses, []string{"d", "c", "a", "b"})
}
