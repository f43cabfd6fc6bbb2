package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// SearchLog reads the log of a team, newest first. The reading is itself an
// event, durable before anything is returned: one for each session or key of the
// API, filter and hour, however many pages are turned.
//
// Permission: Admin, Auditor, on a plan that includes the log; of the
// organization's own log, operators. Event: audit_log.viewed with the filter
// as query in its data. Errors: Denied (with Field "plan" if only the plan is
// in the way; that one is not recorded), NotFound, Invalid for a page that
// cannot be.
func (p *Portal) SearchLog(ctx context.Context, by Caller, team string, f audit.Filter, page audit.Page) (audit.Result, error) {
	if err := p.readLog(ctx, by, team, "query", f.String()); err != nil {
		return audit.Result{}, err
	}
	return p.log.Search(ctx, team, f, page)
}

// BeginReading records the reading of a filter, so that a page can then ask
// several questions about it at once.
//
// Permission: as SearchLog. Event: as SearchLog. Errors: as SearchLog.
func (p *Portal) BeginReading(ctx context.Context, by Caller, team string, f audit.Filter) error {
	return p.readLog(ctx, by, team, "query", f.String())
}

// LogHistogram counts the events of a filter over time. It belongs to a page
// of [Portal.SearchLog]: a reading of the same filter.
//
// Permission: as SearchLog. Event: as SearchLog. Errors: as SearchLog.
func (p *Portal) LogHistogram(ctx context.Context, by Caller, team string, f audit.Filter, q audit.HistogramQuery) (audit.Histogram, error) {
	if err := p.readLog(ctx, by, team, "query", f.String()); err != nil {
		return audit.Histogram{}, err
	}
	return p.log.Histogram(ctx, team, f, q)
}

// LogFacets counts the most frequent values among the events of a filter, as a
// reading of that filter.
//
// Permission: as SearchLog. Event: as SearchLog. Errors: as SearchLog.
func (p *Portal) LogFacets(ctx context.Context, by Caller, team string, f audit.Filter, q audit.FacetQuery) (audit.Facets, error) {
	if err := p.readLog(ctx, by, team, "query", f.String()); err != nil {
		return audit.Facets{}, err
	}
	return p.log.Facets(ctx, team, f, q)
}

// LogCountOf counts the events of a filter for no longer than limit, for the
// suggestions beside a page of [Portal.SearchLog]: complete tells that these
// are all. It tells how many, never what.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) LogCountOf(ctx context.Context, by Caller, team string, f audit.Filter, limit time.Duration) (events int64, complete bool, err error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return 0, false, err
	}
	return p.log.CountOf(ctx, team, f, limit)
}

// LogNeighbours gives the ids of the events before and after one, among those
// of a filter; "" for none. It belongs to a page of [Portal.LogEvent].
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) LogNeighbours(ctx context.Context, by Caller, team string, f audit.Filter, event string) (newer, older string, err error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return "", "", err
	}
	return p.log.Neighbours(ctx, team, f, event)
}

// LogTotals counts the events of a team's whole log by action: what a page
// leaves out when it shows the tracked actions only. It belongs to a page of
// [Portal.SearchLog], which is on the record.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) LogTotals(ctx context.Context, by Caller, team string) (map[string]int64, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return nil, err
	}
	return p.log.Count(ctx, team)
}

// LogNames suggests actors and objects for the log's filters. It tells only
// names, which the team's other pages show as well, never what happened.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) LogNames(ctx context.Context, by Caller, team string, q audit.NameQuery) ([]audit.Ref, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return nil, err
	}
	return p.log.Names(ctx, team, q)
}

// LogEvent reads one event of a team's log.
//
// Permission: as SearchLog. Event: audit_log.viewed with the event's id in its
// data, once for each session, event and hour. Errors: as SearchLog; NotFound
// for an event of another log.
func (p *Portal) LogEvent(ctx context.Context, by Caller, team, event string) (audit.Event, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return audit.Event{}, err
	}
	e, err := p.log.Event(ctx, team, strings.ToValidUTF8(event, "\uFFFD"))
	if err != nil {
		return audit.Event{}, p.refuse(ctx, p.readIntent(by, team, "event", event), err)
	}
	if err := p.readLog(ctx, by, team, "event", event); err != nil {
		return audit.Event{}, err
	}
	return e, nil
}

// History reads the events of one object of the team: a call, user, device,
// metric or the team itself, deleted or not. It is reading the log, with the
// object as filter.
//
// Permission: as SearchLog. Event: as SearchLog. Errors: as SearchLog;
// NotFound for an object that the team never had.
func (p *Portal) History(ctx context.Context, by Caller, team string, object audit.Ref, page audit.Page) (audit.Result, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return audit.Result{}, err
	}
	f := audit.Filter{Object: audit.Values{Any: []string{object.ID}}}
	places, err := p.Where(ctx, team, object)
	if err != nil {
		return audit.Result{}, err
	}
	if places[object.ID].State == Nowhere {
		return audit.Result{}, p.refuse(ctx, p.readIntent(by, team, "query", f.String()), audit.NotFound("This team has no such %s.", object.Type))
	}
	return p.SearchLog(ctx, by, team, f, page)
}

// readLog makes a reading of the log durable: what is the kind of thing read,
// value which one.
func (p *Portal) readLog(ctx context.Context, by Caller, team, what, value string) error {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return err
	}
	note, hour := readingNote(team, what, value), hourOf(p.now())
	reader := by.Session
	if by.Type == audit.ActorAPIKey {
		reader = by.ID
	}
	if reader != "" {
		read, err := store.HasRead(ctx, p.db, reader, note, hour)
		if err != nil {
			return fmt.Errorf("looking up earlier readings: %w", err)
		}
		if read {
			return nil
		}
	}
	var plan error
	forget := p.forgetReadings.due(p.now())
	_, err := p.log.Record(ctx, p.readIntent(by, team, what, value), func(tx *audit.Tx) error {
		plan = nil
		if err := p.authorizeLog(ctx, tx, by, team); err != nil {
			if offPlan(err) {
				plan = err
				return audit.ErrNothing
			}
			return err
		}
		if reader == "" {
			return nil
		}
		if forget {
			if err := store.ForgetReadings(ctx, tx, hour); err != nil {
				return err
			}
		}
		first, err := store.MarkReading(ctx, tx, reader, note, hour)
		if err == nil && !first {
			return audit.ErrNothing
		}
		return err
	})
	if plan != nil {
		return plan
	}
	return err
}

// readingNote is a digest of what was read, and nothing more: what people
// search for may be personal.
func readingNote(team, what, value string) string {
	sum := sha256.Sum256([]byte(team + "\x00" + what + "\x00" + value))
	return hex.EncodeToString(sum[:16])
}

func hourOf(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }

func (p *Portal) readIntent(by Caller, team, what, value string) audit.Intent {
	in := p.intent(by, team, AuditLogViewed)
	if value != "" {
		in.Data = map[string]string{what: strings.ToValidUTF8(value, "\uFFFD")} // an address may hold anything
	}
	return in
}

// mayReadLog checks the permission and the plan, and records a refusal.
func (p *Portal) mayReadLog(ctx context.Context, by Caller, team string) error {
	err := p.authorizeLog(ctx, p.db, by, team)
	if err == nil || offPlan(err) {
		return err
	}
	return p.refuse(ctx, p.intent(by, team, AuditLogViewed), err)
}

func (p *Portal) authorizeLog(ctx context.Context, q database.Querier, by Caller, team string) error {
	if by.Type == audit.ActorOperator && team != "" && team == p.Organization() {
		return nil
	}
	if err := p.authorize(ctx, q, by, team, Admin, Auditor); err != nil {
		return err
	}
	plan, err := store.Plan(ctx, q, team)
	if err != nil {
		return fmt.Errorf("reading the plan of %s: %w", team, err)
	}
	if plan != PlanCallCenterAI {
		return &audit.Error{Code: audit.CodeDenied, Field: "plan",
			Message: "Audit Logs are part of the plan Call Center AI, which this team does not have. What happens in the team is recorded all the same and can be read as soon as the plan includes it."}
	}
	return nil
}

func offPlan(err error) bool {
	e, ok := errors.AsType[*audit.Error](err)
	return ok && e.Code == audit.CodeDenied && e.Field == "plan"
}

// State says what has become of something that the log names.
type State int

// The states of a Place.
const (
	Nowhere State = iota // the team never had it, or it has no page
	Here
	Deleted
	Moved // to another team
)

// Place is where something that the log names stands in the portal now.
type Place struct {
	State State
	Team  string // the team a device was moved to
}

// Where tells what has become of actors and objects of a team's log, by id, so
// that a page links rightly: calls, users, devices and API keys, the metrics
// of the catalogue, exports of the log, and the team. Every ref gets an answer.
//
// Permission: none is asked, since it tells states only, to pages that were
// allowed already. Events: none. Errors: the database's.
func (p *Portal) Where(ctx context.Context, team string, refs ...audit.Ref) (map[string]Place, error) {
	places := make(map[string]Place, len(refs))
	byType := map[string][]string{}
	for _, r := range refs {
		places[r.ID] = Place{}
		switch {
		case r.Type == "team" && r.ID == team, r.Type == "metric" && isMetric(r.ID), r.Type == "export" && audit.ValidID("exp", r.ID):
			places[r.ID] = Place{State: Here}
		default:
			byType[r.Type] = append(byType[r.Type], r.ID)
		}
	}
	for typ, ids := range byType {
		found, err := store.Places(ctx, p.db, team, typ, ids)
		if err != nil {
			return nil, fmt.Errorf("looking up what the log names: %w", err)
		}
		for id, at := range found {
			switch {
			case at.MovedTo != "":
				places[id] = Place{State: Moved, Team: at.MovedTo}
			case at.Deleted:
				places[id] = Place{State: Deleted}
			default:
				places[id] = Place{State: Here}
			}
		}
	}
	return places, nil
}
