package audit

import "time"

// Observer is told what a Log does, for figures: never who did it, nor to
// what. Its functions are called by whoever records or searches and must be
// quick; nil ones are not called.
type Observer struct {
	Event  func(action string, outcome Outcome) // one event is durable; not for [Log.RecordTx], whose commit is the caller's
	Record func(took time.Duration)             // a Record or Note, from the call until it was durable
	Search func(took time.Duration)             // one page of a search
}

// WithObserver sets who is told.
func WithObserver(o Observer) Option { return func(l *Log) { l.observer = o } }

func (o Observer) recorded(events []staged) {
	if o.Event == nil {
		return
	}
	for i := range events {
		o.Event(events[i].event.Action, events[i].event.Outcome)
	}
}

// since calls tell, if there is anybody to tell, with the time that passed.
func since(tell func(time.Duration), start time.Time) {
	if tell != nil {
		tell(time.Since(start))
	}
}
