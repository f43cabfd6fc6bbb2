package portal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"onrecord/audit"
	"onrecord/portal/store"
)

// mayStillEvery is how often whoever reads for long is asked again whether they
// still may.
const mayStillEvery = time.Second

// Send writes the file to w, without the bytes before from, which the reader
// has already. Nothing is written before the first byte of the file. told is
// called now and then with what was made so far and how much of the log has
// been read, 0 to 1; nil is not called.
//
// It ends early when ctx does, w fails, or the caller may no longer read the
// log (blocked, demoted, signed out, revoked), which is asked every second.
//
// Event: audit_log.export_ended, which ends the one that recorded its
// beginning, with the number of events and bytes and the digest in its data, or
// why it was broken off; durable when Send returns. Errors: of ctx, of w, of the
// permission; Invalid if the file has fewer bytes than from.
//
// Cost: that of [audit.Log.Export], also for bytes that are left out.
func (x *LogExport) Send(ctx context.Context, w io.Writer, from int64, told func(LogExported, float64)) (LogExported, error) {
	out := &exportWriter{to: w, skip: from, sum: sha256.New()}
	send := x.send
	if x.Format == VerifiedFormat {
		send = x.sendVerified
	}
	err := leftBy(ctx, send(ctx, out, told))
	if err == nil && out.skip > 0 {
		err = audit.Invalid("from", "The file has %d bytes, which is less than the %d that you have: it is another one. Begin again.", out.done.Bytes, from)
	}
	out.done.SHA256 = hex.EncodeToString(out.sum.Sum(nil))
	if err != nil {
		out.done.SHA256, out.done.Broken = "", broken(err)
	}
	if e := x.end(ctx, out.done); e != nil {
		err = errors.Join(err, fmt.Errorf("recording the end of the export %s: %w", x.ID, e))
	}
	return out.done, err
}

func (x *LogExport) send(ctx context.Context, out *exportWriter, told func(LogExported, float64)) error {
	asked := time.Now()
	if err := out.write(x.File.Head, 0); err != nil {
		return err
	}
	for batch, err := range x.portal.log.Export(ctx, x.team, x.Query, x.Size, x.File.Each) {
		if err != nil {
			return err
		}
		if time.Since(asked) >= mayStillEvery {
			asked = time.Now()
			if err := x.portal.mayStillReadLog(ctx, x.by, x.team); err != nil {
				return err
			}
		}
		if err := out.write(batch.Bytes, batch.Events); err != nil {
			return err
		}
		if told != nil {
			told(out.done, batch.Done)
		}
	}
	if told != nil {
		told(out.done, 1)
	}
	if x.File.Foot != nil {
		return out.write(x.File.Foot(out.done), 0)
	}
	return nil
}

// exportWriter leaves out what the reader has, and counts and digests all.
type exportWriter struct {
	to   io.Writer
	skip int64 // bytes still to be left out
	sum  hash.Hash
	done LogExported
}

// ErrReaderGone is wrapped by what [LogExport.Send] returns when the reader went
// away, and not the portal failed.
var ErrReaderGone = errors.New("the reader went away")

// ErrStopping is the cause of a context that ends because the program stops.
var ErrStopping = errors.New("the program stops")

func (w *exportWriter) write(b []byte, events int) error {
	w.sum.Write(b) // never fails: hash.Hash
	rest := b[min(w.skip, int64(len(b))):]
	w.skip -= int64(len(b) - len(rest))
	if len(rest) > 0 {
		if _, err := w.to.Write(rest); err != nil {
			return fmt.Errorf("%w: %w", ErrReaderGone, err)
		}
	}
	w.done.Events += int64(events)
	w.done.Bytes += int64(len(b))
	return nil
}

// broken says in a few words why an export was broken off.
func broken(err error) string {
	switch {
	case errors.Is(err, ErrStopping):
		return "the server was stopped"
	case errors.Is(err, ErrReaderGone):
		return ErrReaderGone.Error()
	}
	switch audit.CodeOf(err) {
	case audit.CodeDenied, audit.CodeNotFound:
		return "the reader may no longer read the log"
	case audit.CodeInvalid:
		return "the reader had another file"
	}
	return "a fault of the portal"
}

// Abandon records that the export ends before anything was sent, for this
// reason; the event is that of Send.
func (x *LogExport) Abandon(ctx context.Context, why error) error {
	return x.end(ctx, LogExported{Broken: broken(leftBy(ctx, why))})
}

// leftBy tells an error of a reader that went away from one of the portal.
func leftBy(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrReaderGone, context.Cause(ctx), err)
}

// end records how the export went.
func (x *LogExport) end(ctx context.Context, done LogExported) error {
	in := x.portal.intent(x.by, x.team, AuditLogExportEnded)
	in.Object = x.ref()
	in.Links = []audit.Link{{Rel: "ends", Log: x.team, ID: x.Event}}
	in.Data = map[string]string{"format": x.Format.ID, "events": strconv.FormatInt(done.Events, 10), "bytes": strconv.FormatInt(done.Bytes, 10)}
	if done.Broken == "" {
		in.Data["sha256"] = done.SHA256
	} else {
		in.Data["broken_off"] = done.Broken
	}
	_, err := x.portal.log.Note(context.WithoutCancel(ctx), in)
	return err
}

// mayStillReadLog asks again, while something long is read, whether the caller
// may: their session or key is alive, and so is their permission.
func (p *Portal) mayStillReadLog(ctx context.Context, by Caller, team string) error {
	if by.Session != "" {
		s, err := store.SessionByID(ctx, p.db, by.ID, by.Session)
		if errors.Is(err, sql.ErrNoRows) || err == nil && expired(s, p.now()) {
			return errSignedOut()
		}
		if err != nil {
			return fmt.Errorf("looking up a session: %w", err)
		}
	}
	return p.authorizeLog(ctx, p.db, by, team)
}
