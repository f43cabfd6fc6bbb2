package portal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func viewNames(views []portal.SavedView) []string {
	var all []string
	for _, v := range views {
		all = append(all, v.Name)
	}
	return all
}

func TestSavedViewsAreTheirOwnersOrTheTeams(t *testing.T) {
	f := portaltest.New(t)
	mine := must(f.SaveView(ctx, f.Audrey, f.Alpha, portal.SavedView{Name: " Night  calls ", Query: "type:call   hours:22-6"}))
	f.Expect(t, `alpha saved_view.created ok "Night calls": created_at →*, name →Night calls, owner →*, preferred →0, query →type:call hours:22:00-06:00, shared →0`)
	shared := must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "Refusals", Query: "outcome:denied", Shared: true}))
	f.Passed()
	for _, c := range []struct {
		by   portal.Caller
		want []string
	}{{f.Audrey, []string{"Night calls", "Refusals"}}, {f.Dana, []string{"Refusals"}}, {f.Adam, []string{"Refusals"}}} {
		if got := viewNames(must(f.SavedViews(ctx, c.by, f.Alpha))); !slices.Equal(got, c.want) {
			t.Errorf("%s sees %q, not %q", c.by.Name, got, c.want)
		}
	}

	// Somebody else's private view is not there; a shared one is not theirs.
	for id, want := range map[string]audit.Code{mine.ID: audit.CodeNotFound, shared.ID: audit.CodeDenied} {
		_, err := f.SavedView(ctx, f.Adam, f.Alpha, id)
		refused(t, err, want)
		_, err = f.ChangeView(ctx, f.Adam, f.Alpha, portal.SavedView{ID: id, Name: "x", Query: "x"})
		refused(t, err, want)
		_, err = f.DeleteView(ctx, f.Adam, f.Alpha, id)
		refused(t, err, want)
	}
	f.Passed()

	// An Auditor keeps views for themselves, and shares none.
	_, err := f.SaveView(ctx, f.Audrey, f.Alpha, portal.SavedView{Name: "For all", Query: "type:call", Shared: true})
	refused(t, err, audit.CodeDenied)
	for _, by := range []portal.Caller{f.Agnes, f.Operator} {
		_, err := f.SaveView(ctx, by, f.Alpha, portal.SavedView{Name: "x", Query: "type:call"})
		refused(t, err, audit.CodeDenied)
	}
	f.Passed()
}

func TestOneViewOpensTheLog(t *testing.T) {
	f := portaltest.New(t)
	first := must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "First", Query: "type:call", Preferred: true}))
	must(f.SaveView(ctx, f.Adam, f.Alpha, portal.SavedView{Name: "First", Query: "type:user", Preferred: true}))
	must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "Second", Query: "type:user", Preferred: true}))
	for _, v := range must(f.SavedViews(ctx, f.Dana, f.Alpha)) {
		if v.Preferred != (v.Name == "Second") {
			t.Errorf("%s is preferred: %v", v.Name, v.Preferred)
		}
	}
	if v := must(f.SavedViews(ctx, f.Adam, f.Alpha)); len(v) != 1 || !v[0].Preferred {
		t.Errorf("another person's preference is gone: %+v", v)
	}
	f.Passed()
	// Nothing different is nothing to record.
	if id := must(f.ChangeView(ctx, f.Dana, f.Alpha, portal.SavedView{ID: first.ID, Name: "First", Query: "type:call"})); id != "" {
		t.Errorf("recorded as %s", id)
	}
	f.Expect(t)
	must(f.DeleteView(ctx, f.Dana, f.Alpha, first.ID))
	_, err := f.DeleteView(ctx, f.Dana, f.Alpha, first.ID)
	refused(t, err, audit.CodeGone)
	must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "first", Query: "type:call"})) // the name is free again
	f.Passed()
}

func TestViewsThatCannotBeKept(t *testing.T) {
	f := portaltest.New(t)
	for _, c := range []struct{ name, query, field string }{
		{"", "type:call", "name"}, {"\u200b", "type:call", "name"}, {strings.Repeat("x", 500), "type:call", "name"},
		{"x", "", "query"}, {"x", "colour:red", "query"}, {"x", strings.Repeat("a ", 3000), "query"},
	} {
		_, err := f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: c.name, Query: c.query})
		refused(t, err, audit.CodeInvalid, c.field)
	}
	f.Expect(t)
	for i := range 100 {
		must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: fmt.Sprint("View ", i), Query: "type:call"}))
	}
	_, err := f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "One more", Query: "type:call"})
	refused(t, err, audit.CodeConflict)
	f.Passed()
}

// Starter views ask for actions that there are, and read as queries.
func TestStarterViews(t *testing.T) {
	for _, v := range portal.StarterViews() {
		q, err := audit.ParseQuery(v.Query)
		if err != nil || q.IsZero() || q.String() != v.Query {
			t.Errorf("%s: %q reads as %q, %v", v.Name, v.Query, q, err)
		}
		for _, id := range q.Action.Any {
			if _, ok := portal.Catalogue.Get(id); !ok {
				t.Errorf("%s asks for %s, which is no action", v.Name, id)
			}
		}
	}
}
