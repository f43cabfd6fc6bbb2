package portal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"onrecord/audit"
	"onrecord/database"
)

// copyTable stands in a database from the first moment of a copy into it to the
// last. A row is a table (or, by the name of its log, an index) and how far it
// has come; the row without a name has the id of the organization.
const copyTable = "portal_copy"

// ErrCopying answers whoever wants to use a database into which a copy was
// begun and not finished.
var ErrCopying = errors.New("a copy into this database was begun and not finished: run onrecord copy again, or empty the database")

// copying tells whether a copy into the database was begun.
func copying(ctx context.Context, db *database.DB) (bool, error) {
	var there int
	err := db.QueryRowContext(ctx, tableThere[db.Dialect().Name], copyTable).Scan(&there)
	return there > 0, err
}

// beginCopy makes sure that the target may take the organization's copy, and
// marks it. resumed tells that an earlier run had begun.
func beginCopy(ctx context.Context, to *database.DB, org string) (resumed bool, err error) {
	begun, err := copying(ctx, to)
	if err != nil {
		return false, err
	}
	if begun {
		if err := to.QueryRowContext(ctx, "SELECT at FROM portal_copy WHERE name = ''").Scan(&org); err != nil {
			return false, fmt.Errorf("reading what an earlier copy did: %w", err)
		}
		return true, nil
	}
	return false, to.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE portal_copy (
			name TEXT PRIMARY KEY,
			at   TEXT NOT NULL,
			rows BIGINT NOT NULL
		)`)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO portal_copy (name, at, rows) VALUES ('', $1, 0)", org)
		}
		return err
	})
}

// mayTake refuses a target that is not there for this organization's copy.
func mayTake(ctx context.Context, to *database.DB, org string) error {
	begun, err := copying(ctx, to)
	if err != nil {
		return err
	}
	var other string
	if begun {
		err = to.QueryRowContext(ctx, "SELECT at FROM portal_copy WHERE name = ''").Scan(&other)
	} else {
		var there int
		if err = to.QueryRowContext(ctx, tableThere[to.Dialect().Name], "organization").Scan(&there); err != nil || there == 0 {
			return err
		}
		err = to.QueryRowContext(ctx, "SELECT id FROM organization LIMIT 1").Scan(&other)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("reading whose database it is: %w", err)
	case other != org:
		return audit.Conflict("The target holds another organization already (%s). Copy into an empty database.", other)
	case !begun:
		return audit.Conflict("The target holds this organization already. Nothing was copied; serve from it, or copy into an empty database.")
	}
	return nil
}

// copyState is how far one table has come.
type copyState struct {
	at   string // the key of the last row, as encodeKey writes it; "" at the beginning
	rows int64
}

func readCopyState(ctx context.Context, q database.Querier, name string) (s copyState, err error) {
	err = q.QueryRowContext(ctx, "SELECT at, rows FROM portal_copy WHERE name = $1", name).Scan(&s.at, &s.rows)
	if errors.Is(err, sql.ErrNoRows) {
		return copyState{}, nil
	}
	return s, err
}

// advance moves a table's state, in the transaction of what was copied. It
// fails if another program has moved it meanwhile.
func (s copyState) advance(ctx context.Context, tx *database.Tx, name string, to copyState) error {
	query, args := "UPDATE portal_copy SET at = $1, rows = $2 WHERE name = $3 AND at = $4 AND rows = $5", []any{to.at, to.rows, name, s.at, s.rows}
	if s == (copyState{}) {
		query, args = "INSERT INTO portal_copy (at, rows, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", args[:3]
	}
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errors.New("another onrecord copy is at work on the same database: let it finish")
}

// keyPart is one column of a key; one of its members is set.
type keyPart struct {
	Number *int64  `json:"n,omitempty"`
	Text   *string `json:"t,omitempty"`
	Bytes  []byte  `json:"b,omitempty"`
}

func encodeKey(values []any) (string, error) {
	var parts []keyPart
	for _, v := range values {
		switch v := v.(type) {
		case int64:
			parts = append(parts, keyPart{Number: &v})
		case string:
			parts = append(parts, keyPart{Text: &v})
		case []byte:
			parts = append(parts, keyPart{Bytes: v})
		default:
			return "", fmt.Errorf("a key of the type %T", v)
		}
	}
	text, err := json.Marshal(parts)
	return string(text), err
}

func decodeKey(text string) (values []any, err error) {
	var parts []keyPart
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return nil, fmt.Errorf("the place where an earlier copy ended, %q: %w", text, err)
	}
	for _, p := range parts {
		switch {
		case p.Number != nil:
			values = append(values, *p.Number)
		case p.Text != nil:
			values = append(values, *p.Text)
		default:
			values = append(values, p.Bytes)
		}
	}
	return values, nil
}
