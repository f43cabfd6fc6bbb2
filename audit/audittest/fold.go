package audittest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"onrecord/audit"
)

// Row is a row of an audited table as events name it.
type Row struct{ Type, ID string }

// Folded is what a log alone says.
type Folded struct {
	Rows   map[Row]map[string]any // the fields that are not empty, as JSON has them
	Events map[string]int         // by "action outcome"
}

// Fold reads a log as an export does and follows each row's changes along
// prev, from nothing to the state that they lead to. It uses the events' JSON
// and nothing else of the engine. It fails where two events follow the same
// one, where an event is not in the chain, and where from is not what the
// events before it led to.
func Fold(ctx context.Context, l *audit.Log, log string) (Folded, error) {
	f := Folded{Rows: map[Row]map[string]any{}, Events: map[string]int{}}
	next := map[Row]map[string]*foldStep{} // by prev
	for page := (audit.Page{Limit: 500}); ; {
		res, err := l.Search(ctx, log, audit.Filter{}, page)
		if err != nil {
			return f, err
		}
		for _, e := range res.Events {
			if err := f.take(e, next); err != nil {
				return f, err
			}
		}
		if page.Cursor = res.Older; page.Cursor == "" {
			break
		}
	}
	for row, steps := range next {
		if err := f.follow(row, steps); err != nil {
			return f, err
		}
	}
	return f, nil
}

type foldStep struct {
	event   string
	changes []foldChange
}

type foldChange struct {
	On       Row
	Prev     string
	Field    string
	From, To any
}

func (f Folded) take(e audit.Event, next map[Row]map[string]*foldStep) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var j struct {
		ID, Action, Outcome string
		Changes             []foldChange
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	f.Events[j.Action+" "+j.Outcome]++
	for _, c := range j.Changes {
		if next[c.On] == nil {
			next[c.On] = map[string]*foldStep{}
		}
		s := next[c.On][c.Prev]
		if s == nil {
			s = &foldStep{event: j.ID}
			next[c.On][c.Prev] = s
		}
		if s.event != j.ID {
			return fmt.Errorf("events %s and %s both follow %q of %v", s.event, j.ID, c.Prev, c.On)
		}
		s.changes = append(s.changes, c)
	}
	return nil
}

func (f Folded) follow(row Row, steps map[string]*foldStep) error {
	state := map[string]any{}
	followed := 0
	for s := steps[""]; s != nil; s = steps[s.event] {
		followed++
		for _, c := range s.changes {
			if c.Field == "" {
				continue
			}
			if !reflect.DeepEqual(state[c.Field], c.From) {
				return fmt.Errorf("event %s says that %s of %v was %v, it was %v", s.event, c.Field, row, c.From, state[c.Field])
			}
			if state[c.Field] = c.To; c.To == nil {
				delete(state, c.Field)
			}
		}
	}
	if followed != len(steps) {
		return fmt.Errorf("%d events that changed %v are not in its chain", len(steps)-followed, row)
	}
	f.Rows[row] = state
	return nil
}
