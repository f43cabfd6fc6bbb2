package audit_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/audit"
	"onrecord/audit/audittest"
)

// A shop of the model is a map from an order to its columns, NULL being absent.
type orders map[string]map[string]any

func (o orders) clone() orders {
	c := orders{}
	for id, row := range o {
		c[id] = maps.Clone(row)
	}
	return c
}

// model is what ought to be true after each step.
type model struct {
	shop   *audittest.Shop
	log    *audit.Log
	shops  []string // two logs, of this run alone
	orders map[string]orders
	events map[string]int // by log and outcome
	actor  int
}

// TestModel lets several actors do random things, in two logs at once, and
// compares the end with a model: what the log says must lead to it by itself.
func TestModel(t *testing.T) {
	s := audittest.NewShop(t, openAt(t, filepath.Join(t.TempDir(), "shop.db")))
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{shop: s, log: s.Log, orders: map[string]orders{}, events: map[string]int{}}
		for i := range 2 {
			m.shops = append(m.shops, fmt.Sprintf("shop_%d_%d", run, i))
			m.orders[m.shops[i]] = orders{}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"record":  m.record,
			"pair":    m.pair,
			"note":    m.note,
			"refused": m.refused,
			"clock": func(rt *rapid.T) {
				s.Clock.Move(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(2*time.Hour)).Draw(rt, "move")))
			},
			"another program": func(rt *rapid.T) { m.log = s.Open() },
		})
		for _, shop := range m.shops {
			m.compare(rt, shop)
		}
	})
}

// intent is one of a few actors, on one of a few orders of either shop.
func (m *model) intent(rt *rapid.T, action string) audit.Intent {
	in := audittest.Intent(action, rapid.SampledFrom([]string{"o1", "o2", "o3"}).Draw(rt, "order"))
	in.Log = rapid.SampledFrom(m.shops).Draw(rt, "shop")
	actor := rapid.SampledFrom([]string{"dana", "adam", "bea"}).Draw(rt, "actor")
	in.Actor = audit.Actor{Type: audit.ActorUser, ID: "user_" + actor, Name: rapid.SampledFrom([]string{"A", "B C", "Дана"}).Draw(rt, "name")}
	in.Reason = rapid.SampledFrom([]string{"", "why not"}).Draw(rt, "reason")
	return in
}

// own gives the intent an actor nobody else is, so that its refusal is never
// merged with others.
func (m *model) own(in audit.Intent) audit.Intent {
	m.actor++
	in.Actor.ID = fmt.Sprintf("user_%s_%d", m.shops[0], m.actor)
	return in
}

var errTaken = errors.New("taken")

// draw plans some writes of one order, and makes them in the model first.
func (m *model) draw(rt *rapid.T, in audit.Intent, state map[string]orders) (writes []func(*audit.Tx) error, err error) {
	rows, id := state[in.Log], in.Object.ID
	for range rapid.IntRange(1, 3).Draw(rt, "writes") {
		column := rapid.SampledFrom([]string{"status", "amount", "customer"}).Draw(rt, "column")
		var value any
		switch column {
		case "status":
			value = rapid.SampledFrom([]string{"open", "paid", "sent", "\u2028<é>"}).Draw(rt, "status")
		case "amount":
			value = rapid.SampledFrom([]any{nil, int64(0), int64(7), int64(-1 << 52)}).Draw(rt, "amount")
		case "customer":
			value = rapid.SampledFrom([]any{nil, "Sam", "Kim", ""}).Draw(rt, "customer")
		}
		if rows[id] == nil {
			rows[id] = map[string]any{"status": "new"}
			writes = append(writes, sqlOf(`INSERT INTO orders (shop, id, status, event_id) VALUES ($1, $2, 'new', $3)`, in.Log, id))
		}
		for other, row := range rows {
			if column == "customer" && value != nil && other != id && row["customer"] == value {
				err = errTaken
			}
		}
		if rows[id][column] = value; value == nil {
			delete(rows[id], column)
		}
		writes = append(writes, sqlOf(`UPDATE orders SET `+column+` = $3, event_id = $4 WHERE shop = $1 AND id = $2`, in.Log, id, value))
	}
	return writes, err
}

func sqlOf(query string, args ...any) func(*audit.Tx) error {
	return func(tx *audit.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, append(slices.Clone(args), tx.EventID())...)
		return err
	}
}

func all(writes []func(*audit.Tx) error) func(*audit.Tx) error {
	return func(tx *audit.Tx) error {
		for _, w := range writes {
			if err := w(tx); err != nil {
				return err
			}
		}
		return nil
	}
}

func (m *model) record(rt *rapid.T) {
	in := m.own(m.intent(rt, "order.changed"))
	state := map[string]orders{in.Log: m.orders[in.Log].clone()}
	writes, want := m.draw(rt, in, state)
	_, err := m.log.Record(context.Background(), in, all(writes))
	m.settle(rt, in, state, err, want)
}

// pair records two events, each possibly in another log; the second may fail.
func (m *model) pair(rt *rapid.T) {
	first, second := m.own(m.intent(rt, "order.changed")), m.own(m.intent(rt, "order.changed"))
	state := map[string]orders{}
	for shop, rows := range m.orders {
		state[shop] = rows.clone()
	}
	before, want1 := m.draw(rt, first, state)
	inside, want2 := m.draw(rt, second, state)
	after, want3 := m.draw(rt, first, state)
	refuse, tell := rapid.Bool().Draw(rt, "refuse"), rapid.Bool().Draw(rt, "tell")
	_, err := m.log.Record(context.Background(), first, func(tx *audit.Tx) error {
		if err := all(before)(tx); err != nil {
			return err
		}
		_, err := tx.Also(second, "pair", func(also *audit.Tx) error {
			if err := all(inside)(also); err != nil || !refuse {
				return err
			}
			return audit.Conflict("no")
		})
		if err != nil && tell {
			return err
		}
		return all(after)(tx)
	})
	want := errors.Join(want1, want2, want3)
	sameRow := first.Log == second.Log && first.Object.ID == second.Object.ID // written by one, the other, the one
	if refuse || sameRow {
		want = errTaken
	}
	if m.settle(rt, first, state, err, want); err == nil {
		m.events[second.Log+" ok"]++
	}
}

// settle takes the planned state over if the change was to succeed.
func (m *model) settle(rt *rapid.T, in audit.Intent, state map[string]orders, got, want error) {
	if (got == nil) != (want == nil) {
		rt.Fatalf("recording ended with %v, want %v", got, want)
	}
	if got != nil {
		m.events[in.Log+" failed"]++
		return
	}
	m.events[in.Log+" ok"]++
	maps.Copy(m.orders, state)
}

func (m *model) note(rt *rapid.T) {
	in := m.intent(rt, "order.viewed")
	if _, err := m.log.Note(context.Background(), in); err != nil {
		rt.Fatal(err)
	}
	m.events[in.Log+" ok"]++
}

// refused changes something and then thinks better of it.
func (m *model) refused(rt *rapid.T) {
	in := m.own(m.intent(rt, "order.changed"))
	writes, taken := m.draw(rt, in, map[string]orders{in.Log: m.orders[in.Log].clone()})
	refusal := rapid.SampledFrom([]error{audit.Denied("no"), audit.NotFound("no"), audit.Conflict("no"), errors.New("boom"), audit.Invalid("status", "no"), audit.ErrNothing, nil}).Draw(rt, "refusal")
	_, err := m.log.Record(context.Background(), in, func(tx *audit.Tx) error {
		if err := all(writes)(tx); err != nil {
			return err
		}
		if refusal == nil {
			panic("boom")
		}
		return refusal
	})
	switch code := audit.CodeOf(err); {
	case taken != nil && err != nil:
		m.events[in.Log+" failed"]++
	case errors.Is(refusal, audit.ErrNothing):
		if err != nil {
			rt.Fatal(err)
		}
	case code == audit.CodeDenied, code == audit.CodeNotFound:
		m.events[in.Log+" denied"]++
	case code == audit.CodeConflict, code == audit.CodeInternal:
		m.events[in.Log+" failed"]++
	case code != audit.CodeInvalid:
		rt.Fatalf("refused with %v: %v", refusal, err)
	}
}

// compare lets the log alone lead to the model's state.
func (m *model) compare(rt *rapid.T, shop string) {
	got, err := audittest.Fold(context.Background(), m.log, shop)
	if err != nil {
		rt.Fatal(err)
	}
	for _, outcome := range []string{"ok", "denied", "failed"} {
		n := 0
		for key, events := range got.Events {
			if strings.HasSuffix(key, " "+outcome) {
				n += events
			}
		}
		if want := m.events[shop+" "+outcome]; n != want {
			rt.Errorf("%d events %s in %s, want %d", n, outcome, shop, want)
		}
	}
	rows := orders{}
	for row, fields := range got.Rows {
		rows[row.ID] = fields
	}
	want := orders{}
	for id, row := range m.orders[shop] {
		want[id] = map[string]any{}
		for column, value := range row {
			if n, ok := value.(int64); ok {
				value = float64(n) // as JSON has it
			}
			want[id][column] = value
		}
	}
	if !reflect.DeepEqual(rows, want) {
		rt.Errorf("the log of %s leads to\n%v\nthe model has\n%v", shop, rows, want)
	}
}
