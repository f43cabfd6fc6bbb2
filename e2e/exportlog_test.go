package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"onrecord/audit"
	"onrecord/portal"
)

// exported presses Export and gives the file that comes.
func (w *window) exported() (name string, content []byte) {
	w.t.Helper()
	x, y := w.middle(button("Export").inMain())
	return w.download(chromedp.MouseClickXY(x, y))
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// The present filter leaves as a file, whose digest the page shows and the log
// holds; what is ticked decides what is in it.
func TestExportOfTheLog(t *testing.T) {
	t.Parallel()
	s := serve(t)
	call := s.addCall(s.Alpha, callOf("Customer one"))
	if _, err := s.DeleteCall(context.Background(), s.Dana, s.Alpha, call, "", "=1+1"); err != nil {
		t.Fatal(err)
	}
	w := s.browser(s.Alpha, s.Audrey)
	w.visit(s.path(s.Alpha, logPath+"?q=action:call.deleted"))
	s.Passed()
	w.follow(button("Export").inMain())
	if !strings.HasSuffix(w.address(), logPath+"/export?q=action%3Acall.deleted") {
		t.Errorf("the button leads to %s", w.address())
	}
	w.says("action:call.deleted", "None yet")
	s.Passed()

	name, content := w.exported()
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil || len(rows) != 2 || !strings.HasSuffix(name, ".csv") {
		t.Fatalf("%s holds %d rows, %v", name, len(rows), err)
	}
	if !strings.Contains(string(content), "'=1+1") {
		t.Errorf("the reason can be run: %s", content)
	}
	wait(w, "the comparison", `document.querySelector("[data-same]").textContent !== ""`)
	w.says("Exported", name, hexSum(content), "The file that arrived has it.", "sha256sum "+name)
	s.Expect(t, `alpha audit_log.exported ok "audit-log.csv": format=csv, query=action:call.deleted, size=*`,
		`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=1, format=csv, sha256=*`)
	w.follow(link("Details").inMain())
	w.says("Whole", hexSum(content), "Audrey Abe")
	s.Passed()

	w.visit(s.path(s.Alpha, logPath+"/export"))
	w.says("The whole log.", hexSum(content)[:12])
	w.click(checkbox("Also sign-ins, imports and readings"))
	w.click(control{role: "radio", name: "JSON Lines (.jsonl)"})
	_, content = w.exported()
	wait(w, "the comparison", `document.querySelector("[data-same]").textContent !== ""`)
	w.says(hexSum(content))
	n := 0
	for d := json.NewDecoder(bytes.NewReader(content)); d.More(); n++ {
		var e struct{ ID string }
		if err := d.Decode(&e); err != nil || !audit.ValidID("evt", e.ID) {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	all, err := s.Log().Count(context.Background(), s.Alpha)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, each := range all {
		total += each
	}
	if int64(n) != total-2 { // without its own beginning and end
		t.Errorf("the file of everything has %d events, the log %d", n, total)
	}
	s.Passed()
}

// Without scripts the form sends the file, and the page tells its digest when
// it is loaded again. The report is a page.
func TestExportWithoutScripts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.AddDevice(t, s.Dana, s.Alpha, "desk-1")
	w := s.browser(s.Alpha, s.Dana)
	w.withoutScripts()
	w.visit(s.path(s.Alpha, logPath))
	if w.has(button("Live")) {
		t.Error("there is a button Live that can do nothing")
	}
	w.follow(button("Export").inMain())
	s.Passed()
	_, content := w.exported()
	s.Expect(t, `alpha audit_log.exported ok "audit-log.csv": format=csv, query=action:`+strings.Join(portal.Catalogue.Tracked(), ",")+`, size=*`,
		`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=`+itoa(bytes.Count(content, []byte("\r\n"))-1)+`, format=csv, sha256=*`)
	w.visit(s.path(s.Alpha, logPath+"/export"))
	w.says(hexSum(content)[:12], "Whole", "Dana Cruz")
	w.click(control{role: "radio", name: "Report to print"})
	s.Passed()
	w.expect(200, w.clickTo(button("Export").inMain()))
	w.says("Audit log report", "Dana Cruz", "By action", "Added device", "desk-1", "How to verify")
	s.Passed()
}

// The checker finds nothing on the pages of an export, nor on the report, before
// and after a file came, in both themes.
func TestExportIsAccessible(t *testing.T) {
	t.Parallel()
	source := checker(t)
	s := serve(t)
	w := s.browser(s.Alpha, s.Dana)
	x, err := s.ExportLog(context.Background(), s.Dana, s.Alpha, audit.Filter{}, portal.ExportOptions{Format: "csv"})
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		for _, v := range w.violations(source) {
			t.Errorf("%s breaks %s: %s\n\t%q", what, v.Rule, v.Help, v.Places)
		}
	}
	for _, theme := range []string{"light", "dark"} {
		w.emulate(theme)
		w.visit(s.path(s.Alpha, logPath+"/export/"+x.ID))
		check("the page of an export")
		w.visit(s.path(s.Alpha, logPath))
		w.click(button("Live").inMain())
		check("the live log")
		w.visit(s.path(s.Alpha, logPath+"/export"))
		check("the page Export")
		w.exported()
		wait(w, "the comparison", `document.querySelector("[data-same]").textContent !== ""`)
		check("the page Export with a file that came")
		w.click(control{role: "radio", name: "Report to print"})
		w.expect(200, w.clickTo(button("Export").inMain()))
		check("the report")
	}
	s.Passed()
}
