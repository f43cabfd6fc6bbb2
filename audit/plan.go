package audit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// resolved is a filter whose actors and objects are ids.
type resolved struct {
	Filter
	renamed renamed
	hours   within
}

// resolve replaces names by the ids of everybody who ever bore them. A value
// may be an id as well: it stands for itself.
func (l *Log) resolve(ctx context.Context, log string, f Filter) (r resolved, err error) {
	r.Filter = f
	for _, list := range []*[]string{&r.Actor.Any, &r.Actor.None, &r.Object.Any, &r.Object.None} {
		if *list, err = l.ids(ctx, log, *list); err != nil {
			return r, err
		}
	}
	if r.hours, err = readHours(f.Hours); err != nil {
		return r, err
	}
	r.renamed, err = l.renamed(ctx, log, f.Text.Any)
	return r, err
}

func (l *Log) ids(ctx context.Context, log string, values []string) ([]string, error) {
	var ids []string
	for _, v := range values {
		if _, _, err := ParseID(v); err != nil { // our own ids are nobody's name
			named, err := idsNamed(ctx, l.db, log, v)
			if err != nil {
				return nil, err
			}
			ids = append(ids, named...)
		}
		ids = append(ids, v)
	}
	return distinct(ids...), nil
}

// unknown gives the actors and objects of the filter that the log never saw.
func (l *Log) unknown(ctx context.Context, log string, f Filter) ([]string, error) {
	var all []string
	for _, v := range slices.Concat(f.Actor.Any, f.Object.Any) {
		seen := false
		for _, one := range []Filter{{Actor: Values{Any: []string{v}}}, {Object: Values{Any: []string{v}}}} {
			w := &walk{log: l, logID: log, page: Page{Limit: 1}, high: math.MaxInt64}
			res, err := w.search(ctx, one)
			if err != nil {
				return nil, fmt.Errorf("looking %q up: %w", v, err)
			}
			seen = seen || len(res.Events) > 0
		}
		if !seen {
			all = append(all, v)
		}
	}
	return all, nil
}

// plan turns the filter into questions to the index. One condition, or a pair
// that has terms of its own, is walked as it is; of several the rarest is
// walked and the rest looked up beside it.
func (w *walk) plan(ctx context.Context) error {
	conditions, err := w.conditions()
	if err != nil {
		return err
	}
	if len(conditions) == 0 {
		conditions = []condition{everything(w.logID)}
	}
	w.whole = wants{all: conditions, none: w.unwanted()}
	w.driver = conditions[0]
	if len(conditions) > 1 {
		w.driver, err = w.rarest(ctx, conditions)
	}
	w.several = len(conditions) > 1 || len(w.whole.none) > 0
	return err
}

// everything is met by all events of a log.
func everything(log string) condition { return condition{{makeTerm(log, termLog)}} }

// conditions gives those of the filter that terms can say.
func (w *walk) conditions() ([]condition, error) {
	f := w.filter
	var all []condition
	combos := 0
	add := func(kind string, values ...[]string) {
		n := 1
		for _, v := range values {
			n *= len(v)
		}
		if combos += n; n > 0 && combos <= maxTerms {
			all = append(all, anyOf(product(w.logID, kind, values...)))
		}
	}
	object, actor, action := f.Object.Any, f.Actor.Any, f.Action.Any
	switch {
	case len(object) > 0 && len(actor) > 0 && len(action) > 0:
		add(termObjectActor, object, actor)
		add(termObjectAction, object, action)
		add(termActorAction, actor, action)
	case len(object) > 0 && len(actor) > 0:
		add(termObjectActor, object, actor)
	case len(object) > 0 && len(action) > 0:
		add(termObjectAction, object, action)
	case len(actor) > 0 && len(action) > 0:
		add(termActorAction, actor, action)
	default:
		for kind, values := range map[string][]string{termObject: object, termActor: actor, termAction: action} {
			if len(values) > 0 {
				add(kind, values)
			}
		}
	}
	if combos > maxTerms {
		return nil, Invalid("q", "The filter combines %d values of actor, action and object; at most %d combinations can be searched at once: narrow it.", combos, maxTerms)
	}
	if len(f.Type.Any) > 0 {
		add(termType, f.Type.Any)
	}
	if len(f.Session.Any) > 0 {
		add(termSession, f.Session.Any)
	}
	if len(f.Outcome.Any) > 0 && !slices.Contains(f.Outcome.Any, string(OutcomeOK)) {
		add(termOutcome, f.Outcome.Any)
	}
	if len(f.IP.Any) > 0 && !slices.ContainsFunc(f.IP.Any, isNetwork) {
		add(termIP, f.IP.Any)
	}
	for _, phrase := range f.Text.Any {
		all = append(all, w.phrase(phrase))
	}
	return all, nil
}

// phrase finds events by the words of a phrase, and everybody who bears it in
// one of several names.
func (w *walk) phrase(phrase string) condition {
	words := product(w.logID, termWord, distinct(Words(phrase)...))
	return append(condition{words}, anyOf(w.filter.renamed.terms(w.logID, phrase))...)
}

func (w *walk) unwanted() []term {
	f := w.filter
	var all []term
	for kind, values := range map[string][]string{
		termActor: f.Actor.None, termAction: f.Action.None, termObject: f.Object.None, termType: f.Type.None, termSession: f.Session.None,
	} {
		all = append(all, product(w.logID, kind, values)...)
	}
	return all
}

func isNetwork(ip string) bool { return strings.Contains(ip, "/") }

// rarest compares conditions by counting their entries up to a bound.
func (w *walk) rarest(ctx context.Context, conditions []condition) (condition, error) {
	best, fewest := conditions[0], math.MaxInt
	for _, c := range conditions {
		places, err := w.candidates(ctx, c, w.low, w.high, probeLimit)
		if err != nil {
			return nil, err
		}
		if len(places) < fewest {
			best, fewest = c, len(places)
		}
	}
	return best, nil
}
