package audit

import (
	"context"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"onrecord/database"
)

// sqliteBackend keeps the index in one full-text table (FTS5) whose words are
// terms.
type sqliteBackend struct{}

var termText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// key gives 8 letters and digits for 40 bits of the hash; the kind is in it.
func (sqliteBackend) key(t term) []byte { return appendKey(nil, t) }

func appendKey(b []byte, t term) []byte {
	var hash [8]byte
	binary.BigEndian.PutUint64(hash[:], t.hash)
	return termText.AppendEncode(b, hash[:5])
}

func (sqliteBackend) addToIndex(ctx context.Context, tx *database.Tx, _ string, entries []entry) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		words := make([]byte, 0, 9*len(e.terms))
		for _, t := range e.terms {
			words = append(appendKey(words, t), ' ')
		}
		rows[i] = []any{e.n, string(words)}
	}
	return insert(tx, "audit_index (rowid, terms)", rows, "")
}

func (sqliteBackend) find(_ string, w wants, low, high int64, limit int, oldest bool) (string, []any) {
	order := "DESC"
	if oldest {
		order = "ASC"
	}
	return `SELECT rowid AS n FROM audit_index WHERE audit_index MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid ` + order + ` LIMIT $4`,
		[]any{match(w), low, high, limit}
}

// match writes a question in the language of FTS5. Terms are letters and
// digits of lower case, so nothing in them can be an operator.
func match(w wants) string {
	var all []string
	for _, c := range w.all {
		var alternatives []string
		for _, terms := range c {
			alternatives = append(alternatives, join(terms, " AND "))
		}
		all = append(all, bracket(alternatives, " OR "))
	}
	text := bracket(all, " AND ")
	if len(w.none) > 0 {
		text += " NOT " + join(w.none, " OR ")
	}
	return text
}

func join(terms []term, op string) string {
	keys := make([]string, len(terms))
	for i, t := range terms {
		keys[i] = string(appendKey(nil, t))
	}
	return bracket(keys, op)
}

func bracket(exprs []string, op string) string {
	if len(exprs) == 1 {
		return exprs[0]
	}
	return "(" + strings.Join(exprs, op) + ")"
}

func (sqliteBackend) stream() int     { return math.MaxInt32 }
func (sqliteBackend) inOrder() string { return "" }

func (sqliteBackend) eachEntry(ctx context.Context, q database.Querier, each func(int64, []byte)) error {
	rows, err := q.QueryContext(ctx, `SELECT term, doc FROM audit_index_entry`)
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	defer rows.Close()
	var key sql.RawBytes
	for rows.Next() {
		var n int64
		if err := rows.Scan(&key, &n); err != nil {
			return fmt.Errorf("reading the index: %w", err)
		}
		each(n, key)
	}
	return rows.Err()
}

// turn: a write transaction is alone anyway.
func (sqliteBackend) turn(context.Context, *database.Tx) (bool, error) { return true, nil }
