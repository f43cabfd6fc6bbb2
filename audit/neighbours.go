package audit

import "context"

// Neighbours gives the ids of the events that stand before and after an event
// among those of a filter, or "" where there is none, or where none was found
// by looking at 10,000 entries. The event itself need not match.
//
// Cost: two searches of one event each. Errors: NotFound.
func (l *Log) Neighbours(ctx context.Context, log string, f Filter, id string) (newer, older string, err error) {
	defer func() { err = l.explain(err) }()
	at, err := l.placed(ctx, log, id)
	if err != nil {
		return "", "", err
	}
	cursor := makeCursor(at.n, log, f)
	for _, to := range []struct {
		id    *string
		newer bool
	}{{&newer, true}, {&older, false}} {
		found, err := l.Search(ctx, log, f, Page{Limit: 1, Cursor: cursor, Newer: to.newer})
		if err != nil {
			return "", "", err
		}
		if len(found.Events) > 0 {
			*to.id = found.Events[0].ID
		}
	}
	return newer, older, nil
}
