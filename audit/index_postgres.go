package audit

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"onrecord/database"
)

// The index on PostgreSQL is a table of one row an event. What is walked newest
// first however much there is of it has a column and a B-tree by (hash, n);
// every other term, and a second actor or object, stands in an array with an
// inverted index.

// pgColumns are the kinds of term that have a column.
var pgColumns = map[string]string{
	termAction: "action", termActor: "actor", termActorAction: "actor_action", termObject: "object",
}

func half(t term) int32 { return int32(t.hash >> 32) }

// key is the upper half of the hash.
func (pgBackend) key(t term) []byte { return binary.BigEndian.AppendUint32(nil, uint32(half(t))) }

func (pgBackend) addToIndex(ctx context.Context, tx *database.Tx, log string, entries []entry) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		columns := map[string]any{}
		rest := []int32{}
		for _, t := range e.terms {
			column, ok := pgColumns[t.kind]
			switch {
			case t.kind == termLog: // the column log says it
			case ok && columns[column] == nil:
				columns[column] = int64(t.hash)
			default:
				rest = append(rest, half(t))
			}
		}
		slices.Sort(rest)
		rows[i] = []any{log, e.n, columns["action"], columns["actor"], columns["actor_action"], columns["object"], rest}
		if columns["action"] == nil { // an event that cannot be read
			rows[i][2] = int64(0)
		}
	}
	return insert(tx, "audit_index (log, n, action, actor, actor_action, object, terms)", rows, "")
}

// question is a statement that is being written, with its arguments.
type question struct {
	args                 []any
	log, low, high, most string // the marks of the arguments that every part has
	order                string
}

func (q *question) arg(v any, kind string) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args)) + "::" + kind
}

func (pgBackend) find(log string, w wants, low, high int64, limit int, oldest bool) (string, []any) {
	q := &question{order: "DESC"}
	if oldest {
		q.order = "ASC"
	}
	q.log, q.low, q.high, q.most = q.arg(log, "text"), q.arg(low, "bigint"), q.arg(high, "bigint"), q.arg(limit, "integer")
	if len(w.all) == 1 && len(w.none) == 0 {
		return q.merged(w.all[0]), q.args
	}
	where := ""
	for _, c := range w.all {
		if met := q.met(c); met != "" {
			where += " AND (" + met + ")"
		}
	}
	if len(w.none) > 0 {
		where += " AND (" + q.met(anyOf(w.none)) + ") IS NOT TRUE"
	}
	return q.scan(where), q.args
}

// scan reads rows in order.
func (q *question) scan(where string) string {
	return `SELECT i.n FROM audit_index i WHERE i.log = ` + q.log + where + ` AND i.n BETWEEN ` + q.low + ` AND ` + q.high +
		` ORDER BY i.n ` + q.order + ` LIMIT ` + q.most
}

// sorted is a condition's alternatives by how the index holds them.
type sorted struct {
	columns map[string][]int64
	rest    []int32   // single terms in the array
	lists   [][]int32 // several that must be there together
	always  bool      // the log itself
}

func sortTerms(c condition) sorted {
	s := sorted{columns: map[string][]int64{}}
	for _, terms := range c {
		if len(terms) > 1 {
			var list []int32
			for _, t := range terms {
				list = append(list, half(t))
			}
			s.lists = append(s.lists, list)
			continue
		}
		for _, t := range terms {
			column, ok := pgColumns[t.kind]
			if ok {
				s.columns[column] = append(s.columns[column], int64(t.hash))
			}
			if t.kind == termLog {
				s.always = true
			} else if t.kind != termAction { // an event has one action only
				s.rest = append(s.rest, half(t))
			}
		}
	}
	return s
}

// pgOrder is the order in which columns come, so that texts repeat.
var pgOrder = []string{"action", "actor", "actor_action", "object"}

// met compares a row with a condition.
func (q *question) met(c condition) string {
	s := sortTerms(c)
	if s.always {
		return "TRUE"
	}
	var any []string
	for _, column := range pgOrder {
		if hashes := s.columns[column]; hashes != nil {
			any = append(any, `i.`+column+` = ANY (`+q.arg(hashes, "bigint[]")+`)`)
		}
	}
	return strings.Join(append(any, q.inArray(s)...), " OR ")
}

func (q *question) inArray(s sorted) (any []string) {
	if s.rest != nil {
		any = append(any, `i.terms && `+q.arg(s.rest, "integer[]"))
	}
	for _, list := range s.lists {
		any = append(any, `i.terms @> `+q.arg(list, "integer[]"))
	}
	return any
}

// fewWalks is how many alternatives of a column have a walk of their own, so
// that the planner sees each value. Where it sees none it takes them for rare,
// and would gather and sort all events of the commonest object.
const fewWalks = 4

// merged walks each alternative in order and merges them: as many entries as
// are asked for, of each.
func (q *question) merged(c condition) string {
	s := sortTerms(c)
	if s.always {
		return q.scan("")
	}
	var walks []string
	for _, column := range pgOrder {
		hashes := s.columns[column]
		if len(hashes) > 0 && len(hashes) <= fewWalks {
			for _, h := range hashes {
				walks = append(walks, `SELECT each.n FROM (`+q.scan(` AND i.`+column+` = `+q.arg(h, "bigint"))+`) AS each`)
			}
		} else if hashes != nil {
			walks = append(walks, `SELECT each.n FROM unnest(`+q.arg(hashes, "bigint[]")+`) AS of (hash)
				CROSS JOIN LATERAL (`+q.scan(` AND i.`+column+` = of.hash`)+`) AS each`)
		}
	}
	for _, where := range q.inArray(s) {
		walks = append(walks, `SELECT each.n FROM (`+q.scan(" AND "+where)+`) AS each`)
	}
	return `SELECT found.n FROM (` + strings.Join(walks, " UNION ") + `) AS found ORDER BY found.n ` + q.order + ` LIMIT ` + q.most
}

// stream keeps joins to nested loops: a larger one is done as a whole first.
func (pgBackend) stream() int     { return maxBatch }
func (pgBackend) inOrder() string { return " ORDER BY place.n DESC" }

func (b pgBackend) eachEntry(ctx context.Context, q database.Querier, each func(int64, []byte)) error {
	rows, err := q.QueryContext(ctx, `SELECT log, n, action, actor, actor_action, object, array_to_string(terms, ' ') FROM audit_index`)
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var log, rest string
		var n int64
		var columns [4]sql.NullInt64
		if err := rows.Scan(&log, &n, &columns[0], &columns[1], &columns[2], &columns[3], &rest); err != nil {
			return fmt.Errorf("reading the index: %w", err)
		}
		each(n, b.key(makeTerm(log, termLog)))
		for _, c := range columns {
			if c.Valid && c.Int64 != 0 {
				each(n, b.key(term{hash: uint64(c.Int64)}))
			}
		}
		for word := range strings.FieldsSeq(rest) {
			h, err := strconv.ParseInt(word, 10, 32)
			if err != nil {
				return fmt.Errorf("reading the index: %w", err)
			}
			each(n, binary.BigEndian.AppendUint32(nil, uint32(h)))
		}
	}
	return rows.Err()
}
