package audit

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func csvCatalogue() *Catalogue {
	return MustCatalogue(Action{ID: "user.role_changed", Label: "Changed user role", Group: "Users", Doc: "Test."})
}

// readCSV reads one line back as RFC 4180 has it, and takes the apostrophe
// away as docs/export.md says.
func readCSV(t *testing.T, head, line string) map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(head + line)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v: %q", len(rows), err, line)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = unprotected(rows[1][i])
	}
	return cells
}

// unprotected is what docs/export.md tells readers to do.
func unprotected(cell string) string {
	rest := strings.TrimLeft(cell, "'")
	for _, formula := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if rest != cell && strings.HasPrefix(rest, formula) {
			return cell[1:]
		}
	}
	return cell
}

func TestCSVSaysWhatTheJSONSays(t *testing.T) {
	e := usualEvent()
	leaf := int64(7)
	e.Leaf, e.Data = &leaf, map[string]string{"format": "csv"}
	e.Related = []Ref{{"team", "team_1", "Beta"}}
	e.Links = []Link{{"pair", "team_2", "evt_2"}}
	e.Reason = "line one\nline \"two\", and more"
	w, err := NewCSV(csvCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Append(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	cells := readCSV(t, string(w.Head()), string(line))
	for name, want := range map[string]string{
		"id": e.ID, "time": "2026-11-23T18:44:14.123456Z", "actor_name": "Dana Cruz", "actor_email": "dana@example.com", "leaf": "7",
		"action": "user.role_changed", "action_label": "Changed user role", "outcome": "ok", "object_name": "Sam Roe", "reason": e.Reason,
		"summary": "role: agent → admin; name: Sam → Sam Roe", "data": `{"format":"csv"}`, "ip": "203.0.113.7", "via": "web", "erased": "", "error": "",
		"links": `[{"rel":"pair","log":"team_2","id":"evt_2"}]`, "related": `[{"type":"team","id":"team_1","name":"Beta"}]`,
	} {
		if cells[name] != want {
			t.Errorf("%s is %q, not %q", name, cells[name], want)
		}
	}
	var whole map[string]json.RawMessage
	raw, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(raw, &whole)
	}
	if err != nil || cells["changes"] != string(whole["changes"]) {
		t.Errorf("the changes are %s, in the JSON %s (%v)", cells["changes"], whole["changes"], err)
	}
	if again, err := e.AppendJSON([]byte("x")); err != nil || string(again) != "x"+string(raw) {
		t.Errorf("AppendJSON gives %s, MarshalJSON %s (%v)", again, raw, err)
	}
	if len(cells) != len(CSVColumns()) {
		t.Errorf("%d columns, not %d", len(cells), len(CSVColumns()))
	}
}

func TestCSVOfAnErasedAndAnUnreadEvent(t *testing.T) {
	w, err := NewCSV(csvCatalogue(), "id", "actor_name", "object_name", "erased", "summary")
	if err != nil {
		t.Fatal(err)
	}
	for want, e := range map[string]*Event{
		"evt_1,,,who what,name: erased\r\n": {ID: "evt_1", WhoErased: true, WhatErased: true, Changes: []Change{{Field: "name", Class: Erased}}},
		"evt_2,,,,\r\n":                     {ID: "evt_2", Version: 2},
	} {
		if line, err := w.Append(nil, e); err != nil || string(line) != want {
			t.Errorf("%q, %v; want %q", line, err, want)
		}
	}
}

func TestCSVCellsAreHarmlessAndComeBack(t *testing.T) {
	w, err := NewCSV(csvCatalogue(), "reason")
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "a,b": `"a,b"`, `say "hi"`: `"say ""hi"""`, " led": `" led"`, "it's": "it's", "'quoted'": "'quoted'",
		"=1+1": "'=1+1", "+1 555": "'+1 555", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "\"'\rx\"", "\nx": "\"'\nx\"",
		`=HYPERLINK("x","y")`: `"'=HYPERLINK(""x"",""y"")"`, "'=x": "''=x", "''+": "'''+", "＝1": "'＝1", "a=b": "a=b",
	} {
		line, err := w.Append(nil, &Event{Reason: cell})
		if err != nil || string(line) != want+"\r\n" {
			t.Errorf("%q is written as %q, %v; want %q", cell, line, err, want)
		}
		inside := strings.TrimSuffix(string(line), "\r\n")
		if strings.HasPrefix(inside, `"`) {
			inside = strings.ReplaceAll(inside[1:len(inside)-1], `""`, `"`)
		}
		if strings.ContainsAny(inside[:min(1, len(inside))], "=+-@\t\r\n") {
			t.Errorf("%q would be a formula: %q", cell, inside)
		}
		if got := unprotected(inside); got != cell {
			t.Errorf("%q comes back as %q", cell, got)
		}
	}
}

func TestCSVColumnsAreChosen(t *testing.T) {
	w, err := NewCSV(csvCatalogue(), "action", "id")
	if err != nil || string(w.Head()) != "action,id\r\n" {
		t.Errorf("%q, %v", w.Head(), err)
	}
	for _, wrong := range [][]string{{"colour"}, {"id", "id"}, {""}, {"ID"}} {
		if _, err := NewCSV(csvCatalogue(), wrong...); CodeOf(err) != CodeInvalid {
			t.Errorf("%q gives %v", wrong, err)
		}
	}
	before := []string{"id", "time", "recorded", "team", "actor_type", "actor_id", "actor_name", "actor_email", "action", "outcome", "error",
		"object_type", "object_id", "object_name", "changes", "related", "reason", "data", "ip", "user_agent", "session", "request", "via"}
	if !slices.Equal(CSVColumns()[:len(before)], before) {
		t.Errorf("columns that scripts know have moved: %q", CSVColumns())
	}
}

func BenchmarkCSV(b *testing.B) {
	w, err := NewCSV(csvCatalogue())
	if err != nil {
		b.Fatal(err)
	}
	e, line := usualEvent(), []byte{}
	b.ReportAllocs()
	for b.Loop() {
		if line, err = w.Append(line[:0], e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	e := usualEvent()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.AppendJSON(nil); err != nil {
			b.Fatal(err)
		}
	}
}
