package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/metric"
	"onrecord/web/view"
)

// fieldNames are the columns whose name is not their own words.
var fieldNames = map[string]string{
	"user_id": "Person", "device_id": "Device", "call_id": "Call", "source_id": "Id of the recording system",
	"moved_device": "Id in the other team", "duration_ms": "Duration (ms)", "turns": "Turns", "name_key": "Name to compare",
	"email_key": "Address to compare", "password_hash": "Password",
}

// fieldName is a column's name as people read it: "deleted_at" is "Deleted".
func fieldName(e *audit.Event, c audit.Change) string {
	if name, ok := fieldNames[c.Field]; ok && c.On.Type != "transcript" {
		return name
	}
	if c.On.Type == "transcript" {
		return "Transcript"
	}
	if c.On.Type == "score" && c.Field == "value" {
		if m, ok := metricOf(e); ok {
			return m.Name
		}
	}
	return titled(strings.ReplaceAll(strings.TrimSuffix(c.Field, "_at"), "_", " "))
}

// metricOf is the metric that an event is about.
func metricOf(e *audit.Event) (metric.Metric, bool) {
	for _, r := range e.Related {
		if r.Type == "metric" {
			return metric.Get(r.ID)
		}
	}
	return metric.Metric{}, false
}

// changesOf puts all changes of an event into words.
func changesOf(e *audit.Event) []view.Change {
	var all []view.Change
	for _, c := range e.Changes {
		if c.Field != "" {
			all = append(all, wordsOf(e, c))
		}
	}
	return all
}

func wordsOf(e *audit.Event, c audit.Change) view.Change {
	w := view.Change{Field: fieldName(e, c), Erased: c.Class == audit.Erased}
	switch c.Class {
	case audit.Erased:
	case audit.Secret:
		w.To = "changed; not recorded"
	case audit.Digest:
		w.From, w.To = shortened(c.From), shortened(c.To)
	default:
		w.From, w.To = valueOf(e, c, c.From), valueOf(e, c, c.To)
	}
	return w
}

// shortened is a digest: its beginning tells it apart.
func shortened(v audit.Value) string {
	if v.IsZero() {
		return ""
	}
	return "digest " + clipped(v.String(), 12) + "…"
}

// valueOf puts one side of a change into words.
func valueOf(e *audit.Event, c audit.Change, v audit.Value) string {
	if c.On.Type == "score" && c.Field == "value" {
		return scoreText(e, v)
	}
	if v.IsZero() {
		return ""
	}
	text := v.String()
	switch {
	case strings.HasSuffix(c.Field, "_at"):
		if us, err := strconv.ParseInt(text, 10, 64); err == nil {
			return utc(time.UnixMicro(us))
		}
	case c.Field == "enabled", c.Field == "timed":
		if text == "1" || text == "true" {
			return "yes"
		}
		return "no"
	}
	for _, r := range e.Related {
		if r.ID == text && r.Name != "" {
			return r.Name
		}
	}
	return text
}

// scoreText is a score's value with its unit; nothing stored is the default.
func scoreText(e *audit.Event, v audit.Value) string {
	if v.IsZero() {
		return "default"
	}
	if m, ok := metricOf(e); ok {
		if value, err := metric.ParseStored(v.String()); err == nil {
			return m.Format(value)
		}
	}
	return v.String()
}

// summary is what a list says of an event's changes: what its label leaves
// open, in a line.
func summary(e *audit.Event) []view.Change {
	if e.Outcome != audit.OutcomeOK {
		return nil
	}
	switch e.Action {
	case portal.DeviceMoved:
		if len(e.Related) >= 2 {
			return []view.Change{{From: e.Related[0].Name, To: e.Related[1].Name}}
		}
	case portal.UserRoleChanged:
		return unnamed(pick(e, "role"))
	case portal.UserCreated:
		return pick(e, "role")
	case portal.DeviceAssigned, portal.DeviceUnassigned:
		if len(e.Related) > 0 {
			return []view.Change{{Field: "Person", To: e.Related[0].Name}}
		}
	case portal.MetricValueEdited, portal.MetricValueReset:
		return pick(e, "value")
	case portal.TeamRenamed, portal.TeamPlanChanged, portal.AccountRenamed:
		return []view.Change{{From: e.Data["from"], To: e.Data["to"]}}
	case portal.CallTranscriptExported:
		return []view.Change{{Field: "Format", To: e.Data["format"]}}
	case portal.UserBlocked, portal.UserUnblocked, portal.UserDeleted, portal.CallDeleted, portal.CallRestored, portal.CallImported,
		portal.DeviceAdded, portal.DeviceBlocked, portal.DeviceUnblocked, portal.MetricEnabled, portal.MetricDisabled:
		return nil // the label says it
	}
	return updates(e)
}

// pick are the changes of one field.
func pick(e *audit.Event, field string) []view.Change {
	var all []view.Change
	for _, c := range e.Changes {
		if c.Field == field {
			all = append(all, wordsOf(e, c))
		}
	}
	return all
}

func unnamed(changes []view.Change) []view.Change {
	for i := range changes {
		changes[i].Field = ""
	}
	return changes
}

// updates are the changes of rows that were there before.
func updates(e *audit.Event) []view.Change {
	var all []view.Change
	for _, c := range e.Changes {
		if c.Prev != "" && c.Field != "" {
			all = append(all, wordsOf(e, c))
		}
	}
	return all
}

// dataOf are the further facts of an event; its page has the refusal above.
func dataOf(e *audit.Event) []view.Fact {
	var facts []view.Fact
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		if name != "refusal" {
			facts = append(facts, view.Fact{Label: titled(strings.ReplaceAll(name, "_", " ")), Value: e.Data[name]})
		}
	}
	return facts
}
