package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hidden gives the value of a hidden field of a page.
func (a answer) hidden(name string) string {
	a.t.Helper()
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		a.t.Fatalf("the page has no field %s:\n%s", name, a.text())
	}
	return m[1]
}

const viewed = `alpha call.viewed ok "Call Customer one"`

func TestEachOpeningIsOneEventAndOnesOwnChangeIsNone(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/calls/" + s.call
	dana.get(path).status(http.StatusOK).has(secret, "Good morning", "0:07", "Talk share", "Export transcript", "Delete call")
	s.Expect(t, viewed)
	dana.get(path)
	s.Expect(t, viewed)

	edited := dana.post(path+"/metrics/talk_share/edit", "value", "12.5", "reason", "hold music").leads(path)
	s.Passed()
	dana.follow(edited).has(secret, "The value is saved.", "12.5 %")
	s.Expect(t) // one's own change
	dana.get(path).lacks("The value is saved.")
	s.Expect(t, viewed) // a reload

	reset := dana.post(path + "/metrics/talk_share/reset").leads(path)
	s.Passed()
	dana.follow(reset).has("The value is back at its default.")
	s.Expect(t)

	dana.post(path+"/metrics/talk_share/edit", "value", "13").leads(path)
	told := dana.cookies["flash"]
	s.Passed()
	s.Clock.Advance(31 * time.Second)
	dana.get(path)
	s.Expect(t, viewed) // too late
	dana.cookies["flash"] = told
	dana.get(path)
	s.Expect(t, viewed) // the message comes again, the note does not
}

func TestAWrongValueIsSaidWithoutTheTranscript(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/calls/" + s.call + "/metrics/talk_share/edit"
	dana.post(path, "value", "1,5", "reason", "because", "version", "unchanged").status(http.StatusUnprocessableEntity).
		has("has a comma", `value="1,5"`, `value="because"`, `value="unchanged"`, "aria-invalid").lacks(secret)
	dana.post(path, "value", "5", "reason", strings.Repeat("x", 501)).status(http.StatusUnprocessableEntity).has("The reason has 501 characters")
	s.Expect(t)
	dana.post(path, "value", "50", "version", "evt_stale").status(http.StatusConflict).has("has been changed since").lacks(secret)
}

func TestExports(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/calls/" + s.call + "/export"
	for format, kind := range map[string]string{"txt": "text/plain; charset=utf-8", "vtt": "text/vtt; charset=utf-8", "json": "application/json; charset=utf-8"} {
		a := dana.post(path, "format", format).status(http.StatusOK).has(secret)
		h := a.Header
		if h.Get("Content-Type") != kind || h.Get("Content-Disposition") != `attachment; filename="`+s.call+"."+format+`"` || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", format, h)
		}
		s.Expect(t, `alpha call.transcript_exported ok "Call Customer one": format=`+format)
	}
	dana.get(path).status(http.StatusNotFound).lacks(secret) // only a form discloses
	s.Expect(t)
	dana.post("/t/"+s.Alpha+"/calls/"+s.deleted+"/export", "format", "txt").status(http.StatusGone).lacks(secret)
}

func TestDeleteUndoAndRestore(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	calls := "/t/" + s.Alpha + "/calls"
	path := calls + "/" + s.call
	ask := dana.get(path+"/delete").status(http.StatusOK).has("Delete this call?", "Delete call", "Customer one", "Reason").lacks(secret)
	s.Expect(t)
	gone := dana.post(path+"/delete", "reason", "asked for", "version", ask.hidden("version")).leads(calls)
	list := dana.follow(gone).has("The call was deleted.", "Undo", path+"/restore").lacks(`href="` + path + `"`)
	s.Expect(t, `alpha call.deleted ok "Call Customer one": deleted_at →*`)
	dana.get(path).status(http.StatusOK).has("This call was deleted on", "Dana Cruz", "asked for", "Restore call").lacks(secret)
	dana.get(path + "/delete").leads(path)
	s.Expect(t)
	undone := dana.post(path+"/restore", "version", list.hidden("version")).leads(calls)
	dana.follow(undone).has("The call was restored.", `href="`+path+`"`)
	s.Expect(t, `alpha call.restored ok "Call Customer one": deleted_at *→`)

	deleted := dana.get(calls+"/deleted").has("Customer two", "asked for", "Nothing is purged yet")
	dana.follow(dana.post(calls+"/"+s.deleted+"/restore?to=deleted", "version", deleted.hidden("version")).leads(calls+"/deleted")).has("The call was restored.", "No deleted calls")
	dana.post(path+"/delete", "version", "evt_stale").status(http.StatusConflict).has("has been changed since", "Delete this call?")
}

func TestCallListFiltersAndPages(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	for _, source := range []string{"four", "five"} {
		s.addCall(s.Alpha, source)
	}
	calls := "/t/" + s.Alpha + "/calls"
	dana.get(calls).has("Customer one", "Customer four", "Customer five", "Deleted calls").lacks("Customer two", "Customer three", secret)
	for query, want := range map[string]string{"q=FOUR": "Customer four", "q=" + secret: "No call matches", "direction=outbound": "No call matches",
		"from=2026-02-27&to=2026-02-27": "Customer four", "from=2026-02-28": "No call matches", "to=2026-02-26": "No call matches", "agent=Agnes+Ash": "Customer four"} {
		page := dana.get(calls + "?" + query).status(http.StatusOK).has(want)
		if !strings.Contains(page.body, "Active filters") {
			t.Errorf("%s: no chip", query)
		}
	}
	dana.get(calls + "?from=27.02.2026").status(http.StatusUnprocessableEntity).has("“27.02.2026” is not a day")
	dana.get(calls + "?from=2026-03-02&to=2026-03-01").status(http.StatusUnprocessableEntity).has("is not after the beginning")
	dana.get(calls + "?cursor=nonsense").status(http.StatusUnprocessableEntity)
	dana.get(calls + "?direction=sideways").status(http.StatusUnprocessableEntity)
	for i := range rowsPerPage {
		s.addCall(s.Alpha, "many-"+url.QueryEscape(string(rune('a'+i%26)))+strings.Repeat("x", i))
	}
	first := dana.get(calls)
	next := link(first, "next")
	second := dana.get(next).has("Previous").lacks(`rel="next"`)
	if back := dana.get(link(second, "prev")); rows(back) != rows(first) {
		t.Error("back from the second page is another first page")
	}
	if got := rows(first) + rows(second); got != rowsPerPage+3 {
		t.Errorf("%d rows on both pages", got)
	}
	for _, line := range s.Passed() {
		if !strings.HasPrefix(line, "alpha call.imported ok") {
			t.Errorf("looking at lists recorded %s", line)
		}
	}
}

// link is the address that a page's link of this relation leads to.
func link(a answer, rel string) string {
	a.t.Helper()
	m := regexp.MustCompile(`rel="` + rel + `" href="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		a.t.Fatalf("the page has no link %s:\n%s", rel, a.text())
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// rows is how many rows the page's table has.
func rows(a answer) int { return strings.Count(a.body, "data-row") }
