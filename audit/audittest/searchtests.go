package audittest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
)

// history makes some hundred events of few actors, actions and objects, so
// that every combination of conditions has matches and misses. Of the older two
// thirds some are sealed, among them some that are not.
func history(s *Shop) {
	s.T.Helper()
	s.stopSealing()
	last := s.Clock.Now()
	r := rand.New(rand.NewPCG(1, 2))
	people := []string{"Dana Cruz", "Sam Roe", "Lee Dana", "Ana Ruiz"}
	for i := range 300 {
		s.Clock.Move(time.Duration(r.IntN(4000)) * time.Second)
		if i == 170 { // what comes now stands among the sealed
			s.Seal()
			last = s.Clock.Now()
			s.Clock.Move(-100 * time.Hour)
		}
		if i == 200 {
			s.Clock.Move(max(0, last.Sub(s.Clock.Now())))
		}
		who := int(r.ExpFloat64()*1.2) % len(people)
		order := fmt.Sprint("o", int(r.ExpFloat64()*3)%12)
		in := Intent("order.viewed", order)
		in.Actor = audit.Actor{Type: audit.ActorUser, ID: fmt.Sprint("user_", who), Name: people[who], Email: fmt.Sprintf("p%d@example.com", who)}
		in.Context = audit.Context{IP: fmt.Sprintf("203.0.113.%d", r.IntN(5)), Session: fmt.Sprint("ses_", r.IntN(9)), Request: fmt.Sprint("req_", i), Via: []string{"web", "api", "cli"}[r.IntN(3)]}
		switch r.IntN(5) {
		case 0:
			in.Action = "order.changed"
			in.Reason = []string{"covers for Dana", "the order was wrong", ""}[r.IntN(3)]
			in.Related = []audit.Ref{{Type: "shelf", ID: fmt.Sprint("shelf_", r.IntN(3)), Name: "Shelf"}}
		case 1:
			in.Action, in.Object = "shop.opened", audit.Ref{}
		case 2:
			in.Actor.Type, in.Actor.ID, in.Actor.For = audit.ActorAPIKey, "key_1", in.Actor.ID
		}
		if r.IntN(12) == 0 {
			s.Clock.Move(time.Minute)
			_, err := s.Log.Record(s.T.Context(), in, func(*audit.Tx) error { return audit.Denied("no") })
			if audit.CodeOf(err) != audit.CodeDenied {
				s.T.Fatal(err)
			}
			continue
		}
		s.Note(in)
	}
}

// scanned is an event as read from raw rows with nothing but a JSON reader.
type scanned struct {
	ID                             string
	Time                           time.Time
	Action                         string
	Actor                          struct{ ID, For string }
	Object                         struct{ Type, ID string }
	Related                        []struct{ ID string }
	Outcome, Via, Session, Request string
	who                            struct{ Name, Email, IP string }
	what                           string
}

func (s *Shop) scan() []scanned {
	s.T.Helper()
	rows, err := s.DB.QueryContext(s.T.Context(), `
		SELECT e.body, who.part, what.part FROM audit_event e
		JOIN audit_part who ON who.n = e.n AND who.kind = 'who'
		JOIN audit_part what ON what.n = e.n AND what.kind = 'what'
		WHERE e.log = 'shop_1'`)
	if err != nil {
		s.T.Fatal(err)
	}
	defer rows.Close()
	var all []scanned
	for rows.Next() {
		var body, who, what []byte
		if err := rows.Scan(&body, &who, &what); err != nil {
			s.T.Fatal(err)
		}
		var e scanned
		if err := json.Unmarshal(body, &e); err != nil {
			s.T.Fatal(err)
		}
		if err := json.Unmarshal(who, &e.who); err != nil {
			s.T.Fatal(err)
		}
		e.what = string(what)
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		s.T.Fatal(err)
	}
	slices.SortFunc(all, func(a, b scanned) int { return strings.Compare(b.ID, a.ID) })
	return all
}

func pass(v audit.Values, have ...string) bool {
	meets := func(list []string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return slices.Contains(list, h) })
	}
	return (len(v.Any) == 0 || meets(v.Any)) && !meets(v.None)
}

// named tells who bears or bore which names, as the events themselves say.
func named(all []scanned) map[string]string {
	names := map[string]string{}
	for _, e := range all {
		names[e.Actor.ID] += " | " + e.who.Name + " | " + e.who.Email
	}
	return names
}

// hours are those of the hours that searchesEqualScan asks for which hold the
// event.
func (e scanned) hours() []string {
	var all []string
	at := e.Time.UTC()
	day := at.Hour() >= 8 && at.Hour() < 18
	if day && at.Weekday() >= time.Monday && at.Weekday() <= time.Friday {
		all = append(all, "mon-fri/08:00-18:00")
	}
	if !day {
		all = append(all, "18:00-08:00")
	}
	if at.Weekday() == time.Sunday {
		all = append(all, "sun")
	}
	return all
}

func (e scanned) wanted(f audit.Filter, names map[string]string) bool {
	objects := []string{e.Object.ID}
	for _, r := range e.Related {
		objects = append(objects, r.ID)
	}
	inNet := len(f.IP.Any) == 0
	for _, n := range f.IP.Any {
		if p, err := netip.ParsePrefix(n); err == nil {
			inNet = inNet || p.Contains(netip.MustParseAddr(e.who.IP))
		}
		inNet = inNet || n == e.who.IP
	}
	text := strings.ToLower(e.who.Name + " | " + e.who.Email + " | " + e.what)
	for _, t := range f.Text.Any {
		if !strings.Contains(text+strings.ToLower(names[e.Actor.ID]+names[e.Actor.For]), t) {
			return false
		}
	}
	for _, t := range f.Text.None {
		if strings.Contains(text, t) {
			return false
		}
	}
	return pass(f.Action, e.Action) && pass(f.Actor, e.Actor.ID, e.Actor.For) && pass(f.Object, objects...) &&
		pass(f.Type, e.Object.Type) && pass(f.Outcome, e.Outcome) && pass(f.Via, e.Via) && pass(f.Session, e.Session) &&
		pass(f.Request, e.Request) && inNet && pass(f.Hours, e.hours()...) &&
		(f.After.IsZero() || !e.Time.Before(f.After)) && (f.Before.IsZero() || e.Time.Before(f.Before))
}

// searchesEqualScan compares hundreds of random filters with a scan of the
// raw rows, among them every single field and every pair, also across
// midnight UTC.
func searchesEqualScan(t *testing.T, s *Shop) {
	history(s)
	raw := s.scan()
	bearers := named(raw)
	oldest, newest := raw[len(raw)-1].Time, raw[0].Time
	r := rand.New(rand.NewPCG(3, 4))
	some := func(values ...string) (v audit.Values) {
		list := &v.Any
		if r.IntN(5) == 0 {
			list = &v.None
		}
		for range 1 + r.IntN(2) {
			if x := values[r.IntN(len(values))]; !slices.Contains(*list, x) {
				*list = append(*list, x)
			}
		}
		return v
	}
	set := []func(*audit.Filter){
		func(f *audit.Filter) { f.Actor = some("user_0", "user_1", "user_2", "key_1") },
		func(f *audit.Filter) { f.Action = some("order.viewed", "order.changed", "shop.opened") },
		func(f *audit.Filter) { f.Object = some("o0", "o1", "o5", "shelf_1") },
		func(f *audit.Filter) { f.Type = some("order", "shelf") },
		func(f *audit.Filter) { f.Outcome = some("ok", "denied") },
		func(f *audit.Filter) { f.Via = some("web", "api") },
		func(f *audit.Filter) { f.Session = some("ses_1", "ses_2", "ses_3") },
		func(f *audit.Filter) { f.Request = audit.Values{Any: []string{fmt.Sprint("req_", r.IntN(300))}} },
		func(f *audit.Filter) {
			f.IP.Any = []string{[]string{"203.0.113.2", "203.0.113.2/31", "203.0.113.0/24"}[r.IntN(3)]}
		},
		func(f *audit.Filter) { f.Hours = some("mon-fri/08:00-18:00", "18:00-08:00", "sun") },
		func(f *audit.Filter) { f.Text = some("dana", "covers for dana", "wrong", "shelf", "example") },
		func(f *audit.Filter) {
			day := oldest.Truncate(24*time.Hour).AddDate(0, 0, r.IntN(int(newest.Sub(oldest).Hours()/24)))
			f.After, f.Before = day, day.AddDate(0, 0, 1+r.IntN(2))
			if r.IntN(2) == 0 { // a minute around midnight
				f.After, f.Before = day.Add(-time.Hour), day.Add(time.Hour)
			}
		},
	}
	size := s.size()
	compare := func(f audit.Filter) {
		t.Helper()
		var want, got []string
		for _, e := range raw {
			if e.wanted(f, bearers) {
				want = append(want, e.ID)
			}
		}
		for _, e := range s.All(f) {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %d events, a scan finds %d", f, len(got), len(want))
		}
		if exported := s.Exported(f, size); !slices.Equal(exported, want) {
			t.Errorf("%s: exported %d events, a scan finds %d", f, len(exported), len(want))
		}
		if again, err := audit.ParseQuery(f.String()); err != nil || again.String() != f.String() {
			t.Errorf("%q reads back as %q, %v", f, again, err)
		}
	}
	compare(audit.Filter{})
	for i, one := range set {
		for range 4 {
			var f audit.Filter
			one(&f)
			compare(f)
			for _, two := range set[:i] {
				g := f
				two(&g)
				compare(g)
			}
		}
	}
	for range 200 {
		var f audit.Filter
		for _, each := range set {
			if r.IntN(3) == 0 {
				each(&f)
			}
		}
		compare(f)
	}
}

func pagesJoin(t *testing.T, s *Shop) {
	history(s)
	f := audit.Filter{Actor: audit.Values{Any: []string{"user_0", "user_1"}}, Type: audit.Values{None: []string{"shelf"}}}
	var want []string
	for _, e := range s.All(f) {
		want = append(want, e.ID)
	}
	for _, limit := range []int{1, 3, 50, len(want), len(want) + 1} {
		var down, up []string
		page := audit.Page{Limit: limit}
		var last audit.Result
		for {
			res, err := s.Log.Search(t.Context(), "shop_1", f, page)
			if err != nil {
				t.Fatal(err)
			}
			if (page.Cursor == "") != (res.Newer == "") {
				t.Errorf("limit %d: a page at %q has newer %q", limit, page.Cursor, res.Newer)
			}
			for _, e := range res.Events {
				down = append(down, e.ID)
			}
			last = res
			if res.Older == "" {
				break
			}
			page.Cursor = res.Older
			if limit == 3 { // an event that comes meanwhile moves nothing
				s.Clock.Move(time.Second)
				opened := Intent("shop.opened", "")
				opened.Object = audit.Ref{}
				s.Note(opened)
			}
		}
		equal(t, fmt.Sprintf("downwards by %d", limit), down, want)
		for _, e := range last.Events {
			up = append(up, e.ID)
		}
		for last.Newer != "" {
			res, err := s.Log.Search(t.Context(), "shop_1", f, audit.Page{Limit: limit, Cursor: last.Newer, Newer: true})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, e := range res.Events {
				ids = append(ids, e.ID)
			}
			up = append(ids, up...)
			last = res
		}
		equal(t, fmt.Sprintf("upwards by %d", limit), up, want)
	}
}

func cursorsBelong(t *testing.T, s *Shop) {
	history(s)
	f := audit.Filter{Action: audit.Values{Any: []string{"order.viewed"}}}
	res, err := s.Log.Search(t.Context(), "shop_1", f, audit.Page{Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	g := f
	g.Outcome.Any = []string{"ok"}
	for name, try := range map[string]struct {
		log    string
		filter audit.Filter
		cursor string
	}{
		"another filter": {"shop_1", g, res.Older},
		"another log":    {"shop_2", f, res.Older},
		"tampered":       {"shop_1", f, "A" + res.Older[1:]},
		"cut":            {"shop_1", f, res.Older[:8]},
		"junk":           {"shop_1", f, "'; DROP TABLE audit_event; --"},
	} {
		_, err := s.Log.Search(t.Context(), try.log, try.filter, audit.Page{Cursor: try.cursor})
		code(t, name, err, audit.CodeInvalid)
	}
	for _, limit := range []int{-1, 1001} {
		_, err := s.Log.Search(t.Context(), "shop_1", f, audit.Page{Limit: limit})
		code(t, fmt.Sprint("limit ", limit), err, audit.CodeInvalid)
	}
	upside := audit.Filter{After: s.Clock.Now(), Before: s.Clock.Now().Add(-time.Hour)}
	_, err = s.Log.Search(t.Context(), "shop_1", upside, audit.Page{})
	code(t, "a range upside down", err, audit.CodeInvalid)
	if _, err := s.Log.Event(t.Context(), "shop_2", res.Events[0].ID); audit.CodeOf(err) != audit.CodeNotFound {
		t.Errorf("an event of another log: %v", err)
	}
}

func names(t *testing.T, s *Shop) {
	viewing := func(person, name, email string) string {
		in := Intent("order.viewed", "o1")
		in.Actor = audit.Actor{Type: audit.ActorUser, ID: person, Name: name, Email: email}
		return s.Note(in)
	}
	before := viewing("user_9", "Sam Roe", "Sam@Example.com")
	after := viewing("user_9", "Sam Müller-Roe", "sam@example.com")
	viewing("user_8", "Ana Roe", "ana@example.com")
	for _, asked := range []string{"Sam Roe", "sam roe", "sam", "müller roe", "SAM@EXAMPLE.COM", "Muller", "Sam Müller-Roe", "user_9"} {
		var got []string
		for _, e := range s.All(audit.Filter{Actor: audit.Values{Any: []string{asked}}}) {
			got = append(got, e.ID)
		}
		equal(t, "actor:"+asked, got, []string{after, before})
	}
	for _, asked := range []string{"sam", "muller roe", "Sam Roe"} {
		var got []string
		for _, e := range s.All(audit.Filter{Text: audit.Values{Any: []string{asked}}}) {
			got = append(got, e.ID)
		}
		equal(t, "text "+asked, got, []string{after, before})
	}
	res, err := s.Log.Search(t.Context(), "shop_1", audit.Filter{Actor: audit.Values{Any: []string{"Nobody"}}}, audit.Page{})
	if err != nil || len(res.Events) != 0 || !slices.Equal(res.Unknown, []string{"Nobody"}) {
		t.Errorf("an actor whom the log never saw: %+v, %v", res, err)
	}
	for text, want := range map[string][]string{"mül": {"user_9"}, "roe": {"user_8", "user_9"}, "roe sa": {"user_9"}, "x": nil, "": {"user_8", "user_9"}} {
		refs, err := s.Log.Names(t.Context(), "shop_1", audit.NameQuery{Text: text, Types: []string{"user"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, ref := range refs {
			got = append(got, ref.ID)
		}
		slices.Sort(got)
		equal(t, "names "+text, got, want)
	}
	refs, err := s.Log.Names(t.Context(), "shop_1", audit.NameQuery{Types: []string{"user"}})
	if err != nil || len(refs) != 2 || refs[0].ID != "user_8" || refs[1].ID != "user_9" {
		t.Errorf("all names are %+v (%v), want user_8 (Ana), then user_9 (Sam)", refs, err)
	}
}

// searchSaysHowFar walks past more events than one page may look at.
func searchSaysHowFar(t *testing.T, s *Shop) {
	in := Intent("order.viewed", "o1")
	in.Context.Via = "api"
	rare := s.Note(in)
	const many = 10_300
	done := make(chan error, 64)
	for range 64 {
		go func() {
			for range many/64 + 1 {
				if _, err := s.Log.Note(t.Context(), Intent("order.viewed", "o1")); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 64 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	f := audit.Filter{Via: audit.Values{Any: []string{"api"}}}
	res, err := s.Log.Search(t.Context(), "shop_1", f, audit.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Complete || res.Walked != 10_000 || res.Older == "" || len(res.Events) != 0 || res.Reached.IsZero() {
		t.Errorf("walked %d, complete %v, reached %s, %d events", res.Walked, res.Complete, res.Reached, len(res.Events))
	}
	res, err = s.Log.Search(t.Context(), "shop_1", f, audit.Page{Cursor: res.Older})
	if err != nil {
		t.Fatal(err)
	}
	if !res.Complete || len(res.Events) != 1 || res.Events[0].ID != rare {
		t.Errorf("going on: %+v", res)
	}
}
