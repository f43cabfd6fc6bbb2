package main

import (
	"context"
	"slices"

	"onrecord/audit"
)

// follow shows the newest events, the oldest of them first, and then each new
// one as it is sealed, none twice and none missing, until ctx ends.
func (e *eventsSearchCommand) follow(ctx context.Context, o *opened, log string, filter audit.Filter, w eventWriter) error {
	after := int64(-1) // all of them come by following
	shown := map[string]bool{}
	if e.Limit > 0 {
		var err error
		// Asked before the search: what is sealed between the two is found by both.
		if after, err = o.LastLeaf(ctx, o.by, log); err != nil {
			return err
		}
		newest, err := e.newest(ctx, o, log, filter)
		if err != nil {
			return err
		}
		for _, each := range newest {
			shown[each.ID] = true
		}
		if err := w.write(newest); err != nil {
			return err
		}
	}
	coming, err := o.FollowLog(ctx, o.by, log, filter, after)
	if err != nil {
		return err
	}
	for each, err := range coming {
		if err != nil {
			return err
		}
		if shown[each.ID] {
			continue
		}
		if err := w.write([]audit.Event{each}); err != nil {
			return err
		}
	}
	return w.finish()
}

// newest gives the newest events, the oldest first.
func (e *eventsSearchCommand) newest(ctx context.Context, o *opened, log string, filter audit.Filter) ([]audit.Event, error) {
	var newest []audit.Event
	for page, err := range o.ReadLog(ctx, o.by, log, filter, e.Limit) {
		if err != nil {
			return nil, err
		}
		newest = append(newest, page.Events...)
	}
	slices.Reverse(newest)
	return newest, nil
}
