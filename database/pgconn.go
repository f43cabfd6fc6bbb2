package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// pgConn is pgx's connection for database/sql that can also hold statements
// back and send them in front of the next one: one round trip for all.
type pgConn struct {
	*stdlib.Conn
	held    []heldStatement
	reading bool
}

type heldStatement struct {
	query string
	args  []any
}

// pgConnector makes connections of one pool.
type pgConnector struct {
	driver.Connector
	reading bool
}

func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pgConn{Conn: conn.(*stdlib.Conn), reading: c.reading}, nil
}

// hold keeps a statement for the next round trip. Its result goes nowhere; its
// error is the next statement's.
func (c *pgConn) hold(query string, args []any) {
	c.held = append(c.held, heldStatement{query, args})
}

// ResetSession is called before the connection serves somebody else.
func (c *pgConn) ResetSession(ctx context.Context) error {
	c.held = nil
	return c.Conn.ResetSession(ctx)
}

// ExecContext sends a statement behind those held back.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(c.held) == 0 {
		return c.Conn.ExecContext(ctx, query, args)
	}
	results, err := c.sendHeld(ctx, query, values(args))
	if err != nil {
		return nil, err
	}
	tag, err := results.Exec()
	if e := results.Close(); err == nil {
		err = e
	}
	return driver.RowsAffected(tag.RowsAffected()), err
}

// QueryContext sends a query behind the statements held back. A query outside
// any change that met a connection which is gone asks to be sent on another.
func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(c.held) > 0 {
		results, err := c.sendHeld(ctx, query, values(args))
		if err != nil {
			return nil, err
		}
		return firstRow(results, c.Conn.Conn().TypeMap())
	}
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil && c.reading && ctx.Err() == nil && postgresCondition(err) == Unreachable {
		return nil, driver.ErrBadConn
	}
	return rows, err
}

// execAsking sends a statement behind those held back, and a question behind
// it, which one text or none answers.
func (c *pgConn) execAsking(ctx context.Context, query string, args []any, question string) (res driver.Result, answer *string, err error) {
	c.hold(query, args)
	batch, n := c.batch(question, nil)
	results := c.Conn.Conn().SendBatch(ctx, batch)
	defer func() {
		if e := results.Close(); err == nil {
			err = e
		}
	}()
	var tag pgconn.CommandTag
	for range n {
		if tag, err = results.Exec(); err != nil {
			return nil, nil, err
		}
	}
	err = results.QueryRow().Scan(&answer)
	return driver.RowsAffected(tag.RowsAffected()), answer, err
}

// commit ends the transaction, behind the statements held back.
func (c *pgConn) commit(ctx context.Context) error {
	if len(c.held) == 0 {
		return committed(c.Conn.Conn().Exec(ctx, "COMMIT"))
	}
	results, err := c.sendHeld(ctx, "COMMIT", nil)
	if err != nil {
		return err
	}
	err = committed(results.Exec())
	if e := results.Close(); err == nil {
		err = e
	}
	return err
}

var errRolledBack = errors.New("the server rolled the transaction back")

// committed reads the answer to COMMIT: in a transaction that has failed the
// server obliges with ROLLBACK, and calls that a success.
func committed(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.String() != "COMMIT" {
		return errRolledBack
	}
	return err
}

// sendHeld sends the statements held back and one more, and reads the answers
// to the former.
func (c *pgConn) sendHeld(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	batch, n := c.batch(query, args)
	results := c.Conn.Conn().SendBatch(ctx, batch)
	for range n {
		if _, err := results.Exec(); err != nil {
			results.Close()
			return nil, err
		}
	}
	return results, nil
}

// batch is the n statements held back, which no longer are, and one more.
func (c *pgConn) batch(query string, args []any) (b *pgx.Batch, n int) {
	b = &pgx.Batch{}
	for _, h := range c.held {
		b.Queue(h.query, h.args...)
	}
	b.Queue(query, args...)
	n, c.held = len(c.held), nil
	return b, n
}

func values(args []driver.NamedValue) []any {
	all := make([]any, len(args))
	for i, a := range args {
		all[i] = a.Value
	}
	return all
}

// pgRows are the rows of the last statement of a batch.
type pgRows struct {
	results pgx.BatchResults
	rows    pgx.Rows
	types   *pgtype.Map
	more    bool // the row that comes next was read already
	ahead   bool
}

// firstRow reads on to the first row, because only then it is known whether
// the query failed.
func firstRow(results pgx.BatchResults, types *pgtype.Map) (driver.Rows, error) {
	rows, err := results.Query()
	if err != nil {
		results.Close()
		return nil, err
	}
	r := &pgRows{results: results, rows: rows, types: types, ahead: true}
	if r.more = rows.Next(); !r.more && rows.Err() != nil {
		return nil, errors.Join(rows.Err(), r.results.Close())
	}
	return r, nil
}

func (r *pgRows) Columns() []string {
	var names []string
	for _, f := range r.rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

func (r *pgRows) Close() error {
	r.rows.Close()
	err := r.rows.Err()
	if e := r.results.Close(); err == nil {
		err = e
	}
	return err
}

func (r *pgRows) Next(dest []driver.Value) error {
	more := r.more
	if !r.ahead {
		more = r.rows.Next()
	}
	r.ahead = false
	if !more {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.rows.RawValues() {
		if dest[i] = nil; raw == nil {
			continue
		}
		v, err := r.value(r.rows.FieldDescriptions()[i], raw)
		if err != nil {
			return err
		}
		dest[i] = v
	}
	return nil
}

// value reads one value as database/sql has it, the way pgx's own driver does.
func (r *pgRows) value(f pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	var err error
	scan := func(into any) { err = r.types.Scan(f.DataTypeOID, f.Format, raw, into) }
	switch f.DataTypeOID {
	case pgtype.BoolOID:
		var v bool
		scan(&v)
		return v, err
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		var v int64
		scan(&v)
		return v, err
	case pgtype.Float8OID, pgtype.Float4OID:
		var v float64
		scan(&v)
		return v, err
	case pgtype.ByteaOID, pgtype.JSONOID, pgtype.JSONBOID:
		var v []byte
		scan(&v)
		return v, err
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		var v time.Time
		scan(&v)
		return v, err
	case pgtype.NumericOID:
		var v pgtype.Numeric
		if scan(&v); err != nil {
			return nil, err
		}
		return v.Value()
	}
	var v string
	if scan(&v); err != nil {
		return nil, fmt.Errorf("column %s: %w: read it as text (%s::text)", f.Name, err, f.Name)
	}
	return v, nil
}
