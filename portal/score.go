package portal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/metric"
	"onrecord/portal/store"
)

// Score is what stands of one metric on one call: the default as computed from
// the transcript, and the value as it stands.
type Score struct {
	Metric  metric.Metric
	Default metric.Value // not available if the transcript cannot tell
	Value   metric.Value // the default unless it was edited
	Edited  bool
	Version string // the event that last changed it, or NoVersion
}

// NoVersion is the version of what nobody has changed yet.
const NoVersion = "unchanged"

func versionOf(event string) string {
	if event == "" {
		return NoVersion
	}
	return event
}

// EditValue sets the value of a metric on a call in place of the default.
// value is a decimal in the metric's unit. version is the Version that the
// person saw, or "" for whatever stands.
//
// Permission: Admin. Event: metric.value_edited on the call, the metric being
// related; its id is returned. Errors: Invalid for a value that is none of the
// unit or that stands there already (an edit that changes nothing is no edit,
// and is not recorded), Denied, NotFound, Gone for a deleted call, Conflict if
// the team has the metric switched off or the score has changed since version.
func (p *Portal) EditValue(ctx context.Context, by Caller, team, call, metricID, value, version, reason string) (string, error) {
	return p.changeScore(ctx, by, MetricValueEdited, team, call, metricID, version, reason, func(now Score) (sql.NullString, error) {
		v, err := metric.ParseValue(now.Metric, strings.TrimSpace(value))
		if err != nil {
			return sql.NullString{}, audit.Invalid("value", "%s", err)
		}
		if v == now.Value {
			return sql.NullString{}, audit.Invalid("value", "%s is %s already.", now.Metric.Name, now.Metric.Format(v))
		}
		return sql.NullString{String: v.String(), Valid: true}, nil
	})
}

// ResetValue returns a metric on a call to the default as computed.
//
// Permission: Admin. Event: metric.value_reset on the call, the metric being
// related; its id is returned. Errors: Denied, NotFound, Gone for a deleted
// call, Conflict if it stands at its default already, the team has the metric
// switched off or the score has changed since version.
func (p *Portal) ResetValue(ctx context.Context, by Caller, team, call, metricID, version, reason string) (string, error) {
	return p.changeScore(ctx, by, MetricValueReset, team, call, metricID, version, reason, func(now Score) (sql.NullString, error) {
		if !now.Edited {
			return sql.NullString{}, audit.Conflict("%s stands at its default already.", now.Metric.Name)
		}
		return sql.NullString{}, nil
	})
}

// changeScore is the way of both: decide gives what is stored for the score as
// it stands.
func (p *Portal) changeScore(ctx context.Context, by Caller, action, team, call, metricID, version, reason string, decide func(Score) (sql.NullString, error)) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	in := p.intentOn(by, team, action, "call", call, reason)
	m, known := metric.Get(metricID)
	if known {
		in.Related = []audit.Ref{metricRef(m)}
	} else {
		in.Data = joined(in.Data, "tried", "metric "+clip(metricID))
	}
	return p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		c, err := liveCall(ctx, tx, team, call)
		if err != nil {
			return err
		}
		if !known {
			return audit.NotFound("There is no metric %q.", clip(metricID))
		}
		tx.SetObject(c.Ref())
		now, stored, err := scoreOf(ctx, tx, team, c, m)
		if err != nil {
			return err
		}
		if err := checkVersion(version, now.Version, m.Name); err != nil {
			return err
		}
		value, err := decide(now)
		if err != nil {
			return err
		}
		if err := store.SetScore(ctx, tx, team, call, stored, audit.NewID("score", tx.Now()), value); err != nil {
			return fmt.Errorf("storing the value of %s: %w", metricID, err)
		}
		return p.spareOpening(ctx, tx, by, call)
	})
}

// scoreOf gives the score of a metric that the team has switched on, and what
// is stored of it.
func scoreOf(ctx context.Context, q database.Querier, team string, c Call, m metric.Metric) (Score, store.Score, error) {
	settings, err := store.MetricSettings(ctx, q, team)
	if err != nil {
		return Score{}, store.Score{}, fmt.Errorf("reading the team's metrics: %w", err)
	}
	if !enabled(settings, m) {
		return Score{}, store.Score{}, audit.Conflict("The team has %s switched off. Switch it on under Metrics first.", m.Name)
	}
	stored, err := storedScores(ctx, q, team, c)
	if err != nil {
		return Score{}, store.Score{}, err
	}
	s, err := score(m, stored[m.Key])
	return s, stored[m.Key], err
}

// scoresOf gives the scores of the metrics that the team has switched on.
func scoresOf(ctx context.Context, q database.Querier, team string, c Call) ([]Score, error) {
	settings, err := store.MetricSettings(ctx, q, team)
	if err != nil {
		return nil, fmt.Errorf("reading the team's metrics: %w", err)
	}
	stored, err := storedScores(ctx, q, team, c)
	if err != nil {
		return nil, err
	}
	var all []Score
	for _, m := range metric.All() {
		if !enabled(settings, m) {
			continue
		}
		s, err := score(m, stored[m.Key])
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// storedScores gives what is stored of a call's scores by metric. A default
// that another version of its metric computed is computed anew.
func storedScores(ctx context.Context, q database.Querier, team string, c Call) (map[string]store.Score, error) {
	stored, err := store.Scores(ctx, q, team, c.ID)
	if err != nil {
		return nil, fmt.Errorf("reading the scores of %s: %w", c.ID, err)
	}
	current := true
	for _, m := range metric.All() {
		current = current && stored[m.Key].Version == metric.Version
	}
	if current {
		return stored, nil
	}
	turns, err := turnsOf(ctx, q, team, c.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range defaults(turns) {
		s := stored[d.Metric]
		s.Metric, s.Default, s.Version = d.Metric, d.Default, d.Version
		stored[d.Metric] = s
	}
	return stored, nil
}

func score(m metric.Metric, stored store.Score) (Score, error) {
	s := Score{Metric: m, Version: versionOf(stored.EventID)}
	var err error
	if stored.Default.Valid {
		if s.Default, err = metric.ParseStored(stored.Default.String); err != nil {
			return Score{}, fmt.Errorf("reading the default of %s: %w", m.Key, err)
		}
	}
	s.Value = s.Default
	if stored.Value.Valid {
		s.Edited = true
		if s.Value, err = metric.ParseStored(stored.Value.String); err != nil {
			return Score{}, fmt.Errorf("reading the value of %s: %w", m.Key, err)
		}
	}
	return s, nil
}
