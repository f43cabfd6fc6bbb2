package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"onrecord/audit"
	"onrecord/database"
)

var catalogue = audit.MustCatalogue(
	audit.Action{ID: "device.changed", Label: "Changed device", Group: "Devices", Objects: []string{"device"}, Doc: "A device changed."},
)

var devices = audit.Table{Name: "device", Type: "device", Log: "team", ID: "id", Plain: []string{"state"}, Personal: []string{"hostname"}}

const rowCount = 1000

const team = "team_01kb0000000000000000000000"

func open(b *testing.B) (*database.DB, *audit.Log) {
	b.Helper()
	ctx := b.Context()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	for _, name := range []string{"device", "bare"} {
		exec(b, db, `CREATE TABLE `+name+` (team TEXT NOT NULL, id TEXT NOT NULL, hostname TEXT NOT NULL, state TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (team, id)) STRICT`)
	}
	if _, err := audit.Migrate(ctx, db, []audit.Table{devices}); err != nil {
		b.Fatal(err)
	}
	log, err := audit.Open(ctx, db, catalogue, []audit.Table{devices})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	return db, log
}

func exec(b *testing.B, db *database.DB, query string, args ...any) {
	b.Helper()
	err := db.Write(b.Context(), func(tx *database.Tx) error {
		_, err := tx.ExecContext(b.Context(), query, args...)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func deviceID(i int) string { return fmt.Sprintf("dev_01kb%022d", i) }

func intent(i int) audit.Intent {
	return audit.Intent{
		Log: team, Action: "device.changed",
		Actor:   audit.Actor{Type: audit.ActorUser, ID: "user_01kb" + fmt.Sprintf("%022d", i%25), Name: "Person " + strconv.Itoa(i%25), Email: fmt.Sprintf("person%d@example.com", i%25)},
		Object:  audit.Ref{Type: "device", ID: deviceID(i % rowCount), Name: "desk-" + strconv.Itoa(i%rowCount)},
		Context: audit.Context{IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", Session: "ses_01kb0000000000000000000000", Request: "req_01kb0000000000000000000000", Via: "web"},
	}
}

// BenchmarkChange compares a change with its event to the same change without
// any recording, through the same writer.
func BenchmarkChange(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			db, log := open(b)
			var n atomic.Int64
			bare := func() error {
				i := int(n.Add(1))
				return db.Write(context.Background(), func(tx *database.Tx) error {
					_, err := tx.ExecContext(b.Context(), `UPDATE bare SET state = $1, event_id = $2 WHERE team = $3 AND id = $4`, strconv.Itoa(i), "evt_01kb0000000000000000000000", team, deviceID(i%rowCount))
					return err
				})
			}
			recorded := func() error {
				i := int(n.Add(1))
				_, err := log.Record(context.Background(), intent(i), func(tx *audit.Tx) error {
					_, err := tx.ExecContext(b.Context(), `UPDATE device SET state = $1, event_id = $2 WHERE team = $3 AND id = $4`, strconv.Itoa(i), tx.EventID(), team, deviceID(i%rowCount))
					return err
				})
				return err
			}
			for i := range rowCount {
				exec(b, db, `INSERT INTO bare VALUES ($1, $2, $3, 'new', 'evt_01kb0000000000000000000000')`, team, deviceID(i), "desk-"+strconv.Itoa(i))
				if _, err := log.Record(b.Context(), intent(i), func(tx *audit.Tx) error {
					_, err := tx.ExecContext(b.Context(), `INSERT INTO device VALUES ($1, $2, $3, 'new', $4)`, team, deviceID(i), "desk-"+strconv.Itoa(i), tx.EventID())
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
			compare(b, func() { drive(b, clients, 2000, recorded) }, func() { drive(b, clients, 2000, bare) }, 2000)
		})
	}
}

// drive does a number of operations from several goroutines.
func drive(b *testing.B, clients, operations int, op func() error) {
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range operations / clients {
				if err := op(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
