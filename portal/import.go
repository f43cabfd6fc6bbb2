package portal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"time"

	"onrecord/audit"
	"onrecord/portal/metric"
	"onrecord/portal/store"
	"onrecord/portal/transcript"
)

// Imported tells what became of one call of an import.
type Imported struct {
	Place    string // the file and line it was read from
	SourceID string // its id in the system that recorded it
	ID       string // its id here, once it is there
	Event    string // of the import, if the call is new
	Same     bool   // it was there already with the same content
	Err      error  // why it was refused; the other calls arrive
}

// ImportCounts counts the calls of an import.
type ImportCounts struct{ New, Same, Refused int }

const (
	// importBatch is how many calls commit together: enough that the fsync does
	// not count, few enough that nobody waits long for the write lock.
	importBatch = 64
	// importGap is left between two batches, so that another process that
	// serves from the same file gets the write lock in turn. Its writer asks
	// every millisecond.
	importGap = 3 * time.Millisecond
)

// Import adds calls to a team, each with its transcript and the defaults of
// every metric. It may run again over the same input: a call that is there
// already with the same content is passed over, one whose id is there with
// other content is refused. each, if not nil, is told of every call in the
// order of the input. calls is what [transcript.Open] gives: a
// *[transcript.Error] is about one call, which is told to each as well, any
// other error is final. A
// call whose agent is the name or mail address of one member belongs to that
// member, and one whose device is a hostname of the team to that device.
//
// Permission: Admin (or an operator). Event: call.imported for every new call,
// holding all its values; a refused one is its failure. Errors: Denied,
// NotFound for the team, Unavailable when the database cannot go on, those of
// calls that are final, and ctx's; what was told to each before is there.
func (p *Portal) Import(ctx context.Context, by Caller, team string, calls iter.Seq2[transcript.Call, error], each func(Imported)) (ImportCounts, error) {
	var counts ImportCounts
	if err := p.authorize(ctx, p.db, by, team, Admin); err != nil {
		return counts, p.refuse(ctx, p.intent(by, team, CallImported), err)
	}
	known, err := p.knownIn(ctx, team)
	if err != nil {
		return counts, err
	}
	ctx, stop := context.WithCancel(ctx)
	im := &importing{portal: p, by: by, team: team, known: known}
	arrivals := im.prepare(ctx, calls)
	defer func() {
		stop()
		for range arrivals { // the input is left alone before Import returns
		}
	}()
	for batch := range batches(arrivals) {
		if err := ctx.Err(); err != nil {
			return counts, err
		}
		before := counts.New
		im.store(ctx, batch)
		for _, a := range batch {
			if err := fatal(a.told.Err); err != nil {
				return counts, err
			}
			counts.add(a.told)
			if each != nil {
				each(a.told)
			}
		}
		if counts.New > before {
			time.Sleep(importGap)
		}
	}
	if im.failed != nil {
		return counts, im.failed
	}
	return counts, ctx.Err()
}

func (c *ImportCounts) add(told Imported) {
	switch {
	case told.Err != nil:
		c.Refused++
	case told.Same:
		c.Same++
	default:
		c.New++
	}
}

// fatal gives an error after which no further call can arrive.
func fatal(err error) error {
	if _, one := errors.AsType[*transcript.Error](err); one {
		return nil
	}
	switch audit.CodeOf(err) {
	case "", audit.CodeInvalid, audit.CodeConflict:
		return nil
	}
	return err
}

type importing struct {
	portal *Portal
	by     Caller
	team   string
	known  known
	failed error // of the input; read once the arrivals are closed
}

// arrival is a call on its way in.
type arrival struct {
	told   Imported
	call   store.NewCall
	scores []store.Score
	ready  chan struct{} // closed once call and scores are complete
}

// prepare reads the input and computes what each call needs on all processors,
// ahead of the writer, in the order of the input.
func (im *importing) prepare(ctx context.Context, calls iter.Seq2[transcript.Call, error]) <-chan *arrival {
	out := make(chan *arrival, 4*importBatch)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		defer close(out)
		for c, err := range calls {
			a := &arrival{told: Imported{Place: c.Place, SourceID: c.SourceID, Err: err}, ready: make(chan struct{})}
			_, refused := errors.AsType[*transcript.Error](err)
			switch {
			case err == nil:
				slots <- struct{}{}
				go func() {
					defer func() { close(a.ready); <-slots }()
					im.complete(a, c)
				}()
			case refused:
				close(a.ready)
			default:
				im.failed = err
				return
			}
			select {
			case out <- a:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// complete makes the row, the digest and the defaults of a call.
func (im *importing) complete(a *arrival, c transcript.Call) {
	content := transcript.Digest(c)
	turns, err := transcript.MarshalTurns(c.Turns)
	if err != nil {
		a.told.Err = err
		return
	}
	a.call = store.NewCall{
		Call: store.Call{
			ID:       audit.ForeignID("call", c.StartedAt, im.team, "calls", c.SourceID),
			SourceID: c.SourceID, Customer: c.Customer, Agent: c.Agent, UserID: im.known.agent(c.Agent),
			Device: c.Device, DeviceID: im.known.devices[folded(c.Device)], Direction: c.Direction, Topic: c.Topic,
			Started: c.StartedAt, Ended: c.EndedAt, Duration: c.Duration(),
			Turns: len(c.Turns), Timed: c.Timed(),
		},
		Content: content[:], Turns: turns,
	}
	a.scores = defaults(c.Turns)
}

// known is whom and what the calls of an import may belong to.
type known struct {
	members map[string][]string // ids by folded name and mail address
	devices map[string]string   // ids by folded hostname
}

func (p *Portal) knownIn(ctx context.Context, team string) (known, error) {
	k := known{members: map[string][]string{}, devices: map[string]string{}}
	members, err := store.Members(ctx, p.db, team)
	if err != nil {
		return k, fmt.Errorf("reading the members of %s: %w", team, err)
	}
	for _, m := range members {
		for _, name := range []string{m.Email, m.Name} {
			if ids := k.members[folded(name)]; !slices.Contains(ids, m.ID) {
				k.members[folded(name)] = append(ids, m.ID)
			}
		}
	}
	devices, err := store.Devices(ctx, p.db, team)
	if err != nil {
		return k, fmt.Errorf("reading the devices of %s: %w", team, err)
	}
	for _, d := range devices {
		k.devices[folded(d.Hostname)] = d.ID
	}
	return k, nil
}

// agent gives the one member who is called so, or "": of two nobody can tell.
func (k known) agent(name string) string {
	if ids := k.members[folded(name)]; name != "" && len(ids) == 1 {
		return ids[0]
	}
	return ""
}

// defaults computes every metric of the catalogue.
func defaults(turns []transcript.Turn) []store.Score {
	var all []store.Score
	for _, r := range metric.Compute(turns) {
		all = append(all, store.Score{
			Metric: r.Key, Version: metric.Version, Default: sql.NullString{String: r.Value.String(), Valid: r.Available()},
		})
	}
	return all
}

// batches cuts the arrivals into groups that may be stored at the same time:
// no group holds one id twice, so that the first of two in the input wins.
func batches(in <-chan *arrival) iter.Seq[[]*arrival] {
	return func(yield func([]*arrival) bool) {
		var batch []*arrival
		ids := map[string]bool{}
		for a := range in {
			<-a.ready
			if a.told.Err == nil && ids[a.told.SourceID] || len(batch) == importBatch {
				if !yield(batch) {
					return
				}
				batch = nil
				clear(ids)
			}
			ids[a.told.SourceID] = true
			batch = append(batch, a)
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// store records the calls of a batch at once, so that they share a commit.
func (im *importing) store(ctx context.Context, batch []*arrival) {
	var wait sync.WaitGroup
	for _, a := range batch {
		if a.told.Err != nil {
			continue
		}
		wait.Go(func() { im.record(ctx, a) })
	}
	wait.Wait()
}

func (im *importing) record(ctx context.Context, a *arrival) {
	// Most calls of a second run are there: seen without a turn at the writer.
	id, content, _, err := store.CallBySource(ctx, im.portal.db, im.team, a.call.SourceID)
	if err == nil && bytes.Equal(content, a.call.Content) {
		a.told.ID, a.told.Same = id, true
		return
	}
	in := im.portal.intent(im.by, im.team, CallImported)
	in.Object = callOf(a.call.Call).Ref()
	a.told.Event, a.told.Err = im.portal.log.Record(ctx, in, func(tx *audit.Tx) error {
		return im.insert(ctx, tx, a)
	})
	if a.told.Err == nil {
		a.told.ID, a.told.Same = a.call.ID, a.told.Event == ""
	}
}

func (im *importing) insert(ctx context.Context, tx *audit.Tx, a *arrival) error {
	if err := im.portal.authorize(ctx, tx, im.by, im.team, Admin); err != nil {
		return err
	}
	there, content, _, err := store.CallBySource(ctx, tx, im.team, a.call.SourceID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return fmt.Errorf("looking up the call %q: %w", a.call.SourceID, err)
	case bytes.Equal(content, a.call.Content):
		return audit.ErrNothing
	default:
		return audit.Conflict("The call %q is here already with other content, as %s: a call never changes once imported. Give this one an id of its own.", a.call.SourceID, there)
	}
	if err := store.InsertCall(ctx, tx, im.team, a.call); err != nil {
		return fmt.Errorf("storing the call %q: %w", a.call.SourceID, err)
	}
	if err := store.SetDefaults(ctx, tx, im.team, a.call.ID, a.scores); err != nil {
		return fmt.Errorf("storing the scores of %q: %w", a.call.SourceID, err)
	}
	if a.call.DeviceID == "" {
		return nil
	}
	if err := store.SeeDevice(ctx, tx, im.team, a.call.DeviceID, a.call.Started); err != nil {
		return fmt.Errorf("storing when the device of %q was seen: %w", a.call.SourceID, err)
	}
	return nil
}
