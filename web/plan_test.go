package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"onrecord/portal/portaltest"
)

// Tables that a page may read whole: they have a row for each team of the
// installation, or for each metric of the program, and never more.
var readWhole = []string{"team", "organization"}

// No statement of a page walks through a table: whatever the page, its filter
// and its order, the planner finds the rows by a key.
func TestNoPageScans(t *testing.T) {
	s := siteOf(t, portaltest.OnSQLite(t)) // whose planner is asked
	b := s.as(s.Alpha, s.Dana)
	root := "/t/" + s.Alpha
	logs := root + "/settings/security/audit-logs"
	for _, r := range s.server.routes() {
		request, _ := filled(r.pattern, s.alphaIDs())
		if path, ok := strings.CutPrefix(request, "GET "); ok && strings.HasPrefix(path, root) {
			b.get(path)
		}
	}
	lists := map[string][]string{
		root + "/calls":         {"q=one", "direction=inbound", "agent=Agnes+Ash", "from=2026-02-01&to=2026-03-01", "q=one&direction=inbound&agent=Agnes+Ash&from=2026-02-01"},
		root + "/calls/deleted": {"q=two"},
		root + "/users":         {"q=ash", "role=admin", "state=blocked", "sort=name", "sort=-name", "sort=role", "q=a&role=agent&state=active"},
		root + "/devices":       {"q=desk", "state=assigned", "state=unassigned", "state=blocked", "sort=hostname", "sort=-hostname", "sort=person", "sort=added", "sort=seen"},
		logs:                    {"all=1"},
	}
	fields := []string{
		"actor:" + s.Dana.ID, `actor:"Dana Cruz"`, "action:call.deleted", "action:call.viewed,user.created", "object:" + s.call, `object:"Customer one"`,
		"type:call", "outcome:denied", "outcome:ok", "ip:203.0.113.0/24", "ip:203.0.113.7", "via:web", "session:ses_1", "request:req_1",
		"after:2026-01-01", "before:2027-01-01", "dana", `"asked for"`, "-actor:" + s.Dana.ID, "-action:call.viewed", "-dana",
	}
	for i, one := range fields {
		for _, two := range fields[:i+1] {
			q := one
			if two != one {
				q += " " + two
			}
			lists[logs] = append(lists[logs], "q="+url.QueryEscape(q))
		}
	}
	for path, queries := range lists {
		for _, q := range queries {
			b.get(path + "?" + q).status(200)
		}
	}

	db := s.Log().DB()
	asked := db.Prepared()
	if len(asked) < 30 {
		t.Fatalf("the pages prepared only %d statements", len(asked))
	}
	for _, text := range asked {
		if strings.HasPrefix(text, "EXPLAIN") || strings.HasPrefix(text, "PRAGMA") || strings.Contains(text, "pragma_") || strings.Contains(text, "sqlite_schema") {
			continue
		}
		for _, step := range s.plan(t, text) {
			table, scans := strings.CutPrefix(step, "SCAN ")
			if !scans || allowedScan(text, table) {
				continue
			}
			t.Errorf("%s\n\tin\n%s", step, text)
		}
	}
	s.Passed()
}

// allowedScan tells whether a step that the planner calls a scan reads no
// table: the look-up in the inverted index, values given with the statement, a
// subquery or a recursive expression that has its own steps, or a table that is
// always small.
func allowedScan(text, step string) bool {
	table, rest, _ := strings.Cut(step, " ")
	for _, small := range readWhole {
		if table == small {
			return true
		}
	}
	return strings.HasPrefix(rest, "VIRTUAL TABLE INDEX") || strings.HasPrefix(table, "json_each") ||
		strings.Contains(text, "RECURSIVE "+table+"(") || strings.HasPrefix(step, "(subquery") || strings.Contains(text, ") AS "+table) || strings.HasPrefix(step, "CONSTANT ROW")
}

func (s *site) plan(t *testing.T, text string) []string {
	t.Helper()
	nothing := make([]any, strings.Count(text, "?"))
	for strings.Contains(text, fmt.Sprint("$", len(nothing)+1)) {
		nothing = append(nothing, nil)
	}
	rows, err := s.Log().DB().QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+text, nothing...)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
