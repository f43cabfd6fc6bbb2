package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/portal/transcript"
)

// Call is one call session without its transcript.
type Call struct {
	ID        string
	SourceID  string // its id in the system that recorded it
	Customer  string
	Agent     string // as the recording system named the person
	UserID    string // the member who is that agent, or ""
	Device    string // hostname: of the team's device as it is called now, or as the recording system named it, or ""
	DeviceID  string // the team's device, or ""
	Direction string // inbound or outbound
	Topic     string // or ""
	Started   time.Time
	Duration  time.Duration // 0 if neither the end nor the turns' times are known
	Turns     int           // how many
	Timed     bool          // every turn says when it began and ended

	Version  string    // the event that last changed it
	Deleted  time.Time // zero while the call is there
	Deletion *Deletion // who deleted it and why; nil while it is there
}

// Deletion is how something came to be deleted, as the log tells it.
type Deletion struct {
	By     audit.Actor
	Reason string
	Event  string // the event that did it
}

// Name is what a call is called in lists and in the log.
func (c Call) Name() string { return "Call " + c.Customer }

// Ref names the call as an object of the log.
func (c Call) Ref() audit.Ref { return audit.Ref{Type: "call", ID: c.ID, Name: c.Name()} }

func callOf(c store.Call) Call {
	hostname := c.Hostname
	if hostname == "" {
		hostname = c.Device
	}
	return Call{
		ID: c.ID, SourceID: c.SourceID, Customer: c.Customer, Agent: c.Agent, UserID: c.UserID, Device: hostname,
		DeviceID: c.DeviceID, Direction: c.Direction, Topic: c.Topic, Started: c.Started, Duration: c.Duration,
		Turns: c.Turns, Timed: c.Timed, Version: c.EventID, Deleted: c.Deleted,
	}
}

// CallPage is all of a call but its transcript.
type CallPage struct {
	Call
	Scores []Score // of the metrics that the team has switched on, in the catalogue's order
}

// OpenCall is a call with its transcript. Nobody gets one before the log says
// so.
type OpenCall struct {
	CallPage
	Transcript []transcript.Turn
}

// spareTime is how long the redirect after one's own edit may take.
const spareTime = 30 * time.Second

// noteLife is how long an opening is remembered: longer than any session.
const noteLife = 8 * 24 * time.Hour

// CallPage shows a call without its transcript, deleted or not.
//
// Permission: Admin, Auditor. Events: none; a refusal is call.viewed.
// Errors: Denied, NotFound.
func (p *Portal) CallPage(ctx context.Context, by Caller, team, call string) (CallPage, error) {
	page, err := p.callPage(ctx, by, team, call)
	if err != nil {
		return CallPage{}, p.refuse(ctx, p.intentOn(by, team, CallViewed, "call", call, ""), err)
	}
	return page, nil
}

func (p *Portal) callPage(ctx context.Context, by Caller, team, call string) (CallPage, error) {
	if err := p.authorize(ctx, p.db, by, team, Admin, Auditor); err != nil {
		return CallPage{}, err
	}
	c, err := callIn(ctx, p.db, team, call)
	if err != nil {
		return CallPage{}, err
	}
	if !c.Deleted.IsZero() {
		if c.Deletion, err = p.deletion(ctx, team, c.Version); err != nil {
			return CallPage{}, err
		}
	}
	scores, err := scoresOf(ctx, p.db, team, c)
	return CallPage{c, scores}, err
}

// ViewCall opens a call with its transcript. Each opening is one event, which
// is durable before the transcript is returned.
//
// Permission: Admin. Event: call.viewed. Errors: Denied, NotFound, and Gone
// for a deleted call: ask [Portal.CallPage] first, whose answer says so
// without an event.
func (p *Portal) ViewCall(ctx context.Context, by Caller, team, call string) (OpenCall, error) {
	var open OpenCall
	forget := p.forgetOpened.due(p.now())
	_, err := p.log.Record(ctx, p.intentOn(by, team, CallViewed, "call", call, ""), func(tx *audit.Tx) (err error) {
		open, err = p.open(ctx, tx, by, team, call)
		if err != nil {
			return err
		}
		tx.SetObject(open.Ref())
		if by.Session == "" {
			return nil
		}
		if forget {
			if err := store.ForgetOpened(ctx, tx, p.now().Add(-noteLife)); err != nil {
				return fmt.Errorf("noting the opening: %w", err)
			}
		}
		return store.NoteOpened(ctx, tx, by.Session, call, p.now())
	})
	if err != nil {
		return OpenCall{}, err
	}
	return open, nil
}

// ViewAfterEdit shows a call to the person who has just edited or reset one of
// its scores, or restored it: the redirect after that change is no opening of
// its own. It needs that this session opened the call before, and changed it
// less than 30 seconds ago; it works once a change. In any other case it is
// [Portal.ViewCall].
//
// Permission: Admin. Events: none, or those of ViewCall. Errors: as ViewCall.
func (p *Portal) ViewAfterEdit(ctx context.Context, by Caller, team, call string) (OpenCall, error) {
	if by.Session == "" {
		return p.ViewCall(ctx, by, team, call)
	}
	var open OpenCall
	var spared bool
	err := p.db.Write(ctx, func(tx *database.Tx) (err error) {
		open, spared = OpenCall{}, false
		used, err := store.UseSpare(ctx, tx, by.Session, call, p.now())
		if err != nil || !used {
			return err
		}
		opened, err := p.open(ctx, tx, by, team, call)
		switch audit.CodeOf(err) {
		case "":
			open, spared = opened, true
		case audit.CodeInternal, audit.CodeUnavailable:
			return err
		}
		return nil // refused: ViewCall says why, on the record
	})
	if err != nil {
		return OpenCall{}, err
	}
	if !spared {
		return p.ViewCall(ctx, by, team, call)
	}
	return open, nil
}

// open reads a call with its transcript for somebody who may see it.
func (p *Portal) open(ctx context.Context, q database.Querier, by Caller, team, call string) (OpenCall, error) {
	if err := p.authorize(ctx, q, by, team, Admin); err != nil {
		return OpenCall{}, err
	}
	c, err := liveCall(ctx, q, team, call)
	if err != nil {
		return OpenCall{}, err
	}
	scores, err := scoresOf(ctx, q, team, c)
	if err != nil {
		return OpenCall{}, err
	}
	turns, err := turnsOf(ctx, q, team, call)
	return OpenCall{CallPage{c, scores}, turns}, err
}

// DeleteCall marks a call as deleted; RestoreCall brings it back. version is
// the Version that the person saw, or "" for whatever stands.
//
// Permission: Admin. Event: call.deleted, whose id is returned. Errors:
// Denied, NotFound, Conflict when it is deleted already or has changed since
// version.
func (p *Portal) DeleteCall(ctx context.Context, by Caller, team, call, version, reason string) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	return p.log.Record(ctx, p.intentOn(by, team, CallDeleted, "call", call, reason), func(tx *audit.Tx) error {
		c, err := p.changeable(ctx, tx, by, team, call, version)
		if err != nil {
			return err
		}
		if !c.Deleted.IsZero() {
			return audit.Conflict("This call was deleted already, on %s.", c.Deleted.Format(minute))
		}
		return store.SetCallDeleted(ctx, tx, team, call, tx.Now())
	})
}

// RestoreCall brings a deleted call back as it was.
//
// Permission: Admin. Event: call.restored, whose id is returned. Errors:
// Denied, NotFound, Conflict when it is not deleted or has changed since
// version ("": whatever stands).
func (p *Portal) RestoreCall(ctx context.Context, by Caller, team, call, version, reason string) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	return p.log.Record(ctx, p.intentOn(by, team, CallRestored, "call", call, reason), func(tx *audit.Tx) error {
		c, err := p.changeable(ctx, tx, by, team, call, version)
		if err != nil {
			return err
		}
		if c.Deleted.IsZero() {
			return audit.Conflict("This call is not deleted.")
		}
		if err := store.SetCallDeleted(ctx, tx, team, call, time.Time{}); err != nil {
			return err
		}
		return p.spareOpening(ctx, tx, by, call)
	})
}

// changeable gives the call for a change: allowed, there, and as the person
// saw it. It names the event's object.
func (p *Portal) changeable(ctx context.Context, tx *audit.Tx, by Caller, team, call, version string) (Call, error) {
	if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
		return Call{}, err
	}
	c, err := callIn(ctx, tx, team, call)
	if err != nil {
		return Call{}, err
	}
	tx.SetObject(c.Ref())
	return c, checkVersion(version, c.Version, "This call")
}

// spareOpening lets the redirect after one's own change show the call again.
func (p *Portal) spareOpening(ctx context.Context, tx *audit.Tx, by Caller, call string) error {
	if by.Session == "" {
		return nil
	}
	return store.SpareOpening(ctx, tx, by.Session, call, p.now().Add(spareTime))
}

// minute is how sentences write a time.
const minute = "2006-01-02 15:04 UTC"

// callIn gives a call of the team, deleted or not.
func callIn(ctx context.Context, q database.Querier, team, id string) (Call, error) {
	c, err := storedCall(ctx, q, team, id)
	return callOf(c), err
}

func storedCall(ctx context.Context, q database.Querier, team, id string) (store.Call, error) {
	c, err := store.CallByID(ctx, q, team, id)
	if errors.Is(err, sql.ErrNoRows) {
		return c, audit.NotFound("This team has no such call.")
	}
	if err != nil {
		return c, fmt.Errorf("reading call %s: %w", id, err)
	}
	return c, nil
}

// liveCall gives a call that is not deleted.
func liveCall(ctx context.Context, q database.Querier, team, id string) (Call, error) {
	c, err := callIn(ctx, q, team, id)
	if err == nil && !c.Deleted.IsZero() {
		return c, gone(c.Deleted)
	}
	return c, err
}

func gone(at time.Time) error {
	return &audit.Error{Code: audit.CodeGone, Message: "This call was deleted on " + at.Format(minute) + ". Restore it to open it."}
}

func turnsOf(ctx context.Context, q database.Querier, team, call string) ([]transcript.Turn, error) {
	raw, err := store.Turns(ctx, q, team, call)
	if err != nil {
		return nil, fmt.Errorf("reading the transcript of %s: %w", call, err)
	}
	turns, err := transcript.UnmarshalTurns(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the transcript of %s: %w", call, err)
	}
	return turns, nil
}

// deletion reads from the log who deleted something and why.
func (p *Portal) deletion(ctx context.Context, log, event string) (*Deletion, error) {
	e, err := p.log.Event(ctx, log, event)
	if err != nil {
		return nil, fmt.Errorf("reading the event %s: %w", event, err)
	}
	return &Deletion{By: *e.Actor, Reason: e.Reason, Event: e.ID}, nil
}
