package audittest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"onrecord/audit"
	"onrecord/database"
)

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func code(t *testing.T, what string, err error, want audit.Code) {
	t.Helper()
	if got := audit.CodeOf(err); got != want {
		t.Errorf("%s: %v (code %q), want code %q", what, err, got, want)
	}
}

func changesCarryBeforeAndAfter(t *testing.T, s *Shop) {
	created := s.Create("o1", "open")
	equal(t, "creation", Changes(s.Event(created)), []string{`order o1 status plain: "" → "open"`})

	ctx := t.Context()
	changed, err := s.Log.Record(ctx, Intent("order.changed", "o1"), func(tx *audit.Tx) error {
		for _, status := range []string{"packed", "sent"} { // of two writes, first before and last after
			if _, err := tx.ExecContext(ctx, `UPDATE orders SET status = $1, amount = 7, event_id = $2`, status, tx.EventID()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e := s.Event(changed)
	equal(t, "change", Changes(e), []string{`order o1 amount plain: "" → "7"`, `order o1 status plain: "open" → "sent"`})
	if e.Changes[0].Prev != created {
		t.Errorf("prev is %q, want the creation %q", e.Changes[0].Prev, created)
	}

	touched := s.SetStatus("o1", "sent")
	equal(t, "a write without a difference", Changes(s.Event(touched)), []string{`order o1  plain: "" → ""`})

	there, err := s.Log.Record(ctx, Intent("order.changed", "o1"), func(tx *audit.Tx) error {
		for _, status := range []string{"lost", "sent"} {
			if _, err := tx.ExecContext(ctx, `UPDATE orders SET status = $1, event_id = $2`, status, tx.EventID()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "there and back", Changes(s.Event(there)), []string{`order o1  plain: "" → ""`})
}

func classesDecide(t *testing.T, s *Shop) {
	created := s.Record(Intent("order.created", "o1"),
		`INSERT INTO orders (shop, id, status, customer, card, note, event_id) VALUES ('shop_1', 'o1', 'open', 'Sam Roe', '4111-1111', 'the long note', $1)`)
	e := s.Event(created)
	var classes []string
	for _, c := range e.Changes {
		classes = append(classes, c.Field+" "+string(c.Class))
	}
	equal(t, "classes", classes, []string{"card secret", "customer personal", "note digest", "status plain"})

	for _, want := range []struct {
		query, text string
		rows        int
	}{
		{`SELECT count(*) FROM audit_event WHERE %s(body, $1) > 0`, "Sam Roe", 0},
		{`SELECT count(*) FROM audit_part WHERE %s(part, $1) > 0`, "Sam Roe", 1},
		{`SELECT count(*) FROM audit_part WHERE %s(part, $1) > 0`, "4111-1111", 0},
		{`SELECT count(*) FROM audit_part WHERE %s(part, $1) > 0`, "the long note", 0},
		{`SELECT count(*) FROM audit_event WHERE %s(body, $1) > 0`, `"to":"open"`, 1},
	} {
		var n int
		if err := s.DB.QueryRowContext(t.Context(), fmt.Sprintf(want.query, s.sql().find), []byte(want.text)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != want.rows {
			t.Errorf("%s of %q: %d rows, want %d", want.query, want.text, n, want.rows)
		}
	}
	changed := s.Record(Intent("order.changed", "o1"), `UPDATE orders SET card = '4222', event_id = $1`)
	equal(t, "a secret's change", Changes(s.Event(changed)), []string{`order o1 card secret: "" → ""`})
}

func failedChange(t *testing.T, s *Shop) {
	s.Create("o1", "open")
	ctx := t.Context()
	for _, c := range []struct {
		err     error
		outcome audit.Outcome
		error   string
	}{
		{audit.Denied("no"), audit.OutcomeDenied, ""},
		{audit.NotFound("no"), audit.OutcomeDenied, ""},
		{audit.Conflict("no"), audit.OutcomeFailed, "conflict"},
		{errors.New("boom"), audit.OutcomeFailed, "internal"},
		{audit.Invalid("status", "no"), "", ""},
		{audit.ErrNothing, "", ""},
	} {
		id, err := s.Log.Record(ctx, Intent("order.changed", "o1"), func(tx *audit.Tx) error {
			if _, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'gone', event_id = $1`, tx.EventID()); err != nil {
				return err
			}
			return c.err
		})
		if id != "" || !errors.Is(err, c.err) && c.err != audit.ErrNothing {
			t.Errorf("Record = %q, %v, want %v", id, err, c.err)
		}
		last := s.All(audit.Filter{})[0]
		if c.outcome == "" {
			if last.Error != "internal" {
				t.Errorf("%v was recorded as %+v", c.err, last)
			}
			continue
		}
		if last.Outcome != c.outcome || last.Error != c.error || len(last.Changes) != 0 {
			t.Errorf("%v was recorded as %s %q with %v", c.err, last.Outcome, last.Error, last.Changes)
		}
	}
	var status string
	if err := s.DB.QueryRowContext(ctx, `SELECT status FROM orders`).Scan(&status); err != nil || status != "open" {
		t.Errorf("status %q, %v", status, err)
	}

	// Whoever hangs up cannot keep a refusal from being recorded.
	gone, hangUp := context.WithCancel(ctx)
	hangUp()
	before := len(s.All(audit.Filter{}))
	_, err := s.Log.Record(gone, Intent("order.viewed", "o1"), func(*audit.Tx) error { return audit.Denied("no") })
	code(t, "after hanging up", err, audit.CodeDenied)
	if n := len(s.All(audit.Filter{})); n != before+1 {
		t.Errorf("%d events, want the refusal as well: %d", n, before+1)
	}
}

func refusalsAreCounted(t *testing.T, s *Shop) {
	refuse := func(action string) {
		t.Helper()
		_, err := s.Log.Record(t.Context(), Intent(action, "o1"), func(*audit.Tx) error { return audit.Denied("no") })
		code(t, "refused", err, audit.CodeDenied)
	}
	for range 25 {
		refuse("order.changed")
	}
	refuse("order.viewed") // another action is counted by itself
	for range 30 {         // what is permitted is never merged
		s.Note(Intent("order.viewed", "o1"))
	}
	if n := len(s.All(audit.Filter{})); n != 10+1+30 {
		t.Errorf("%d events, want 10 refusals, 1 of another action and 30 viewings", n)
	}
	if err := s.Log.Close(); err != nil {
		t.Fatal(err)
	}
	merged := slices.DeleteFunc(s.All(audit.Filter{Outcome: audit.Values{Any: []string{"denied"}}}), func(e audit.Event) bool { return e.Data["count"] == "" })
	if len(merged) != 1 || merged[0].Data["count"] != "15" || merged[0].Outcome != audit.OutcomeDenied {
		t.Errorf("the other 15 refusals became %+v", merged)
	}
}

func twoEvents(t *testing.T, s *Shop) {
	ctx := t.Context()
	s.Create("o1", "open")
	var second string
	first, err := s.Log.Record(ctx, Intent("order.changed", "o1"), func(tx *audit.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'moved', event_id = $1`, tx.EventID()); err != nil {
			return err
		}
		other := Intent("order.created", "o9")
		other.Log = "shop_2"
		var err error
		second, err = tx.Also(other, "pair", func(tx *audit.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_2', 'o9', 'open', $1)`, tx.EventID())
			return err
		})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE orders SET amount = 1, event_id = $1 WHERE id = 'o1'`, tx.EventID())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a := s.Event(first)
	b, err := s.Log.Event(ctx, "shop_2", second)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "first", Changes(a), []string{`order o1 status plain: "open" → "moved"`, `order o1 amount plain: "" → "1"`})
	equal(t, "second", Changes(b), []string{`order o9 status plain: "" → "open"`})
	if len(a.Links) != 1 || a.Links[0] != (audit.Link{Rel: "pair", Log: "shop_2", ID: second}) {
		t.Errorf("the first links to %v", a.Links)
	}
	if len(b.Links) != 1 || b.Links[0] != (audit.Link{Rel: "pair", Log: "shop_1", ID: first}) {
		t.Errorf("the second links to %v", b.Links)
	}

	// If the inner change fails, neither happened.
	_, err = s.Log.Record(ctx, Intent("order.changed", "o1"), func(tx *audit.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'x', event_id = $1 WHERE id = 'o1'`, tx.EventID()); err != nil {
			return err
		}
		_, err := tx.Also(Intent("order.changed", "o9"), "pair", func(*audit.Tx) error { return audit.Conflict("no") })
		return err
	})
	code(t, "inner conflict", err, audit.CodeConflict)
	// A row of one log cannot be changed under another log's event.
	_, err = s.Log.Record(ctx, Intent("order.changed", "o9"), func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'x', event_id = $1 WHERE id = 'o9'`, tx.EventID())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "another log") {
		t.Errorf("a row of another log: %v", err)
	}
}

func callersTransaction(t *testing.T, s *Shop) {
	ctx := t.Context()
	driver, address := "sqlite", "file:"+s.DB.Path()+"?_pragma=busy_timeout(10000)&_txlock=immediate"
	if s.onPostgres() {
		driver, address = "pgx", s.DB.DSN()
	}
	handle, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	for _, commit := range []bool{true, false} {
		tx, err := handle.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		order := fmt.Sprintf("o-%v", commit)
		id, err := s.Log.RecordTx(ctx, tx, Intent("order.created", order), func(rec *audit.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'open', $2)`, order, rec.EventID())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Log.Event(ctx, "shop_1", id); audit.CodeOf(err) != audit.CodeNotFound {
			t.Errorf("the event is visible before its commit: %v", err)
		}
		if commit {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Log.Event(ctx, "shop_1", id); (err == nil) != commit {
			t.Errorf("committed %v, then the event: %v", commit, err)
		}
	}
	// The name written in a transaction that was rolled back must not be
	// believed known.
	s.Create("o-false", "open")
}

func badIntents(t *testing.T, s *Shop) {
	for name, change := range map[string]func(*audit.Intent){
		"no such action":      func(in *audit.Intent) { in.Action = "order.eaten" },
		"no log":              func(in *audit.Intent) { in.Log = "" },
		"no type of actor":    func(in *audit.Intent) { in.Actor.Type = "" },
		"its objects are":     func(in *audit.Intent) { in.Object.Type = "user" },
		"not valid UTF-8":     func(in *audit.Intent) { in.Reason = "a\xffb" },
		"is not a word of":    func(in *audit.Intent) { in.Data = map[string]string{"Key": "x"} },
		"at most 16384":       func(in *audit.Intent) { in.Context.Session = strings.Repeat("s", 17_000) },
		"record long texts":   func(in *audit.Intent) { in.Reason = strings.Repeat("r", 2<<20) },
		"needs an open recor": func(in *audit.Intent) { in.Reason = "stamp" },
	} {
		in := Intent("order.created", "o1")
		change(&in)
		_, err := s.Log.Record(t.Context(), in, func(tx *audit.Tx) error {
			id := tx.EventID()
			if in.Reason == "stamp" {
				id = audit.NewID("evt", tx.Now())
			}
			_, err := tx.ExecContext(t.Context(), `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'open', $1)`, id)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var n int
	if err := s.DB.QueryRowContext(t.Context(), `SELECT count(*) FROM orders`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d orders, %v", n, err)
	}
}

func visibleAtOnce(t *testing.T, s *Shop) {
	other := s.Open()
	defer other.Close()
	for i := range 20 {
		id := s.Note(Intent("order.viewed", fmt.Sprint("o", i)))
		res, err := other.Search(t.Context(), "shop_1", audit.Filter{}, audit.Page{Limit: 1})
		if err != nil || len(res.Events) != 1 || res.Events[0].ID != id {
			t.Fatalf("after event %s the newest is %v, %v", id, res.Events, err)
		}
	}
}

func manyAtOnce(t *testing.T, s *Shop) {
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			for i := range 25 {
				order := fmt.Sprintf("o%d-%d", client, i)
				s.Create(order, "open")
				s.SetStatus(order, "paid")
				s.Note(Intent("order.viewed", order))
				_, err := s.Log.Record(t.Context(), Intent("order.changed", order), func(tx *audit.Tx) error {
					_, err := tx.ExecContext(t.Context(), `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'twice', $2)`, order, tx.EventID())
					return err
				})
				if s.DB.Dialect().Condition(err) != database.Constraint {
					t.Errorf("an order made twice: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(s.All(audit.Filter{Outcome: audit.Values{Any: []string{"ok"}}})); n != 600 {
		t.Errorf("%d events, want 600", n)
	}
}

// manyEvents are noted together, all or none.
func manyEvents(t *testing.T, s *Shop) {
	var all []audit.Intent
	for i := range 300 {
		all = append(all, Intent("order.viewed", fmt.Sprint("o", i)))
	}
	ids, err := s.Log.NoteAll(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for page := (audit.Page{Limit: 1000}); ; {
		res, err := s.Log.Search(t.Context(), "shop_1", audit.Filter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Events {
			got = append(got, e.ID)
		}
		if page.Cursor = res.Older; page.Cursor == "" {
			break
		}
	}
	slices.Reverse(got)
	equal(t, "the events in order", got, ids)
	if e := s.Event(ids[7]); e.Object == nil || e.Object.ID != "o7" || len(e.Changes) != 0 {
		t.Errorf("the eighth event is %+v", e)
	}

	unfit := Intent("order.viewed", "o1")
	unfit.Reason = "\xff"
	for what, one := range map[string]audit.Intent{"an unknown action": {Log: "shop_1", Action: "order.eaten", Actor: all[0].Actor}, "a text that is no text": unfit} {
		if _, err := s.Log.NoteAll(t.Context(), all[0], one); err == nil {
			t.Errorf("%s was recorded", what)
		}
	}
	if n, err := s.Log.Count(t.Context(), "shop_1"); err != nil || n["order.viewed"] != 300 {
		t.Errorf("%v events (%v), want 300", n, err)
	}
	if ids, err := s.Log.NoteAll(t.Context()); len(ids) != 0 || err != nil {
		t.Errorf("nothing to note gave %v, %v", ids, err)
	}
}
