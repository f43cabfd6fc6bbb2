package audit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

// errBroken is what a broken statement answers.
var errBroken = errors.New("broken by the test")

// breaker lets one statement of a database fail: before it is run, or after it
// was run after all.
type breaker struct {
	driver.Driver
	after bool
	left  atomic.Int64 // statements until then; the next one at 0
	broke string       // the one that failed
}

func (b *breaker) Open(name string) (driver.Conn, error) {
	c, err := b.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return brokenConn{c.(sqliteConn), b}, nil
}

// breaks tells whether this is the statement. BEGIN and ROLLBACK change
// nothing: that they were run after all makes no difference.
func (b *breaker) breaks(query string, after bool) bool {
	if b.after != after || query == "ROLLBACK" || after && strings.HasPrefix(query, "BEGIN") || b.left.Add(-1) != -1 {
		return false
	}
	b.broke = query
	return true
}

type sqliteConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
}

type brokenConn struct {
	sqliteConn
	b *breaker
}

func (c brokenConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.b.breaks(query, false) {
		return nil, errBroken
	}
	res, err := c.sqliteConn.ExecContext(ctx, query, args)
	if err == nil && c.b.breaks(query, true) {
		return nil, errBroken
	}
	return res, err
}

func (c brokenConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.b.breaks(query, false) {
		return nil, errBroken
	}
	return c.sqliteConn.QueryContext(ctx, query, args)
}

func (c brokenConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if c.b.breaks(query, false) {
		return nil, errBroken
	}
	return c.sqliteConn.PrepareContext(ctx, query)
}

// TestSealingInterrupted: whichever statement of the sealing fails, before or
// after it was run, COMMIT among them, the log stays right, and the next
// attempt goes on.
func TestSealingInterrupted(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			plain, err := sql.Open("sqlite", "")
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			if _, ok := plain.Driver().(*sqlite.Driver); !ok {
				t.Fatalf("the driver is %T", plain.Driver())
			}
			b := &breaker{Driver: plain.Driver(), after: after}
			handle := sql.OpenDB(dsnConnector{b, "file:" + filepath.Join(t.TempDir(), "shop.db") + "?_pragma=journal_mode(WAL)&_pragma=recursive_triggers(ON)"})
			t.Cleanup(func() { handle.Close() })
			b.left.Store(1 << 60)
			interrupted(t, handle, b)
		})
	}
}

type dsnConnector struct {
	b    *breaker
	name string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.b.Open(c.name) }
func (c dsnConnector) Driver() driver.Driver                        { return c.b }

func interrupted(t *testing.T, handle *sql.DB, b *breaker) {
	db, err := database.Wrap(t.Context(), handle, database.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := audittest.NewShop(t, db)
	if err := s.Log.Close(); err != nil {
		t.Fatal(err)
	}
	l := s.Open(audit.WithoutSealing(), audit.WithSigner(audittest.SignPlainly))
	defer l.Close()
	s.Log = l
	failed := map[string]bool{}
	for n := int64(0); ; n++ {
		for i := range 3 {
			s.Note(audittest.Intent("order.viewed", fmt.Sprint("o", i)))
		}
		b.broke = ""
		b.left.Store(n)
		err := l.Seal(t.Context())
		b.left.Store(1 << 60)
		if b.broke == "" {
			if err != nil {
				t.Fatal(err)
			}
			break // it has no more statements than that
		}
		words := strings.Fields(b.broke)
		failed[strings.Join(words[:min(3, len(words))], " ")] = true
		if err != nil && !errors.Is(err, errBroken) { // a reading may be tried again
			t.Errorf("%s failed, the sealing answers %v", b.broke, err)
		}
		audittest.CheckLog(t, l)
		if err := l.Seal(t.Context()); err != nil {
			t.Fatalf("after %s failed: %v", b.broke, err)
		}
		state, err := l.SealState(t.Context(), "shop_1")
		if want := 3 * (n + 1); err != nil || state.Sealed != want || state.Events != want {
			t.Fatalf("after %s failed: %+v, %v; want %d sealed", b.broke, state, err, want)
		}
		audittest.CheckLog(t, l)
	}
	for _, must := range []string{"INSERT INTO audit_leaf", "INSERT INTO audit_index", "INSERT INTO audit_count", "INSERT INTO audit_checkpoint", "DELETE FROM audit_unsealed", "COMMIT"} {
		if !failed[must] {
			t.Errorf("%s never failed: %v", must, failed)
		}
	}
}
