package web

import (
	"bytes"
	"cmp"
	"errors"
	"strings"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// report sends an export as a page to print. Its counts come first, so that the
// log is read twice: both times the same events.
func (v *visit) report(x *portal.LogExport) error {
	ctx, stop := v.long()
	defer stop()
	tally, err := x.Tally(ctx)
	if err != nil {
		return errors.Join(err, x.Abandon(ctx, err))
	}
	sealed, err := x.Sealed(ctx)
	if err != nil {
		return errors.Join(err, x.Abandon(ctx, err))
	}
	page := view.Report{
		Team: v.membership().TeamName, By: cmp.Or(v.by().Name, v.by().Email), Email: v.by().Email, Made: x.Begun, Export: x.ID, ExportURL: v.exportPath(x.ID),
		Query: x.Query.String(), Events: int(tally.Events), First: tally.First, Last: tally.Last, Size: int(x.Size),
		Checkpoint: string(sealed.Checkpoint), Sealed: int(sealed.Sealed), Title: "Audit log report",
	}
	if f := x.Query; !f.After.IsZero() {
		page.From = utc(f.After)
	}
	if f := x.Query; !f.Before.IsZero() {
		page.To = utc(f.Before)
	}
	for _, a := range tally.Actions {
		page.Actions = append(page.Actions, view.ReportCount{Label: portal.Catalogue.Label(a.Action), ID: a.Action, Events: int(a.Events)})
	}
	var whole bytes.Buffer
	if err := view.ReportPage(page).Render(v.ctx(), &whole); err != nil {
		return errors.Join(err, x.Abandon(ctx, err))
	}
	head, foot, _ := bytes.Cut(whole.Bytes(), []byte(view.ReportRows))
	x.File = portal.LogFile{Head: head, Each: v.reportRow, Foot: func(portal.LogExported) []byte { return foot }}
	return v.sendExport(ctx, x, 0)
}

// reportRow draws an event for a report.
func (v *visit) reportRow(b []byte, e *audit.Event) ([]byte, error) {
	row := view.ReportRow{
		Time: e.Time, ID: e.ID, Leaf: *e.Leaf, Action: portal.Catalogue.Label(e.Action), Outcome: outcome(e), Reason: e.Reason,
		Changes: changesOf(e), IP: e.Context.IP, Actor: "erased", Object: "erased",
	}
	if !e.WhoErased {
		row.Actor, row.Email = logRefs{}.actor(e).Name, ""
		if e.Actor != nil && e.Actor.Email != row.Actor {
			row.Email = e.Actor.Email
		}
	}
	if !e.WhatErased {
		row.Object = logRefs{}.object(e).Name
	}
	if e.Object != nil {
		row.Kind = strings.ReplaceAll(e.Object.Type, "_", " ")
	}
	buf := bytes.NewBuffer(b)
	err := view.ReportLine(row).Render(v.ctx(), buf)
	return buf.Bytes(), err
}
