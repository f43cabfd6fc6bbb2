package web

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// exportPath is the address of the page that exports, or of one export.
func (v *visit) exportPath(parts ...string) string {
	return v.path(append([]string{"settings", "security", "audit-logs", "export"}, parts...)...)
}

// exportButton leads from the log to the page that exports the same filter.
func (v *visit) exportButton(q logQuery) view.ExportButton {
	return view.ExportButton{URL: v.exportPath(), Hidden: q.hidden()}
}

// hidden carries a filter along in a form.
func (q logQuery) hidden() []view.Hidden {
	var fields []view.Hidden
	if s := q.filter.String(); s != "" {
		fields = append(fields, view.Hidden{Name: "q", Value: s})
	} else if q.all {
		fields = append(fields, view.Hidden{Name: "all", Value: "1"})
	}
	return fields
}

// exportPage is GET …/audit-logs/export.
func (v *visit) exportPage() error {
	q, _, err := readLogQuery(v.logPath(""), v.r.URL.Query())
	if err != nil {
		return v.queryError(q, err)
	}
	known, err := v.portal.LogExports(v.ctx(), v.by(), v.team())
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	page := view.ExportLog{Page: v.exportFrame("Export"), URL: v.exportPath(), Query: q.filter.String(), All: q.all, BackURL: q.back(), Columns: audit.CSVColumns()}
	for _, f := range append(slices.Clone(portal.LogFormats), portal.ReportFormat) {
		page.Formats = append(page.Formats, view.ExportFormat{ID: f.ID, Label: f.Label, Hint: exportHints[f.ID]})
	}
	for _, k := range known {
		page.Known = append(page.Known, v.export(k))
	}
	return v.show(http.StatusOK, view.ExportLogPage(page))
}

var exportHints = map[string]string{
	"csv":      "For spreadsheets. One row an event.",
	"jsonl":    "For programs. One JSON object a line, everything that an event holds.",
	"verified": "For an outsider: the sealed bytes with their proofs, to check without the portal.",
	"report":   "For an auditor: who asked, the counts and the events on a page to print.",
}

func (v *visit) exportFrame(title string, crumbs ...view.Link) view.Page {
	p := v.logPage()
	p.Title = title
	p.Crumbs = append(append(p.Crumbs, view.Link{Label: "Audit Logs", URL: v.logPath("")}), crumbs...)
	return p
}

// back is the list with this filter.
func (q logQuery) back() string {
	if q.filter.IsZero() && q.all {
		return q.everything()
	}
	return q.address(q.filter)
}

// export is an export as pages show it.
func (v *visit) export(k portal.KnownExport) view.Export {
	e := view.Export{
		ID: k.ID, URL: v.exportPath(k.ID), Name: k.Name, Format: k.Format.Label, Begun: k.Begun, Ended: k.Ended, By: k.By.Name,
		Verified: k.Format == portal.VerifiedFormat, Query: k.Query.String(), Events: int(k.Done.Events), Bytes: k.Done.Bytes, SHA256: k.Done.SHA256, Broken: k.Done.Broken, EventURL: v.logPath(k.Event),
	}
	if k.By.ID == v.by().ID && !k.Whole() && k.Format != portal.ReportFormat {
		e.RestURL = v.exportPath(k.ID, "rest")
	}
	return e
}

// oneExport is GET …/audit-logs/export/{export}: how it went. A script that
// asks for JSON gets that; while the export runs here, without the log.
func (v *visit) oneExport() error {
	asJSON := strings.Contains(v.r.Header.Get("Accept"), "application/json")
	if at, ok := v.sending.of(v.id("export"), v.by().ID); ok && asJSON {
		return v.showJSON(exportState(at.state, at.share, !at.ended.IsZero()))
	}
	k, err := v.portal.LogExport(v.ctx(), v.by(), v.team(), v.id("export"))
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	if asJSON {
		share := 0.0
		if k.Whole() {
			share = 1
		}
		return v.showJSON(exportState(k.Done, share, !k.Ended.IsZero()))
	}
	page := view.OneExport{Page: v.exportFrame(k.Name, view.Link{Label: "Export", URL: v.exportPath()}), Export: v.export(k)}
	return v.show(http.StatusOK, view.OneExportPage(page))
}

// exportState is how an export stands, for scripts.
func exportState(done portal.LogExported, share float64, ended bool) map[string]any {
	state := "running"
	switch {
	case ended && done.Broken == "":
		state = "whole"
	case ended:
		state = "broken"
	}
	return map[string]any{"state": state, "events": done.Events, "bytes": done.Bytes, "done": share, "sha256": done.SHA256}
}

func (v *visit) showJSON(value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	_, err = v.w.Write(append(b, '\n'))
	return err
}

// exportLog is POST …/audit-logs/export: it sends the file.
func (v *visit) exportLog() error {
	form := v.r.PostForm
	q, _, err := readLogQuery(v.logPath(""), url.Values{"q": form["q"], "all": form["all"]})
	if err != nil {
		return err
	}
	options := portal.ExportOptions{Format: form.Get("format")}
	if columns := form["column"]; !slices.Equal(columns, audit.CSVColumns()) {
		options.Columns = columns
	}
	x, err := v.portal.ExportLog(v.ctx(), v.by(), v.team(), q.asked(), options)
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	if x.Format == portal.ReportFormat {
		return v.report(x)
	}
	ctx, stop := v.long()
	defer stop()
	return v.sendExport(ctx, x, 0)
}

// restOfExport is GET …/audit-logs/export/{export}/rest?from=BYTES: the bytes
// of a file from there on.
func (v *visit) restOfExport() error {
	from, err := strconv.ParseInt(v.r.URL.Query().Get("from"), 10, 64)
	if v.r.URL.Query().Get("from") == "" {
		from, err = 0, nil
	}
	if err != nil {
		return audit.Invalid("from", "from: “%s” is no number of bytes.", clipped(v.r.URL.Query().Get("from"), 40))
	}
	x, err := v.portal.ResumeLogExport(v.ctx(), v.by(), v.team(), v.id("export"), from)
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	ctx, stop := v.long()
	defer stop()
	return v.sendExport(ctx, x, from)
}

// sendExport sends an export from a byte on. An error before the first byte
// becomes its page; later the answer breaks off, so that nobody takes half a
// file for one.
func (v *visit) sendExport(ctx context.Context, x *portal.LogExport, from int64) error {
	h := v.w.Header()
	disposition := "attachment"
	if x.Format == portal.ReportFormat {
		disposition = "inline"
	}
	out := v.stream(func() {
		h.Set("Content-Type", x.Format.ContentType)
		h.Set("Content-Disposition", disposition+`; filename="`+x.Name+`"`)
		h.Set("Content-Location", v.exportPath(x.ID))
		h.Set("Trailer", "Repr-Digest, X-Events")
	})
	at := sent{to: v.by().ID}
	v.sending.set(x.ID, at)
	done, err := x.Send(ctx, out, from, func(done portal.LogExported, share float64) {
		at.state, at.share = done, share
		v.sending.set(x.ID, at)
	})
	v.sending.set(x.ID, sent{to: at.to, state: done, share: at.share, ended: time.Now()})
	if err != nil {
		v.logger.DebugContext(v.ctx(), "an export was broken off", "request", v.from.Request, "export", x.ID, "error", err)
		if out.begun {
			if _, known := refusal(err); !known && !errors.Is(err, portal.ErrReaderGone) {
				v.logger.ErrorContext(v.ctx(), "an export failed", "request", v.from.Request, "export", x.ID, "error", err)
			}
			out.breakOff()
		}
		return err
	}
	if _, err := out.Write(nil); err != nil { // an empty file has headers, too
		out.breakOff()
	}
	// RFC 9530: the digest of the file itself, also where only its rest was sent.
	sum, err := hex.DecodeString(done.SHA256)
	if err != nil {
		return err
	}
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	h.Set("X-Events", strconv.FormatInt(done.Events, 10))
	return nil
}
