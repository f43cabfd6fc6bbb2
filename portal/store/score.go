package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"onrecord/audit"
	"onrecord/database"
)

// Score is what stands of one metric on one call.
type Score struct {
	Metric  string
	Default sql.NullString // as computed; NULL: not available
	Version int            // of the metric that computed it; 0: never computed
	ID      string         // of the edited value's row, "" if it was never edited
	Value   sql.NullString // as edited; NULL: it stands at its default
	EventID string         // the event that last changed the row, or ""
}

// Scores gives all that is stored of a call's scores.
func Scores(ctx context.Context, q database.Querier, team, call string) (map[string]Score, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT metric, value, version, '', NULL, '' FROM score_default WHERE team = $1 AND call_id = $2
		UNION ALL
		SELECT metric, NULL, 0, id, value, event_id FROM score WHERE team = $1 AND call_id = $2`, team, call)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]Score{}
	for rows.Next() {
		var s Score
		if err := rows.Scan(&s.Metric, &s.Default, &s.Version, &s.ID, &s.Value, &s.EventID); err != nil {
			return nil, err
		}
		if was := all[s.Metric]; s.ID == "" {
			was.Metric, was.Default, was.Version = s.Metric, s.Default, s.Version
			all[s.Metric] = was
		} else {
			s.Default, s.Version = was.Default, was.Version
			all[s.Metric] = s
		}
	}
	return all, rows.Err()
}

// SetScore stands the edited value of a metric on a call, or with NULL returns
// it to its default. was is what Scores gave for it in the same change; id is
// the row's id if it has none yet.
func SetScore(ctx context.Context, tx *audit.Tx, team, call string, was Score, id string, value sql.NullString) error {
	if was.ID == "" {
		_, err := tx.ExecContext(ctx, "INSERT INTO score (team, id, call_id, metric, value, event_id) VALUES ($1, $2, $3, $4, $5, $6)",
			team, id, call, was.Metric, value, tx.EventID())
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE score SET value = $1, event_id = $2 WHERE team = $3 AND id = $4",
		value, tx.EventID(), team, was.ID)
	return err
}

// SetDefaults stores the values of several metrics as computed from a call's
// transcript, in one statement.
func SetDefaults(ctx context.Context, tx Execer, team, call string, scores []Score) error {
	if len(scores) == 0 {
		return nil
	}
	args := []any{team, call}
	var rows []string
	for _, s := range scores {
		n := len(args)
		rows = append(rows, fmt.Sprintf("($1, $2, $%d, $%d, $%d)", n+1, n+2, n+3))
		args = append(args, s.Metric, s.Default, s.Version)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO score_default (team, call_id, metric, value, version) VALUES "+strings.Join(rows, ", ")+
		" ON CONFLICT (team, call_id, metric) DO UPDATE SET value = excluded.value, version = excluded.version", args...)
	return err
}

// MetricSetting says whether a team has a metric switched on.
type MetricSetting struct {
	Enabled bool
	EventID string // the event that last changed it
}

// MetricSettings gives the team's own settings by metric; a metric that nobody
// ever switched is absent.
func MetricSettings(ctx context.Context, q database.Querier, team string) (map[string]MetricSetting, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, enabled, event_id FROM metric_setting WHERE team = $1", team)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]MetricSetting{}
	for rows.Next() {
		var id string
		var s MetricSetting
		if err := rows.Scan(&id, &s.Enabled, &s.EventID); err != nil {
			return nil, err
		}
		all[id] = s
	}
	return all, rows.Err()
}

// SetMetricEnabled switches a metric; was says whether the team has a row for
// it already.
func SetMetricEnabled(ctx context.Context, tx *audit.Tx, team, metric string, enabled, was bool) error {
	if !was {
		_, err := tx.ExecContext(ctx, "INSERT INTO metric_setting (team, id, enabled, event_id) VALUES ($1, $2, $3, $4)",
			team, metric, integer(enabled), tx.EventID())
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE metric_setting SET enabled = $1, event_id = $2 WHERE team = $3 AND id = $4",
		integer(enabled), tx.EventID(), team, metric)
	return err
}
