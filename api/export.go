package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"onrecord/audit"
	"onrecord/portal"
)

const exportText = "Everything that the filter finds, as the log stands now, newest first, without a cap and in one answer. " +
	"Its beginning is on the record before the first byte, its end afterwards, with the number of events and the file's digest. " +
	"The trailers `Repr-Digest` (RFC 9530) and `X-Events` come behind the last byte: without them the file is not whole. " +
	"An answer that was broken off goes on with `export`, which the header `X-Export` named, and `from`, the number of bytes that have arrived."

// exportTypes are the content types of an export.
func exportTypes() []string {
	var all []string
	for _, f := range portal.LogFormats {
		all = append(all, f.ContentType)
	}
	return all
}

type exportInput struct {
	FilterParams
	Format  string   `query:"format" default:"jsonl" doc:"The form of the file, such as jsonl (an event a line) or csv."`
	Columns []string `query:"columns" doc:"Of a CSV, separated by commas, in this order; all unless told." example:"time,actor_name,action"`
	Export  string   `query:"export" doc:"An export to go on with, instead of a filter." example:"exp_01kb2v6x5ne8mvk2h4s9d0a1bc"`
	From    int64    `query:"from" minimum:"0" doc:"With export: the bytes that have arrived."`
}

func (s *server) exportEvents(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	f, err := in.filter()
	if err != nil {
		return nil, s.failed(ctx, err, in.sent(nil))
	}
	h := holder(ctx)
	done, err := s.limits.open(h.Caller.ID)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	x, err := s.beginExport(ctx, h, in, f)
	if err != nil {
		done()
		return nil, s.failed(ctx, err, in.sent(map[string]string{"format": in.Format, "export": in.Export}))
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer done()
		_, w := humago.Unwrap(hc)
		s.send(ctx, w, x, in.From)
	}}, nil
}

func (s *server) beginExport(ctx context.Context, h portal.KeyHolder, in *exportInput, f audit.Filter) (*portal.LogExport, error) {
	switch {
	case in.Export == "" && in.From > 0:
		return nil, wrong("from", strconv.FormatInt(in.From, 10), "It needs export: the id of the export that is to go on.")
	case in.Export == "" && in.Format == portal.ReportFormat.ID:
		return nil, wrong("format", in.Format, "The report is a page for people: it is under Audit Logs, Export.")
	case in.Export == "":
		return s.portal.ExportLog(ctx, h.Caller, h.Team, f, portal.ExportOptions{Format: in.Format, Columns: in.Columns})
	case !f.IsZero() || len(in.Columns) > 0:
		return nil, wrong("export", in.Export, "An export goes on with the filter and the columns that it began with: leave them out.")
	}
	return s.portal.ResumeLogExport(ctx, h.Caller, h.Team, in.Export, in.From)
}

// send sends the file. What goes wrong after its first byte breaks the
// connection off, so that nobody takes a part for the whole.
func (s *server) send(ctx context.Context, w http.ResponseWriter, x *portal.LogExport, arrived int64) {
	head := w.Header()
	head.Set("Content-Type", x.Format.ContentType)
	head.Set("Content-Disposition", `attachment; filename="`+x.Name+`"`)
	head.Set("X-Export", x.ID)
	head.Set("Trailer", "Repr-Digest, X-Events")
	out := &sender{w: w, to: http.NewResponseController(w)}
	ended, err := x.Send(ctx, out, arrived, nil)
	if audit.CodeOf(err) == audit.CodeInvalid && !out.begun { // more has arrived than there is
		for _, name := range []string{"Content-Disposition", "X-Export", "Trailer"} {
			head.Del(name)
		}
		p, _ := errors.AsType[*huma.ErrorModel](s.failed(ctx, err, map[string]string{"from": strconv.FormatInt(arrived, 10)}))
		s.refuse(w, p)
		return
	}
	if err != nil {
		if ctx.Err() == nil {
			s.config.Logger.WarnContext(ctx, "an export of the API was broken off", "export", x.ID, "request", from(ctx).Request, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	sum, err := hex.DecodeString(ended.SHA256)
	if err != nil {
		panic(err) // Send wrote it
	}
	head.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	head.Set("X-Events", strconv.FormatInt(ended.Events, 10))
}
