package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// suggestion is what may stand in place of the word that is being typed.
type suggestion struct {
	Text   string `json:"text"`   // as the query language has it
	Label  string `json:"label"`  // what people read
	Detail string `json:"detail"` // what it is
	Count  string `json:"count"`  // how many events it finds; "" if that was not counted
}

// Counting one suggestion takes no longer than this: then it says "at least".
const suggestionTime = 8 * time.Millisecond

const maxSuggestions = 8

// fieldHints say what a field asks for.
var fieldHints = map[string]string{
	"actor": "who did it", "action": "what was done", "object": "what it was done to", "type": "the kind of object", "outcome": "ok, denied or failed",
	"ip": "an address or network", "via": "web, api, cli or system", "session": "a session's id", "request": "a request's id",
	"hours": "days and hours (UTC)", "after": "from this time on", "before": "earlier than this time",
}

var actorTypes = []string{string(audit.ActorUser), string(audit.ActorOperator), string(audit.ActorAPIKey), string(audit.ActorSystem)}

// suggest is GET …/audit-logs/suggest: what may stand in place of the word at
// the byte at of the query q. It tells names and numbers, never events.
func (v *visit) suggest() error {
	values := v.r.URL.Query()
	q := values.Get("q")
	at, err := strconv.Atoi(values.Get("at"))
	if err != nil {
		at = len(q)
	}
	if len(q) > 4096 {
		q, at = "", 0 // no query has so much: there is nothing to suggest
	}
	word := audit.WordAt(q, at)
	totals, err := v.portal.LogTotals(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	var found []suggestion
	switch word.Field {
	case "":
		found, err = v.suggestWords(word.Text, totals)
	case "actor":
		found, err = v.suggestNames(word.Text, actorTypes, false)
	case "object":
		found, err = v.suggestNames(word.Text, nil, false)
	default:
		found = v.suggestValues(word, totals)
	}
	if err != nil {
		return err
	}
	return v.showJSON(map[string]any{"from": word.From, "to": word.To, "items": append([]suggestion{}, found[:min(len(found), maxSuggestions)]...)})
}

// suggestWords suggests for a word without a field: fields, then actions, then
// who and what bears such a name.
func (v *visit) suggestWords(text string, totals map[string]int64) ([]suggestion, error) {
	var found []suggestion
	for _, f := range audit.Fields() {
		if strings.HasPrefix(f, strings.ToLower(text)) {
			found = append(found, suggestion{Text: f + ":", Label: f + ":", Detail: fieldHints[f]})
		}
	}
	if len(text) < 2 {
		return found, nil
	}
	actions := suggestActions(text, totals)
	for i := range actions {
		actions[i].Text = "action:" + actions[i].Text
	}
	found = append(found, actions[:min(len(actions), 3)]...)
	names, err := v.suggestNames(text, nil, true)
	return append(found, names...), err
}

// suggestNames suggests those that bear a name, with the number of their
// events, as values of one field or, withField, as words of their own.
func (v *visit) suggestNames(text string, types []string, withField bool) ([]suggestion, error) {
	refs, err := v.portal.LogNames(v.ctx(), v.by(), v.team(), audit.NameQuery{Text: clipped(text, 200), Types: types, Limit: maxSuggestions})
	if err != nil {
		return nil, err
	}
	names := map[string]int{}
	for _, r := range refs {
		names[r.Name]++
	}
	var found []suggestion
	for _, r := range refs {
		s := suggestion{Text: audit.QuoteValue(r.Name), Label: r.Name, Detail: strings.ReplaceAll(r.Type, "_", " ")}
		if names[r.Name] > 1 { // the name alone would mean them all
			s.Text = r.ID
		}
		n, complete, as, err := v.countNamed(r, types != nil, withField)
		if err != nil {
			return nil, err
		}
		if withField {
			s.Text = as + s.Text
		}
		if s.Count = count(int(n)); !complete {
			s.Count += "+"
		}
		found = append(found, s)
	}
	return found, nil
}

// countNamed counts what somebody or something is asked for by: as an actor, or
// as an object; where both can be, as an actor if they ever were one.
func (v *visit) countNamed(r audit.Ref, actors, both bool) (events int64, complete bool, field string, err error) {
	if slices.Contains(actorTypes, r.Type) && (actors || both) {
		f := audit.Filter{Actor: audit.Values{Any: []string{r.ID}}}
		events, complete, err = v.portal.LogCountOf(v.ctx(), v.by(), v.team(), f, suggestionTime)
		if err != nil || events > 0 || actors {
			return events, complete, "actor:", err
		}
	}
	f := audit.Filter{Object: audit.Values{Any: []string{r.ID}}}
	events, complete, err = v.portal.LogCountOf(v.ctx(), v.by(), v.team(), f, suggestionTime)
	return events, complete, "object:", err
}

// suggestValues suggests values that need no look at names.
func (v *visit) suggestValues(word audit.Typed, totals map[string]int64) []suggestion {
	begins := func(s string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(word.Text)) }
	var found []suggestion
	add := func(text, label, detail string) {
		if begins(text) || begins(label) {
			found = append(found, suggestion{Text: text, Label: label, Detail: detail})
		}
	}
	switch word.Field {
	case "action":
		return suggestActions(word.Text, totals)
	case "type":
		for _, k := range kinds(nil) {
			add(k.Value, k.Label, k.Value)
		}
	case "outcome":
		for _, o := range []audit.Outcome{audit.OutcomeOK, audit.OutcomeDenied, audit.OutcomeFailed} {
			add(string(o), string(o), outcomes[string(o)])
		}
	case "via":
		for _, s := range []string{"web", "api", "cli", "system"} {
			add(s, s, "")
		}
	case "hours":
		add("mon-fri/08:00-18:00", "mon-fri/08:00-18:00", "working hours")
		add("sat-sun", "sat-sun", "weekends")
		add("22:00-06:00", "22:00-06:00", "nights")
	case "after", "before":
		day := v.now().UTC().Truncate(24 * time.Hour)
		for _, d := range []struct {
			days  int
			label string
		}{{0, "today"}, {1, "yesterday"}, {7, "7 days ago"}, {30, "30 days ago"}, {90, "90 days ago"}} {
			add(day.AddDate(0, 0, -d.days).Format("2006-01-02"), d.label, day.AddDate(0, 0, -d.days).Format("2006-01-02"))
		}
	}
	return found
}

// suggestActions finds actions by their label or id, the most frequent first.
func suggestActions(text string, totals map[string]int64) []suggestion {
	text = strings.ToLower(text)
	actions := slices.DeleteFunc(portal.Catalogue.All(), func(a audit.Action) bool {
		return !strings.Contains(strings.ToLower(a.Label), text) && !strings.Contains(a.ID, text)
	})
	slices.SortStableFunc(actions, func(a, b audit.Action) int { return int(totals[b.ID] - totals[a.ID]) })
	var found []suggestion
	for _, a := range actions {
		found = append(found, suggestion{Text: a.ID, Label: a.Label, Detail: a.ID, Count: count(int(totals[a.ID]))})
	}
	return found
}
