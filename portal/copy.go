package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

const (
	copyRows  = 500     // of one insert
	copyBytes = 2 << 20 // of one insert, about
	copyIndex = 500     // events whose index entries are written at once
)

// Copied is what a copy did.
type Copied struct {
	Organization string
	Tables       int
	Rows         int64         // of all tables, compared at both ends
	Events       int64         // of all logs
	Resumed      bool          // an earlier run had begun
	Faults       []audit.Fault // that the log's own check finds, at both ends alike
	Event        string        // that tells of the copy, in the organization's log of the target
}

// Copy moves everything from a SQLite file into a PostgreSQL database: ids,
// events, leaves and checkpoints stay what they are, byte for byte. It may be
// run again after it was stopped, and goes on. While it runs nobody can write
// to the source; nobody can open the target until it is finished.
//
// The rows arrive before the guards of the target are there, so nothing has to
// be switched off, and it takes the role that owns the tables. Then every table
// is compared, the log's own check derives the whole log on both sides, and
// the copy is recorded for the operator of that name: database.copied, in the
// organization's log of the target.
//
// told hears how far it is.
//
// Errors: Conflict if there is nothing to copy, or if the target holds this or
// another organization; whatever differs.
func Copy(ctx context.Context, from, to *database.DB, operator string, told func(done, total int64)) (Copied, error) {
	if from.Dialect().Name != database.SQLite.Name || to.Dialect().Name != database.Postgres.Name {
		return Copied{}, audit.Invalid("to", "a copy goes from sqlite:PATH to postgres://…, not from %s to %s", from.Dialect().Name, to.Dialect().Name)
	}
	org, err := store.Organization(ctx, from)
	if errors.Is(err, sql.ErrNoRows) {
		return Copied{}, audit.Conflict("There is nothing to copy: the source was not set up.")
	}
	if err != nil {
		return Copied{}, fmt.Errorf("reading the source's organization: %w", err)
	}
	if err := mayTake(ctx, to, org.ID); err != nil {
		return Copied{}, err
	}
	c := &copier{from: from, to: to, told: told, done: Copied{Organization: org.ID}}
	if c.faults, err = checkSource(ctx, from); err != nil {
		return Copied{}, err
	}
	if c.done.Resumed, err = beginCopy(ctx, to, org.ID); err != nil {
		return Copied{}, fmt.Errorf("preparing the target: %w", err)
	}
	if err := c.load(ctx); err != nil {
		return c.done, err
	}
	return c.done, c.finish(ctx, operator)
}

// copier is one run of Copy.
type copier struct {
	from, to *database.DB
	told     func(done, total int64)
	faults   []audit.Fault // of the source
	bare     bool          // the target has no guards yet
	done     Copied

	at, total int64
}

// step counts a row as done.
func (c *copier) step() { c.steps(1) }

func (c *copier) steps(n int64) {
	c.at += n
	c.told(c.at, max(c.at, c.total))
}

func checkSource(ctx context.Context, from *database.DB) ([]audit.Fault, error) {
	l, err := audit.Open(ctx, from, Catalogue, store.Tables, audit.WithoutSealing())
	if err != nil {
		return nil, fmt.Errorf("opening the source's log: %w", err)
	}
	return l.Check(ctx) // it is not closed, which would seal what waits: the source stays as it is
}

// load fills the target's tables, and compares them. Meanwhile it holds the
// source's only way to write.
func (c *copier) load(ctx context.Context) error {
	for _, schema := range []database.Migrations{store.Schema(c.to.Dialect()), audit.Schema(c.to.Dialect())} {
		if _, err := c.to.Migrate(ctx, schema); err != nil {
			return err
		}
	}
	var err error
	if c.bare, err = audit.Unguard(ctx, c.to); err != nil {
		return err
	}
	return c.from.Write(ctx, func(source *database.Tx) error {
		tables, err := c.tables(ctx, source)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := c.table(ctx, source, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// tables lists what is to be copied, and counts it.
func (c *copier) tables(ctx context.Context, source *database.Tx) ([]copiedTable, error) {
	tables, err := sourceTables(ctx, source)
	if err != nil {
		return nil, err
	}
	c.done.Tables, c.done.Rows, c.at, c.total = len(tables), 0, 0, 0
	for i := range tables {
		t := &tables[i]
		if err := source.QueryRowContext(ctx, `SELECT count(*) FROM "`+t.name+`"`).Scan(&t.rows); err != nil {
			return nil, fmt.Errorf("counting the rows of %s: %w", t.name, err)
		}
		c.done.Rows += t.rows
		c.total += 3 * t.rows // written, read on either side
		if t.name == "audit_event" {
			c.done.Events = t.rows
			c.total += t.rows // indexed
		}
	}
	return tables, nil
}

// table copies one table and compares it. What an earlier run had copied may
// have changed since: then it is copied anew.
func (c *copier) table(ctx context.Context, source *database.Tx, t copiedTable) error {
	if err := t.sameColumns(ctx, c.to); err != nil {
		return err
	}
	if !c.bare {
		return c.unchanged(ctx, source, t)
	}
	resumed, err := c.rows(ctx, source, t)
	if err != nil {
		return err
	}
	same, err := c.compare(ctx, source, t)
	if err != nil || same {
		return err
	}
	if resumed {
		if err := c.empty(ctx, t); err != nil {
			return err
		}
		if _, err := c.rows(ctx, source, t); err != nil {
			return err
		}
		if same, err = c.compare(ctx, source, t); err != nil || same {
			return err
		}
	}
	return fmt.Errorf("the table %s is not the same at both ends after it was copied", t.name)
}

// unchanged compares a table that an earlier run has copied to its end: the
// guards are up, and nothing can be added.
func (c *copier) unchanged(ctx context.Context, source *database.Tx, t copiedTable) error {
	c.steps(t.rows)
	same, err := c.compare(ctx, source, t)
	if err == nil && !same {
		err = fmt.Errorf("the table %s of the source was changed after it was copied: empty the target and copy again", t.name)
	}
	return err
}

// rows copies the rows of a table that are still missing.
func (c *copier) rows(ctx context.Context, source *database.Tx, t copiedTable) (resumed bool, err error) {
	state, err := readCopyState(ctx, c.to, t.name)
	if err != nil {
		return false, fmt.Errorf("reading how far the table %s was copied: %w", t.name, err)
	}
	resumed = state.rows > 0
	c.steps(state.rows)
	query, args, err := t.after(state.at)
	if err != nil {
		return resumed, err
	}
	var batch [][]any
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		next := copyState{rows: state.rows + int64(len(batch))}
		if next.at, err = t.keyOf(batch[len(batch)-1]); err != nil {
			return err
		}
		err := c.to.Write(ctx, func(tx *database.Tx) error {
			if err := state.advance(ctx, tx, t.name, next); err != nil {
				return err
			}
			return t.insert(ctx, tx, batch)
		})
		if err != nil {
			return err
		}
		c.steps(int64(len(batch)))
		state, batch, size = next, nil, 0
		return nil
	}
	err = eachRow(ctx, source, query, args, func(row []any) error {
		batch = append(batch, row)
		for _, v := range row {
			switch v := v.(type) {
			case string:
				size += len(v)
			case []byte:
				size += len(v)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(batch) == copyRows || size >= copyBytes {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return resumed, fmt.Errorf("copying the table %s after %d rows: %w", t.name, state.rows, err)
	}
	return resumed, nil
}

// compare reads a table at both ends.
func (c *copier) compare(ctx context.Context, source *database.Tx, t copiedTable) (same bool, err error) {
	here, err := t.digestOf(ctx, source, c.step)
	if err != nil {
		return false, err
	}
	var there digest
	err = c.to.Snapshot(ctx, func(q database.Querier) error {
		// A table is read in one statement, which may take its time.
		var was string
		if err := q.QueryRowContext(ctx, "SELECT set_config('statement_timeout', '0', true)").Scan(&was); err != nil {
			return err
		}
		there, err = t.digestOf(ctx, q, c.step)
		return err
	})
	return here == there, err
}

func (c *copier) empty(ctx context.Context, t copiedTable) error {
	return c.to.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM portal_copy WHERE name = $1", t.name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `TRUNCATE "`+t.name+`"`)
		return err
	})
}

// finish puts up the guards, fills the index, checks the log and records the
// copy.
func (c *copier) finish(ctx context.Context, operator string) error {
	if _, err := migrateBoth(ctx, c.to); err != nil {
		return err
	}
	// Nothing is sealed before all is done: a run that goes on compares again.
	p, err := Open(ctx, c.to, WithLogger(slog.New(slog.DiscardHandler)), func(p *Portal) { p.engine = []audit.Option{audit.WithoutSealing()} })
	if err != nil {
		return err
	}
	if err := c.settle(ctx, p, operator); err != nil {
		return err
	}
	return p.Close()
}

func (c *copier) settle(ctx context.Context, p *Portal, operator string) error {
	for _, log := range p.logs() {
		if err := c.index(ctx, p, log); err != nil {
			return err
		}
	}
	var err error
	if c.done.Faults, err = p.log.Check(ctx); err != nil {
		return err
	}
	if !slices.Equal(c.done.Faults, c.faults) {
		return fmt.Errorf("the check of the log does not find the same at both ends: %v here, %v there", c.faults, c.done.Faults)
	}
	if c.done.Event, err = c.record(ctx, p, operator); err != nil {
		return fmt.Errorf("recording the copy: %w", err)
	}
	return nil
}

// index writes the entries of a log's sealed events that are missing.
func (c *copier) index(ctx context.Context, p *Portal, log string) error {
	name := "index of " + log
	state, err := readCopyState(ctx, c.to, name)
	if err != nil {
		return fmt.Errorf("reading how far the log was indexed: %w", err)
	}
	c.steps(state.rows)
	for ctx.Err() == nil {
		next := copyState{at: "leaf"}
		err := c.to.Write(ctx, func(tx *database.Tx) (err error) {
			if next.rows, err = p.log.IndexAgain(ctx, tx, log, state.rows, copyIndex); err != nil || next.rows == state.rows {
				return err
			}
			return state.advance(ctx, tx, name, next)
		})
		if err != nil || next.rows == state.rows {
			return err
		}
		c.steps(next.rows - state.rows)
		state = next
	}
	return ctx.Err()
}

// record ends the copy: the event and the end of the mark are one transaction.
func (c *copier) record(ctx context.Context, p *Portal, operator string) (event string, err error) {
	by, err := p.Operator(ctx, operator)
	if err != nil {
		return "", err
	}
	org, err := store.Organization(ctx, p.db)
	if err != nil {
		return "", err
	}
	return p.log.Record(ctx, audit.Intent{
		Log: org.ID, Actor: by.Actor, Context: by.Context, Action: DatabaseCopied,
		Object: audit.Ref{Type: "organization", ID: org.ID, Name: org.Name},
		Data:   map[string]string{"events": fmt.Sprint(c.done.Events), "rows": fmt.Sprint(c.done.Rows), "tables": fmt.Sprint(c.done.Tables)},
	}, func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, "DROP TABLE "+copyTable)
		return err
	})
}
