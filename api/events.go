package api

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
)

// events registers the operations on the log.
func (s *server) events() {
	huma.Register(s.huma, s.operation("list-events", "/audit-events", "Search the audit log", "Events", searchText), s.listEvents)
	huma.Register(s.huma, s.operation("get-histogram", "/audit-events/histogram", "Count events by time and action", "Events", histogramText), s.histogram)
	huma.Register(s.huma, s.streamed("export-events", "/audit-events/export", "Export the audit log", exportText, exportTypes()...), s.exportEvents)
	huma.Register(s.huma, s.streamed("stream-events", "/audit-events/stream", "Follow the audit log", streamText, "text/event-stream"), s.streamEvents)
	huma.Register(s.huma, s.operation("get-event", "/audit-events/{id}", "Read one event", "Events", eventText), s.getEvent)
}

const (
	searchText = "Newest first. Reading is itself an event, `audit_log.viewed`, durable before the answer leaves: one for each key, filter and hour, " +
		"however many pages are turned. With `order=commit` it is the log in the order in which it was sealed: go on from `next_cursor` again and again; you have all when it no longer changes. A search that has looked at 10,000 entries without filling its page stops, says in `reached` how far it came, and goes on from `next_cursor`."
	histogramText = "Bars of equal width over the range of the filter, or from the first event until now. Exact as far as it comes within 200 ms; " +
		"then `complete` is false, and only what lies from `reached` on is counted. Counting is reading, and recorded as such."
	eventText = "With the proof that it is in the log. An event of another team is not there; asking for one is recorded as refused."
)

// PageParams say which page of a list is wanted.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" doc:"next_cursor of the page before, with the same filter."`
}

type listEventsInput struct {
	FilterParams
	Order string `query:"order" enum:"newest,commit" default:"newest" doc:"newest first, or in the order in which events were sealed, oldest first (commit): then next_cursor is always there, and never misses an event that committed late."`
	PageParams
}

type eventPage struct {
	Items      []Event  `json:"items" nullable:"false" doc:"Newest first."`
	NextCursor *string  `json:"next_cursor" doc:"Where the next page begins; null after the last."`
	Reached    string   `json:"reached,omitempty" format:"date-time" doc:"Only if the search stopped early: as far back as this it has looked."`
	Unknown    []string `json:"unknown,omitempty" nullable:"false" doc:"Where nothing was found: the actors and objects of the filter that this log has never seen."`
}

type listEventsOutput struct{ Body eventPage }

func (s *server) listEvents(ctx context.Context, in *listEventsInput) (*listEventsOutput, error) {
	sent := in.sent(map[string]string{"cursor": in.Cursor})
	f, err := in.filter()
	if err != nil {
		return nil, s.failed(ctx, err, sent)
	}
	if in.Order == "commit" {
		return s.listSealed(ctx, in, f, sent)
	}
	h := holder(ctx)
	found, err := s.portal.SearchLog(ctx, h.Caller, h.Team, f, audit.Page{Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, s.failed(ctx, err, sent)
	}
	page := eventPage{Items: eventsOf(found.Events), NextCursor: pointer(found.Older), Unknown: found.Unknown}
	if !found.Complete && found.Older != "" {
		page.Reached = timestamp(found.Reached)
	}
	return &listEventsOutput{page}, nil
}

// listSealed is listEvents in the order of the leaves. Its cursor is the number
// of the last leaf that was looked at, as the stream's ids are.
func (s *server) listSealed(ctx context.Context, in *listEventsInput, f audit.Filter, sent map[string]string) (*listEventsOutput, error) {
	after, err := readLeaf("query.cursor", in.Cursor, -1)
	if err != nil {
		return nil, err
	}
	h := holder(ctx)
	found, err := s.portal.LogInOrder(ctx, h.Caller, h.Team, f, after, in.Limit)
	if err != nil {
		return nil, s.failed(ctx, err, sent)
	}
	page := eventPage{Items: eventsOf(found.Events)}
	if found.Last >= 0 {
		page.NextCursor = pointer(strconv.FormatInt(found.Last, 10))
	}
	return &listEventsOutput{page}, nil
}

// readLeaf reads the number of a leaf; "" is otherwise.
func readLeaf(location, text string, otherwise int64) (int64, error) {
	if text == "" {
		return otherwise, nil
	}
	leaf, err := strconv.ParseInt(text, 10, 64)
	if err != nil || leaf < 0 || strconv.FormatInt(leaf, 10) != text {
		return 0, wrongAt(location, text, "In this order a cursor is the number of a leaf, such as 14202: begin again without it.")
	}
	return leaf, nil
}

func eventsOf(all []audit.Event) []Event {
	list := make([]Event, 0, len(all))
	for _, e := range all {
		list = append(list, Event{e})
	}
	return list
}

// pointer gives nil for nothing, which is null in JSON.
func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timestamp is a time as events write it.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

type getEventInput struct {
	ID string `path:"id" doc:"The event's id." example:"evt_01kb2v6x5ne8mvk2h4s9d0a1bc"`
}

type getEventOutput struct{ Body ProvedEvent }

func (s *server) getEvent(ctx context.Context, in *getEventInput) (*getEventOutput, error) {
	h := holder(ctx)
	e, proof, err := s.portal.LogProof(ctx, h.Caller, h.Team, in.ID)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	return &getEventOutput{ProvedEvent{e, proof}}, nil
}

type histogramInput struct {
	FilterParams
	Bars int `query:"bars" minimum:"1" maximum:"1000" default:"60" doc:"At most so many bars."`
}

type histogram struct {
	WidthSeconds int64  `json:"width_seconds" doc:"Of each bar."`
	Events       int64  `json:"events" doc:"In all bars together."`
	Complete     bool   `json:"complete" doc:"False if the time was up: then events before reached are not counted."`
	Reached      string `json:"reached,omitempty" format:"date-time"`
	Items        []bar  `json:"items" nullable:"false" doc:"Oldest first, none left out between."`
}

type bar struct {
	From    string           `json:"from" format:"date-time"`
	To      string           `json:"to" format:"date-time" doc:"Just after the bar."`
	Events  int64            `json:"events"`
	Actions map[string]int64 `json:"actions" nullable:"false" doc:"Events by action."`
}

type histogramOutput struct{ Body histogram }

func (s *server) histogram(ctx context.Context, in *histogramInput) (*histogramOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, s.failed(ctx, err, in.sent(nil))
	}
	h := holder(ctx)
	counted, err := s.portal.LogHistogram(ctx, h.Caller, h.Team, f, audit.HistogramQuery{Bars: in.Bars})
	if err != nil {
		return nil, s.failed(ctx, err, in.sent(nil))
	}
	out := histogram{
		WidthSeconds: int64(counted.Width / time.Second), Events: counted.Events, Complete: counted.Complete,
		Reached: timestamp(counted.Reached), Items: make([]bar, 0, len(counted.Bars)),
	}
	for _, b := range counted.Bars {
		actions := b.Events
		if actions == nil {
			actions = map[string]int64{}
		}
		out.Items = append(out.Items, bar{timestamp(b.From), timestamp(b.To), b.Total(), actions})
	}
	return &histogramOutput{out}, nil
}
