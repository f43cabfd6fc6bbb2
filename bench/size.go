package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"onrecord/audit"
	"onrecord/database"
)

// sizes compares what an event takes on disk, in all tables and indexes of the
// engine, with its JSON.
func (r *run) sizes(ctx context.Context) error {
	c, err := r.filled(ctx)
	if err != nil {
		return err
	}
	events, err := number(ctx, c.db, `SELECT count(*) FROM audit_event`)
	if err != nil {
		return err
	}
	tables, err := engineSizes(ctx, c.db)
	if err != nil {
		return err
	}
	text, body, err := c.eventSizes(ctx)
	if err != nil {
		return err
	}
	total, parts := 0.0, []string{}
	for _, t := range tables {
		each := t.bytes / float64(events)
		total += each
		if each >= 1 {
			parts = append(parts, fmt.Sprintf("%s %.0f", strings.TrimPrefix(t.name, "audit_"), each))
		}
	}
	r.report(Row{
		Name: "size", What: "bytes on disk an event, with every index", Against: "the event's JSON", Unit: "B",
		Ours: total, Theirs: text, Ratio: total / text,
		Note: fmt.Sprintf("sealed bytes %.0f; %s", body, strings.Join(parts, ", ")),
	})
	return nil
}

type tableSize struct {
	name  string
	bytes float64
}

// engineSizes gives the size of each table of the engine, largest first; the
// parts of the word index count as the index.
func engineSizes(ctx context.Context, db *database.DB) ([]tableSize, error) {
	query := `SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'audit\_%' AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC`
	if db.Dialect().Name == database.SQLite.Name {
		query = `SELECT name, sum(bytes) FROM (
			SELECT CASE WHEN s.name LIKE 'audit\_index\_%' ESCAPE '\' THEN 'audit_index' ELSE coalesce(m.tbl_name, s.name) END AS name, s.pgsize AS bytes
			FROM dbstat s LEFT JOIN sqlite_schema m ON m.name = s.name WHERE s.aggregate = TRUE AND coalesce(m.tbl_name, s.name) LIKE 'audit\_%' ESCAPE '\'
		) GROUP BY name ORDER BY 2 DESC`
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []tableSize
	for rows.Next() {
		var t tableSize
		if err := rows.Scan(&t.name, &t.bytes); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// eventSizes gives the mean size of an event's JSON and of its sealed bytes,
// over the newest thousand.
func (c *center) eventSizes(ctx context.Context) (text, body float64, err error) {
	res, err := c.portal.Log().Search(ctx, c.team, audit.Filter{}, audit.Page{Limit: 1000})
	if err != nil {
		return 0, 0, err
	}
	for _, e := range res.Events {
		b, err := json.Marshal(e)
		if err != nil {
			return 0, 0, err
		}
		text += float64(len(b)) / float64(len(res.Events))
	}
	err = c.db.QueryRowContext(ctx, `SELECT avg(length(body)) FROM (SELECT body FROM audit_event WHERE log = $1 ORDER BY n DESC LIMIT 1000) AS newest`, c.team).Scan(&body)
	return text, body, err
}
