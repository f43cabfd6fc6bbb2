package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

func TestVisible(t *testing.T) {
	for given, want := range map[string]string{
		"Dana":                     "Dana",
		"Chloé \u05d3\u05e0\u05d4": "Chloé \u05d3\u05e0\u05d4",
		"\x1b[31mred":              "\ufffd[31mred",
		"a\nb":                     "a\ufffdb",
		"\u202eevil":               "\ufffdevil",
		"a\u2028b":                 "a\ufffdb",
	} {
		if got := visible(given); got != want {
			t.Errorf("visible(%q) = %q, want %q", given, got, want)
		}
	}
}

// event has what a person could have typed in every place.
func event(nasty string) audit.Event {
	at := time.Date(2026, 11, 23, 18, 44, 14, 123456000, time.UTC)
	return audit.Event{
		ID: audit.NewID("evt", at), Log: audit.NewID("team", at), Time: at, Recorded: at, Version: 1,
		Actor:  &audit.Actor{Type: audit.ActorUser, ID: audit.NewID("user", at), Name: nasty, Email: nasty},
		Action: portal.UserBlocked, Outcome: audit.OutcomeDenied,
		Object: &audit.Ref{Type: "user", ID: audit.NewID("user", at), Name: nasty},
		Reason: nasty, Data: map[string]string{"query": nasty}, Context: audit.Context{IP: "203.0.113.7", UserAgent: nasty, Via: "web"},
	}
}

func TestCSVKeepsEveryCell(t *testing.T) {
	for _, nasty := range []string{"plain", `say "hi", twice`, "two\nlines", "ünï"} {
		var out bytes.Buffer
		w := newEventWriter(&console{out: &out}, "csv", portal.Catalogue)
		if err := w.write([]audit.Event{event(nasty)}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), "\r\n") {
			t.Errorf("the last line of %q does not end as RFC 4180 wants", out.String())
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(audit.CSVColumns()) {
			t.Fatalf("%q: %d rows, %v", nasty, len(rows), err)
		}
		got := map[string]string{}
		for i, name := range rows[0] {
			got[name] = rows[1][i]
		}
		for _, name := range []string{"actor_name", "actor_email", "object_name", "reason", "user_agent"} {
			if got[name] != nasty {
				t.Errorf("%s is %q, want %q", name, got[name], nasty)
			}
		}
		if got["action"] != portal.UserBlocked || got["outcome"] != "denied" || got["ip"] != "203.0.113.7" {
			t.Errorf("the row is %v", got)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	w := newEventWriter(&console{out: &out}, "table", portal.Catalogue)
	if err := w.write([]audit.Event{event("Dana\x1b[2J"), event("Sam")}); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"Timestamp (UTC)          Actor     Action                 Object\n" +
		"2026-11-23 18:44:14.123  Dana\ufffd[2J  Blocked user (denied)  Dana\ufffd[2J\n" +
		"2026-11-23 18:44:14.123  Sam       Blocked user (denied)  Sam\n"
	if out.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", out.String(), want)
	}
}

func TestSearchTellsHowFarItCame(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		page audit.Result
		want string
	}{
		{"whole", audit.Result{Complete: true, Walked: 20}, ""},
		{"stopped", audit.Result{Walked: 10_000, Reached: at, Older: "cursor"}, "Looked at 10000 entries, back to 2026-11-01 12:00:00 UTC; going on …\n"},
		{"unknown", audit.Result{Complete: true, Unknown: []string{"eve", "mallory"}}, "This log has never seen: eve, mallory.\n"},
		{"one of two unknown", audit.Result{Complete: true, Unknown: []string{"eve"}, Events: []audit.Event{event("x")}}, ""},
	} {
		var said bytes.Buffer
		new(eventsSearchCommand).tell(&console{err: &said}, c.page)
		if said.String() != c.want {
			t.Errorf("%s: %q, want %q", c.name, said.String(), c.want)
		}
	}
}

func TestCaretStandsUnderTheWord(t *testing.T) {
	query := `"zwei Wörter" ünbekannt:x actor:dana`
	_, err := audit.ParseQuery(query)
	if err != nil {
		t.Fatalf("this is text: %v", err)
	}
	query = `"zwei Wörter" farbe:rot actor:dana`
	_, err = audit.ParseQuery(query)
	lines := strings.Split(describe(query, err).Error(), "\n")
	if got, want := lines[len(lines)-1], "  "+strings.Repeat(" ", 14)+strings.Repeat("^", 9); got != want {
		t.Errorf("the caret line is %q, want %q", got, want)
	}
}
