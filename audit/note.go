package audit

import (
	"context"
	"time"

	"onrecord/database"
)

// Note records that something is about to be disclosed and returns only when
// the event is durable: show nothing before. A fault is recorded by itself, as
// [Log.Record] does it.
//
// Cost: as Record, without the two statements around a change.
func (l *Log) Note(ctx context.Context, in Intent) (string, error) {
	noted, err := l.note(ctx, in)
	if err != nil && noted != nil && l.refuse(context.WithoutCancel(ctx), in, noted[0].id, noted[0].at, err) {
		err = nil // the refusal found that the event was written after all
	}
	if err != nil {
		return "", err
	}
	return noted[0].id, nil
}

// NoteAll records several events in one transaction, in their order: all or
// none. It gives their ids. Nothing is recorded of a fault.
//
// Cost: as Note for all of them together; some hundred at a time are best.
func (l *Log) NoteAll(ctx context.Context, all ...Intent) ([]string, error) {
	noted, err := l.note(ctx, all...)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(noted))
	for i, n := range noted {
		ids[i] = n.id
	}
	return ids, nil
}

// noted is the id and time of an event.
type noted struct {
	id string
	at time.Time
}

// note records events that come with no change. It gives nothing if the
// intents cannot be.
func (l *Log) note(ctx context.Context, all ...Intent) ([]noted, error) {
	if len(all) == 0 {
		return nil, nil
	}
	for _, in := range all {
		if err := l.check(in); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	marks := make([]noted, len(all))
	for i := range all {
		at := l.clock.tick()
		marks[i] = noted{NewID("evt", at), at}
	}
	var rec *recording
	err := l.once(context.WithoutCancel(ctx), all[0].Log, marks[0].id, func(tx *database.Tx, step int) error {
		rec = &recording{log: l, tx: tx, step: step}
		for i, in := range all {
			if err := rec.stage(&Tx{rec: rec, event: newEvent(in, marks[i].id, marks[i].at)}); err != nil {
				return err
			}
		}
		rec.leave()
		return nil
	})
	if err != nil {
		return marks, l.explain(err)
	}
	l.recorded(rec.staged)
	since(l.observer.Record, start)
	return marks, nil
}
