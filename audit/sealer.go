package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/database"
)

const (
	sealPause = 100 * time.Millisecond // after a commit: what comes meanwhile is sealed with it
	sealPoll  = time.Second            // how often the queue is asked for what others recorded
	sealRetry = 2 * time.Second        // the longest wait after trouble
	sealTell  = time.Minute            // how often the logger is told of the same trouble
	sealClose = 5 * time.Second        // how long Close seals
)

// Signer signs the head of a log's tree: it gives the signed note of a
// checkpoint, in the form of C2SP tlog-checkpoint. It may be called again for
// a head that it has signed, if the transaction that was to keep the note was
// lost.
type Signer func(log string, size int64, root tlog.Hash) (note []byte, err error)

// WithSigner makes the Log sign what it seals. Without it events are sealed
// all the same, and whoever opens the log with a signer later signs.
func WithSigner(sign Signer) Option { return func(l *Log) { l.sealer.sign = sign } }

// WithReady tells when the signer can sign: while ready says no, nothing is
// asked of it for logs that wait for a checkpoint. It must answer at once.
func WithReady(ready func() bool) Option { return func(l *Log) { l.sealer.ready = ready } }

// WithoutSealing leaves the sealing to [Log.Seal] and Close.
func WithoutSealing() Option { return func(l *Log) { l.sealer.idle = true } }

// Answers of one attempt to seal.
var (
	errOvertaken = errors.New("another program has sealed meanwhile")
	errNotTurn   = errors.New("another program is sealing")
	errLogClosed = errors.New("the log is closed")
)

// sealer numbers events after their commit, in each log, and writes what
// follows from them: tree, index, counts, checkpoint. Recording never waits for
// it. What it did not do yet stands in a queue, so that whoever comes next,
// after a crash too, goes on by the same way.
type sealer struct {
	log   *Log
	sign  Signer      // nil: leaves without checkpoints
	ready func() bool // nil: always
	idle  bool        // nothing in the background

	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	wake  chan struct{}
	ended chan struct{} // the background has
	once  sync.Once     // Close

	said   string // the trouble that the logger was told of last; of the loop alone
	saidAt time.Time

	working sync.Mutex // one batch at a time in this program

	mu   sync.Mutex
	news chan struct{} // closed when there are new leaves; guarded by mu
}

func newSealer(l *Log) *sealer {
	s := &sealer{log: l, wake: make(chan struct{}, 1), ended: make(chan struct{}), news: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

func (s *sealer) start() {
	if s.idle {
		close(s.ended)
		return
	}
	s.wakeUp() // what a program left that died
	go s.loop()
}

func (s *sealer) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// loop seals until Close. After trouble it waits, longer each time.
func (s *sealer) loop() {
	defer close(s.ended)
	wait := sealPause
	for {
		select {
		case <-s.wake:
		case <-time.After(sealPoll):
		case <-s.ctx.Done():
			return
		case <-s.log.db.Done():
			return
		}
		if !s.pause(wait) {
			return
		}
		err := s.drain(s.ctx)
		switch {
		case err == nil || errors.Is(err, errNotTurn):
			wait = sealPause
		case s.ctx.Err() != nil || errors.Is(err, database.ErrClosed):
			return
		default:
			wait = min(2*wait, sealRetry)
			s.tell(err)
		}
	}
}

// tell tells the logger of trouble, of the same only now and then.
func (s *sealer) tell(err error) {
	if err.Error() == s.said && time.Since(s.saidAt) < sealTell {
		return
	}
	s.said, s.saidAt = err.Error(), time.Now()
	s.log.logger.Error("events could not be sealed; they stay in the queue and are tried again", "error", err)
}

// pause waits and tells whether the log is still open.
func (s *sealer) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
	case <-s.log.db.Done():
	}
	return false
}

func (s *sealer) close() {
	s.once.Do(func() {
		s.stop()
		done := make(chan struct{})
		ctx, cancel := context.WithTimeout(context.Background(), sealClose)
		go func() {
			defer close(done)
			defer cancel()
			<-s.ended
			if err := s.drain(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errNotTurn) && !errors.Is(err, database.ErrClosed) {
				s.log.logger.Warn("closing the log: events stay unsealed until it is opened again", "error", err)
			}
		}()
		select {
		case <-done:
		case <-ctx.Done(): // whatever still runs finds its context ended and writes nothing
		}
	})
}

// Seal seals everything that waits in the queue now, of all logs. Nobody needs
// to call it but a test, or a program that opened the log [WithoutSealing].
//
// Cost: for some hundred events one transaction.
func (l *Log) Seal(ctx context.Context) error {
	for {
		if l.sealer.ctx.Err() != nil {
			return errLogClosed
		}
		err := l.sealer.drain(ctx)
		if !errors.Is(err, errNotTurn) {
			return l.explain(err)
		}
		if !l.sealer.pause(10 * time.Millisecond) {
			return errLogClosed
		}
	}
}

// drain seals what every log has in the queue, then signs what others left
// without a checkpoint.
func (s *sealer) drain(ctx context.Context) error {
	s.working.Lock()
	defer s.working.Unlock()
	var trouble []error
	for _, each := range []struct {
		table string
		do    func(context.Context, string) error
	}{{"audit_unsealed", s.sealLog}, {"audit_unsigned", s.signLog}} {
		if each.table == "audit_unsigned" && (s.sign == nil || s.ready != nil && !s.ready()) {
			continue
		}
		for log, more := "", true; more; {
			var err error
			if log, more, err = s.nextLog(ctx, each.table, log); err != nil {
				return err
			}
			if !more {
				break
			}
			// The trouble of one log keeps no other from being sealed.
			if err := each.do(ctx, log); errors.Is(err, errNotTurn) {
				return err
			} else if err != nil {
				trouble = append(trouble, fmt.Errorf("sealing log %s: %w", log, err))
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return errors.Join(trouble...)
}

// nextLog gives the log after one that has rows in a queue.
//
// Cost: one look at the key, however many rows there are.
func (s *sealer) nextLog(ctx context.Context, table, after string) (log string, ok bool, err error) {
	rows, err := s.log.db.QueryContext(ctx, `SELECT log FROM `+table+` WHERE log > $1 ORDER BY log LIMIT 1`, after)
	if err != nil {
		return "", false, fmt.Errorf("looking for events to seal: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		ok = true
		err = rows.Scan(&log)
	}
	return log, ok, errors.Join(err, rows.Err())
}

// sealLog seals what one log has in the queue.
func (s *sealer) sealLog(ctx context.Context, log string) (trouble error) {
	for {
		b, err := s.prepare(ctx, log)
		if err != nil {
			return err
		}
		if len(b.leaves) == 0 {
			return trouble
		}
		err = s.log.db.Derive(ctx, func(tx *database.Tx) error { return s.write(ctx, tx, b) })
		switch {
		case errors.Is(err, errOvertaken):
		case err != nil:
			return err
		default:
			s.announce()
			if trouble = b.signTrouble; b.last {
				return trouble
			}
		}
	}
}

// announce wakes everybody who waits for new leaves.
func (s *sealer) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.news)
	s.news = make(chan struct{})
}

// fresh gives what is closed at the next new leaves.
func (s *sealer) fresh() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}
