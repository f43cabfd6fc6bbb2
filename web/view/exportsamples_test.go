package view

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/a-h/templ"
)

const sampleSum = "9f2b5c1e0d8a47f3b6c2e9d17a405833c1f0e6b29d7a5c48e3f1b0a69d2c7e54"

func sampleExport(state string) Export {
	e := Export{
		ID: "exp_01kb2v6x5ne8mvk2h4s9d0a1bc", URL: logURL + "/export/exp_1", EventURL: logURL + "/evt_1", Name: "audit-log-20261123T184414Z.csv", Format: "CSV (.csv)",
		By: "Priya Raman", Begun: now, Query: `action:call.viewed,call.transcript_exported actor:sam.roe@example.com after:2026-10-01`,
	}
	switch state {
	case "whole":
		e.Ended, e.Events, e.Bytes, e.SHA256 = now.Add(3*time.Second), 14203, 6_400_000, sampleSum
	case "broken":
		e.Ended, e.Events, e.Bytes, e.Broken, e.RestURL, e.Query = now.Add(time.Second), 2000, 900_000, "the reader went away", e.URL+"/rest", ""
	}
	return e
}

func addExports(pages map[string]templ.Component) {
	frame := func(title string, crumbs ...Link) Page {
		return setting(title, SettingAuditLogs, append([]Link{settings, security, auditLogs}, crumbs...)...)
	}
	page := ExportLog{
		Page: frame("Export"), URL: logURL + "/export", BackURL: logURL, Columns: []string{"id", "time", "actor_name", "actor_email", "action", "object_name", "reason"},
		Formats: []ExportFormat{{"csv", "CSV (.csv)", "For spreadsheets. One row an event."}, {"jsonl", "JSON Lines (.jsonl)", "For programs."}, {"report", "Report to print", "For an auditor."}},
	}
	pages["export-none"] = ExportLogPage(page)
	page.Page, page.Query = auditor(page.Page), "action:call.viewed outcome:denied"
	page.Known = []Export{sampleExport("running"), sampleExport("whole"), sampleExport("broken")}
	pages["export"] = ExportLogPage(page)
	pages["report"] = sampleReport()
	for _, state := range []string{"running", "whole", "broken"} {
		e := sampleExport(state)
		pages["export-"+state] = OneExportPage(OneExport{Page: frame(e.Name, Link{"Export", logURL + "/export"}), Export: e})
	}
}

// sampleReport is a whole report, as it is put together.
func sampleReport() templ.Component {
	head := ReportPage(Report{
		Title: "Audit log report", Team: "Northwind Support", By: "Priya Raman", Email: "priya@example.com", Made: now, Export: "exp_01kb2v6x5ne8mvk2h4s9d0a1bc", ExportURL: logURL + "/export/exp_1",
		Query: "action:user.role_changed", From: "2026-10-01 00:00:00 UTC", Events: 2, First: now.Add(-time.Hour), Last: now, Size: 14203,
		Actions: []ReportCount{{"Changed user role", "user.role_changed", 2}}, Checkpoint: "onrecord/org/team\n14203\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— onrecord/org/team Az3grlgt…\n", Sealed: 14203,
	})
	row := ReportRow{Time: now, ID: "evt_01kb2v6x5ne8mvk2h4s9d0a1bc", Leaf: 14202, Actor: "Dana Cruz", Email: "dana@example.com", IP: "203.0.113.7",
		Action: "Changed user role", Kind: "user", Object: "Sam Roe", Reason: "covers for Dana", Changes: []Change{{Field: "Role", From: "Agent", To: "Admin"}}}
	denied := row
	denied.Outcome, denied.Changes, denied.Reason = "denied", nil, ""
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var whole, rows bytes.Buffer
		if err := head.Render(ctx, &whole); err != nil {
			return err
		}
		for _, r := range []ReportRow{row, denied} {
			if err := ReportLine(r).Render(ctx, &rows); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, strings.Replace(whole.String(), ReportRows, rows.String(), 1))
		return err
	})
}
