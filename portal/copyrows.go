package portal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"onrecord/database"
)

// What does not have to be copied, with the reason.
var notCopied = map[string]string{
	"audit_open":     "empty between transactions",
	"audit_version":  "the target has its own",
	"portal_version": "the target has its own",
}

// copied is a table that is copied, as the source has it.
type copiedTable struct {
	name    string
	columns []string
	key     []string // the primary key, in its order
	rows    int64
}

// sourceTables gives what is copied, in order of the names. The log's index is
// a virtual table and not among them: each database has its own kind.
func sourceTables(ctx context.Context, q database.Querier) ([]copiedTable, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT t.name, c.name, c.pk FROM pragma_table_list t, pragma_table_info(t.name) c
		WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
		ORDER BY t.name, c.cid`)
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	defer rows.Close()
	var all []copiedTable
	for rows.Next() {
		var table, column string
		var place int
		if err := rows.Scan(&table, &column, &place); err != nil {
			return nil, fmt.Errorf("listing the tables: %w", err)
		}
		if notCopied[table] != "" {
			continue
		}
		if len(all) == 0 || all[len(all)-1].name != table {
			all = append(all, copiedTable{name: table})
		}
		t := &all[len(all)-1]
		t.columns = append(t.columns, column)
		if place > 0 {
			t.key = append(t.key, make([]string, max(0, place-len(t.key)))...)
			t.key[place-1] = column
		}
	}
	return all, rows.Err()
}

func (t copiedTable) list(columns []string) string { return `"` + strings.Join(columns, `", "`) + `"` }

// after asks for the rows behind a place, in the order of the key.
func (t copiedTable) after(at string) (query string, args []any, err error) {
	query = "SELECT " + t.list(t.columns) + ` FROM "` + t.name + `"`
	if at != "" {
		if args, err = decodeKey(at); err != nil {
			return "", nil, err
		}
		query += " WHERE (" + t.list(t.key) + ") > (" + placeholders(1, len(args)) + ")"
	}
	return query + " ORDER BY " + t.list(t.key), args, nil
}

// keyOf picks the key out of a row.
func (t copiedTable) keyOf(row []any) (string, error) {
	var key []any
	for _, column := range t.key {
		key = append(key, row[slices.Index(t.columns, column)])
	}
	return encodeKey(key)
}

// insert writes rows in one statement.
func (t copiedTable) insert(ctx context.Context, tx *database.Tx, rows [][]any) error {
	var args []any
	var values []string
	for _, row := range rows {
		values = append(values, "("+placeholders(len(args)+1, len(row))+")")
		args = append(args, row...)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO "`+t.name+`" (`+t.list(t.columns)+") VALUES "+strings.Join(values, ", "), args...)
	return err
}

func placeholders(first, n int) string {
	var all []string
	for i := range n {
		all = append(all, "$"+strconv.Itoa(first+i))
	}
	return strings.Join(all, ", ")
}

// eachRow gives the rows of a query as the driver gives them: numbers, texts,
// bytes and nil.
func eachRow(ctx context.Context, q database.Querier, query string, args []any, each func([]any) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// digest stands for the rows of a table in whatever order: their number, and
// the sum of their hashes.
type digest struct {
	rows int64
	sum  [4]uint64
}

func (d *digest) add(row []any) {
	var b []byte
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 'z')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'n'), uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		default: // a type that only one of the databases has: it differs
			b = fmt.Appendf(append(b, 'o'), "%T %v", v, v)
		}
	}
	hash := sha256.Sum256(b)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
	d.rows++
}

// digestOf reads a whole table.
func (t copiedTable) digestOf(ctx context.Context, q database.Querier, read func()) (d digest, err error) {
	err = eachRow(ctx, q, "SELECT "+t.list(t.columns)+` FROM "`+t.name+`"`, nil, func(row []any) error {
		d.add(row)
		read()
		return ctx.Err()
	})
	if err != nil {
		return d, fmt.Errorf("reading the table %s: %w", t.name, err)
	}
	return d, nil
}

// sameColumns refuses a target whose table has other columns.
func (t copiedTable) sameColumns(ctx context.Context, to *database.DB) error {
	rows, err := to.QueryContext(ctx, `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1`, t.name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var there []string
	for rows.Next() {
		var column sql.NullString
		if err := rows.Scan(&column); err != nil {
			return err
		}
		there = append(there, column.String)
	}
	slices.Sort(there)
	if want := slices.Sorted(slices.Values(t.columns)); rows.Err() == nil && !slices.Equal(there, want) {
		return fmt.Errorf("the table %s has the columns %v there, %v here", t.name, there, want)
	}
	return rows.Err()
}
