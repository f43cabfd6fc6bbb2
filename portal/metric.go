package portal

import (
	"context"
	"fmt"

	"onrecord/audit"
	"onrecord/portal/metric"
	"onrecord/portal/store"
)

// TeamMetric is a metric of the catalogue and whether the team has it on.
type TeamMetric struct {
	metric.Metric
	Enabled bool
	Version string // the event that last switched it, or NoVersion
}

func metricRef(m metric.Metric) audit.Ref { return audit.Ref{Type: "metric", ID: m.Key, Name: m.Name} }

func isMetric(id string) bool {
	_, ok := metric.Get(id)
	return ok
}

// enabled tells whether the team has a metric on. A metric that nobody ever
// switched is on.
func enabled(settings map[string]store.MetricSetting, m metric.Metric) bool {
	s, set := settings[m.Key]
	return !set || s.Enabled
}

// Metrics lists the catalogue in its order.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) Metrics(ctx context.Context, by Caller, team string) ([]TeamMetric, error) {
	if err := p.mayRead(ctx, by, team, "metrics"); err != nil {
		return nil, err
	}
	settings, err := store.MetricSettings(ctx, p.db, team)
	if err != nil {
		return nil, fmt.Errorf("reading the team's metrics: %w", err)
	}
	var all []TeamMetric
	for _, m := range metric.All() {
		all = append(all, TeamMetric{Metric: m, Enabled: enabled(settings, m), Version: versionOf(settings[m.Key].EventID)})
	}
	return all, nil
}

// SetMetric switches a metric on or off for the team. A metric that is off is
// not shown on calls and cannot be edited there; its values stay. version is
// the Version that the person saw, or "" for whatever stands.
//
// Permission: Admin. Event: metric.enabled or metric.disabled, whose id is
// returned. Errors: Denied, NotFound, Conflict when it stands so already or
// has changed since version.
func (p *Portal) SetMetric(ctx context.Context, by Caller, team, metricID string, on bool, version, reason string) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	action, state := MetricDisabled, "off"
	if on {
		action, state = MetricEnabled, "on"
	}
	in := p.intent(by, team, action)
	in.Reason = reason
	m, known := metric.Get(metricID)
	if known {
		in.Object = metricRef(m)
	} else {
		in.Data = joined(in.Data, "tried", "metric "+clip(metricID))
	}
	return p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		if !known {
			return audit.NotFound("There is no metric %q.", clip(metricID))
		}
		settings, err := store.MetricSettings(ctx, tx, team)
		if err != nil {
			return fmt.Errorf("reading the team's metrics: %w", err)
		}
		now, set := settings[m.Key]
		if err := checkVersion(version, versionOf(now.EventID), m.Name); err != nil {
			return err
		}
		if enabled(settings, m) == on {
			return audit.Conflict("%s is switched %s already.", m.Name, state)
		}
		if err := store.SetMetricEnabled(ctx, tx, team, m.Key, on, set); err != nil {
			return fmt.Errorf("switching %s %s: %w", m.Key, state, err)
		}
		return nil
	})
}
