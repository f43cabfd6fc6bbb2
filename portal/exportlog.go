package portal

import (
	"context"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
)

// ExportOptions say how a log is exported.
type ExportOptions struct {
	Format  string   // of LogFormats, or of ReportFormat
	Columns []string // of a CSV, in this order; all of them if none is named
	// Since is the size of an earlier checkpoint: a verified export with a
	// query is made so that it also shows that the log extends that one.
	Since int64
}

// LogExport is an export of a team's log that is on the record and may leave.
type LogExport struct {
	ID      string // exp_…, by which it can go on after it was broken off
	Event   string // that recorded its beginning
	Begun   time.Time
	Name    string // of the file
	Format  LogFormat
	Columns []string // as they were chosen; none is all
	Query   audit.Filter
	Size    int64 // it holds what matches among the first Size events of the log, in the order of leaves
	Since   int64 // of a verified one: see ExportOptions

	portal *Portal
	by     Caller
	team   string
	File   LogFile // a report's is set by whoever draws it
}

// LogExported tells how an export went.
type LogExported struct {
	Events int64
	Bytes  int64
	SHA256 string // of the whole file, in hexadecimal digits
	Broken string // why it did not come to its end; "" if it did
}

// ExportLog begins an export of everything in a team's log that a filter
// matches, as the log stands now. [LogExport.Send] sends it.
//
// Permission: as SearchLog. Event: audit_log.exported with the filter and the
// form in its data, durable when ExportLog returns. Its object is the export.
// Errors: as SearchLog; Invalid for a format or columns that are not known, and
// for a filter that cannot be.
func (p *Portal) ExportLog(ctx context.Context, by Caller, team string, f audit.Filter, o ExportOptions) (*LogExport, error) {
	if err := p.mayExport(ctx, by, team); err != nil {
		return nil, err
	}
	format, err := logFormat(o.Format)
	if err != nil {
		return nil, err
	}
	x := &LogExport{Query: f, Format: format, Since: o.Since, portal: p, by: by, team: team}
	if format.Columns {
		x.Columns = o.Columns
	}
	if format != ReportFormat {
		if x.File, err = format.file(x.Columns); err != nil {
			return nil, err
		}
	}
	if err := f.CheckRange(); err != nil {
		return nil, err
	}
	if format == VerifiedFormat {
		x.Size, err = p.signedSize(ctx, team)
	} else {
		x.Size, err = p.log.Size(ctx, team)
	}
	if err != nil {
		return nil, err
	}
	return x, x.begin(ctx)
}

// mayExport checks the permission before anything else, and records a refusal.
func (p *Portal) mayExport(ctx context.Context, by Caller, team string) error {
	err := p.authorizeLog(ctx, p.db, by, team)
	if err == nil || offPlan(err) {
		return err
	}
	return p.refuse(ctx, p.intent(by, team, AuditLogExported), err)
}

func (x *LogExport) begin(ctx context.Context) error {
	in := x.portal.intent(x.by, x.team, AuditLogExported)
	in.Data = map[string]string{"format": x.Format.ID, "size": strconv.FormatInt(x.Size, 10)}
	if q := x.Query.String(); q != "" {
		in.Data["query"] = q
	}
	if len(x.Columns) > 0 {
		in.Data["columns"] = strings.Join(x.Columns, ",")
	}
	if x.Since > 0 {
		in.Data["since"] = strconv.FormatInt(x.Since, 10)
	}
	_, err := x.portal.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := x.portal.authorizeLog(ctx, tx, x.by, x.team); err != nil {
			return err
		}
		x.Event, x.ID, x.Begun = tx.EventID(), exportOf(tx.EventID()), tx.Now()
		x.Name = x.fileName()
		tx.SetObject(x.ref())
		return nil
	})
	return err
}

// exportOf gives the id of the export that an event began: the same number
// under another prefix, so that each leads to the other.
func exportOf(event string) string { return "exp_" + strings.TrimPrefix(event, "evt_") }

func (x *LogExport) ref() audit.Ref { return audit.Ref{Type: "export", ID: x.ID, Name: x.Name} }

// fileName is the same whenever it is asked for.
func (x *LogExport) fileName() string {
	return "audit-log-" + x.Begun.UTC().Format("20060102T150405Z") + "." + x.Format.Ending
}

// ResumeLogExport goes on with an export that was begun before: the same bytes
// again, of which [LogExport.Send] leaves out those that have arrived.
//
// Permission: as SearchLog, and it is the caller's own export. Event:
// audit_log.exported again, caused by the first one, with the number of bytes
// in its data. Errors: as SearchLog; NotFound for what is no export of this
// team; Denied for somebody else's; Gone if what it was is erased.
func (p *Portal) ResumeLogExport(ctx context.Context, by Caller, team, export string, from int64) (*LogExport, error) {
	if err := p.mayExport(ctx, by, team); err != nil {
		return nil, err
	}
	x, err := p.findExport(ctx, team, export)
	refused := func(err error) error {
		in := p.intent(by, team, AuditLogExported)
		in.Data = joined(in.Data, "tried", "export "+clip(export))
		return p.refuse(ctx, in, err)
	}
	switch {
	case err != nil:
		return nil, refused(err)
	case x.by.ID != by.ID:
		return nil, refused(audit.Denied("This is somebody else's export: only who began it can go on with it. Begin one of your own."))
	case x.Format == ReportFormat:
		return nil, audit.Invalid("export", "A report does not go on; make it again.")
	case from < 0:
		return nil, audit.Invalid("from", "%d is no number of bytes.", from)
	}
	x.by = by
	in := p.intent(by, team, AuditLogExported)
	in.Object = x.ref()
	in.Links = []audit.Link{{Rel: "caused_by", Log: team, ID: x.Event}}
	in.Data = map[string]string{"format": x.Format.ID, "from": strconv.FormatInt(from, 10)}
	x.Event, err = p.log.Record(ctx, in, func(tx *audit.Tx) error { return p.authorizeLog(ctx, tx, by, team) })
	return x, err
}
