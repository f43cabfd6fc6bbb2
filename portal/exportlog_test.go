package portal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// filled is a portal whose log of Alpha has more than n events.
func filled(t *testing.T, n int) *portaltest.Fixture {
	t.Helper()
	f := portaltest.New(t)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := f.Log().Note(context.Background(), audit.Intent{Log: f.Alpha, Actor: f.Dana.Actor, Action: portal.AuditLogViewed, Data: map[string]string{"query": "=1+1"}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.Passed()
	return f
}

func begin(t *testing.T, f *portaltest.Fixture, by portal.Caller, filter audit.Filter, o portal.ExportOptions) *portal.LogExport {
	t.Helper()
	x, err := f.ExportLog(context.Background(), by, f.Alpha, filter, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ids are those of a file of JSON Lines.
func ids(t *testing.T, lines []byte) []string {
	t.Helper()
	var all []string
	for d := json.NewDecoder(bytes.NewReader(lines)); d.More(); {
		var e struct{ ID string }
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e.ID)
	}
	return all
}

// found are the ids of everything that matches.
func found(t *testing.T, f *portaltest.Fixture, filter audit.Filter) []string {
	t.Helper()
	var all []string
	for page := (audit.Page{Limit: 1000}); ; {
		r, err := f.Log().Search(context.Background(), f.Alpha, filter, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Events {
			all = append(all, e.ID)
		}
		if page.Cursor = r.Older; page.Cursor == "" {
			return all
		}
	}
}

func TestExportHoldsEverythingAndIsOnTheRecord(t *testing.T) {
	f := filled(t, 2500)
	for _, query := range []string{"", "action:audit_log.viewed", `outcome:ok actor:"Dana Cruz"`} {
		filter, err := audit.ParseQuery(query)
		check(t, err)
		want := found(t, f, filter)
		var file bytes.Buffer
		x := begin(t, f, f.Audrey, filter, portal.ExportOptions{Format: "jsonl"})
		begun := []string{`alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, size=*`}
		if query != "" {
			begun[0] = `alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, query=` + filter.String() + `, size=*`
		}
		f.Expect(t, begun...) // before a byte has left
		last := 0.0
		done, err := x.Send(context.Background(), &file, 0, func(done portal.LogExported, share float64) {
			if done.Bytes != int64(file.Len()) || share < last {
				t.Errorf("told of %d bytes, sent %d; share %v after %v", done.Bytes, file.Len(), share, last)
			}
			last = share
		})
		check(t, err)
		f.Expect(t, fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.jsonl": bytes=*, events=%d, format=jsonl, sha256=*`, len(want)))
		if got := ids(t, file.Bytes()); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: %d events exported, %d found", query, len(got), len(want))
		}
		if done.Events != int64(len(want)) || done.Bytes != int64(file.Len()) || done.SHA256 != sha(file.Bytes()) || done.Broken != "" || last != 1 {
			t.Errorf("%q: told %+v, share %v, of %d bytes with %s", query, done, last, file.Len(), sha(file.Bytes()))
		}
		known, err := f.LogExport(context.Background(), f.Dana, f.Alpha, x.ID)
		check(t, err)
		if known.Done != done || !known.Whole() || known.By.ID != f.Audrey.ID || known.Query.String() != filter.String() || known.Name != x.Name {
			t.Errorf("the log knows %+v, not %+v", known, done)
		}
		f.Passed()
	}
}

func TestExportOfCSV(t *testing.T) {
	f := filled(t, 20)
	x := begin(t, f, f.Dana, audit.Filter{}, portal.ExportOptions{Format: "csv", Columns: []string{"id", "data", "actor_name"}})
	f.Expect(t, `alpha audit_log.exported ok "audit-log.csv": columns=id,data,actor_name, format=csv, size=*`)
	want := found(t, f, audit.Filter{})[1:] // without the event that it began
	var file bytes.Buffer
	_, err := x.Send(context.Background(), &file, 0, nil)
	check(t, err)
	rows, err := csv.NewReader(&file).ReadAll()
	check(t, err)
	if len(rows) != len(want)+1 || strings.Join(rows[0], " ") != "id data actor_name" {
		t.Fatalf("%d rows, head %q", len(rows), rows[0])
	}
	for i, id := range want {
		if rows[i+1][0] != id {
			t.Errorf("row %d is %q, not %s", i+1, rows[i+1], id)
		}
	}
	f.Passed()
	for _, wrong := range []portal.ExportOptions{{Format: "xlsx"}, {Format: ""}, {Format: "csv", Columns: []string{"colour"}}} {
		if _, err := f.ExportLog(context.Background(), f.Dana, f.Alpha, audit.Filter{}, wrong); audit.CodeOf(err) != audit.CodeInvalid {
			t.Errorf("%+v gives %v", wrong, err)
		}
	}
	f.Expect(t)
}

// limited takes so many bytes and then breaks.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left < len(b) {
		n, _ := l.Buffer.Write(b[:l.left])
		l.left = 0
		return n, errors.New("connection reset by peer")
	}
	l.left -= len(b)
	return l.Buffer.Write(b)
}

func TestABrokenExportGoesOnWithTheSameBytes(t *testing.T) {
	f := filled(t, 2500)
	ctx := context.Background()
	x := begin(t, f, f.Dana, audit.Filter{}, portal.ExportOptions{Format: "csv"})
	var whole bytes.Buffer
	told, err := x.Send(ctx, &whole, 0, nil)
	check(t, err)
	x = begin(t, f, f.Dana, audit.Filter{}, portal.ExportOptions{Format: "csv"})
	f.Passed()
	got := &limited{left: 12_345}
	done, err := x.Send(ctx, got, 0, nil)
	if err == nil || done.Broken != "the reader went away" || done.SHA256 != "" {
		t.Errorf("a broken export tells %+v, %v", done, err)
	}
	f.Expect(t, `alpha audit_log.export_ended ok "audit-log.csv": broken_off=the reader went away, bytes=*, events=0, format=csv`)
	known, err := f.LogExport(ctx, f.Audrey, f.Alpha, x.ID)
	check(t, err)
	if known.Whole() || known.Done.Broken == "" {
		t.Errorf("the log takes it for whole: %+v", known.Done)
	}
	f.AddDevice(t, f.Dana, f.Alpha, "desk-1") // what comes meanwhile is not in it
	f.Passed()

	on, err := f.ResumeLogExport(ctx, f.Dana, f.Alpha, x.ID, int64(got.Len()))
	check(t, err)
	f.Expect(t, `alpha audit_log.exported ok "audit-log.csv": format=csv, from=12345`)
	rest := bytes.NewBuffer(got.Bytes())
	done, err = on.Send(ctx, rest, int64(got.Len()), nil)
	check(t, err)
	f.Expect(t, fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=%d, format=csv, sha256=*`, done.Events))
	if done.SHA256 != sha(rest.Bytes()) || done.Bytes != int64(rest.Len()) {
		t.Errorf("the whole file of %d bytes has %s, told %+v", rest.Len(), sha(rest.Bytes()), done)
	}
	// The first export began before; all that it held is in this one behind the
	// two events that recorded it.
	_, ofFirst, _ := strings.Cut(whole.String(), "\r\n")
	if !strings.HasSuffix(rest.String(), ofFirst) || told.Events+2 != done.Events {
		t.Errorf("the export of %d events that went on is not that of %d which did not", done.Events, told.Events)
	}
	known, err = f.LogExport(ctx, f.Audrey, f.Alpha, x.ID)
	check(t, err)
	if !known.Whole() || known.Done != done {
		t.Errorf("the log knows %+v of it, not %+v", known.Done, done)
	}

	again, err := f.ResumeLogExport(ctx, f.Dana, f.Alpha, x.ID, done.Bytes+1)
	check(t, err)
	f.Passed()
	_, err = again.Send(ctx, rest, done.Bytes+1, nil)
	if audit.CodeOf(err) != audit.CodeInvalid {
		t.Errorf("more bytes than there are: %v", err)
	}
	f.Expect(t, fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.csv": broken_off=the reader had another file, bytes=*, events=%d, format=csv`, done.Events))
	exports, err := f.LogExports(ctx, f.Dana, f.Alpha)
	check(t, err)
	if len(exports) != 2 || exports[0].ID != x.ID || !exports[0].Whole() || exports[0].Done != done || exports[1].Done != told {
		t.Errorf("the exports are %+v", exports)
	}
	f.Passed()
}

func TestWhoMayExportAndGoOn(t *testing.T) {
	f := filled(t, 3)
	ctx := context.Background()
	x := begin(t, f, f.Audrey, audit.Filter{}, portal.ExportOptions{Format: "jsonl"})
	f.Passed()
	for _, c := range []struct {
		by   portal.Caller
		code audit.Code
		want []string
	}{
		{f.Agnes, audit.CodeDenied, []string{`alpha audit_log.exported denied: refusal=*`, `alpha audit_log.exported denied: refusal=*`, "alpha audit_log.viewed denied: refusal=*", "alpha audit_log.viewed denied: refusal=*"}},
		{f.Bea, audit.CodeNotFound, []string{`alpha audit_log.exported denied: refusal=*`, `alpha audit_log.exported denied: refusal=*`, "alpha audit_log.viewed denied: refusal=*", "alpha audit_log.viewed denied: refusal=*"}},
	} {
		_, err1 := f.ExportLog(ctx, c.by, f.Alpha, audit.Filter{}, portal.ExportOptions{Format: "csv"})
		_, err2 := f.ResumeLogExport(ctx, c.by, f.Alpha, x.ID, 0)
		_, err3 := f.LogExport(ctx, c.by, f.Alpha, x.ID)
		_, err4 := f.LogExports(ctx, c.by, f.Alpha)
		for _, err := range []error{err1, err2, err3, err4} {
			if audit.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want %s", c.by.Name, err, c.code)
			}
		}
		f.Expect(t, c.want...)
	}
	if _, err := f.ResumeLogExport(ctx, f.Dana, f.Alpha, x.ID, 0); audit.CodeOf(err) != audit.CodeDenied {
		t.Errorf("going on with somebody else's export: %v", err)
	}
	f.Expect(t, `alpha audit_log.exported denied: refusal=*, tried=export exp_*`)
	for _, id := range []string{"", "nonsense", x.Event, "exp_" + strings.TrimPrefix(found(t, f, audit.Filter{})[0], "evt_"), audit.NewID("exp", f.Clock.Now())} {
		if _, err := f.ResumeLogExport(ctx, f.Audrey, f.Alpha, id, 0); audit.CodeOf(err) != audit.CodeNotFound {
			t.Errorf("going on with %q: %v", id, err)
		}
	}
	if _, err := f.ResumeLogExport(ctx, f.Bea, f.Beta, x.ID, 0); audit.CodeOf(err) != audit.CodeNotFound {
		t.Errorf("going on in another team: %v", err)
	}
	if _, err := f.ResumeLogExport(ctx, f.Audrey, f.Alpha, x.ID, -1); audit.CodeOf(err) != audit.CodeInvalid {
		t.Errorf("going on at -1: %v", err)
	}
	f.Passed()
	_, err := f.ChangePlan(ctx, f.Operator, f.Alpha, portal.PlanCore, "")
	check(t, err)
	f.Passed()
	if _, err := f.ExportLog(ctx, f.Dana, f.Alpha, audit.Filter{}, portal.ExportOptions{Format: "csv"}); audit.CodeOf(err) != audit.CodeDenied {
		t.Errorf("on another plan: %v", err)
	}
	f.Expect(t) // not refused, only not on this plan
}

// pausing does something before its first write, and waits until the
// permission is asked for again.
type pausing struct {
	bytes.Buffer
	once sync.Once
	do   func()
}

func (p *pausing) Write(b []byte) (int, error) {
	p.once.Do(func() {
		p.do()
		time.Sleep(1100 * time.Millisecond)
	})
	return p.Buffer.Write(b)
}

func TestAnExportEndsWithThePermission(t *testing.T) {
	f := filled(t, 10)
	ctx := context.Background()
	signedIn := f.SignedIn(t, f.Alpha, f.Audrey)
	for name, c := range map[string]struct {
		by portal.Caller
		do func() error
	}{
		"demoted": {f.Adam, func() error {
			_, err := f.ChangeRole(ctx, f.Dana, f.Alpha, f.Adam.ID, portal.Agent, "", "")
			return err
		}},
		"blocked":    {f.Bo, func() error { _, err := f.BlockUser(ctx, f.Dana, f.Alpha, f.Bo.ID, "", ""); return err }},
		"signed out": {signedIn.Caller, func() error { return f.SignOut(ctx, signedIn.Caller) }},
	} {
		t.Run(name, func(t *testing.T) {
			x := begin(t, f, c.by, audit.Filter{}, portal.ExportOptions{Format: "csv", Columns: []string{"id"}})
			out := &pausing{do: func() { check(t, c.do()) }}
			f.Passed()
			_, err := x.Send(ctx, out, 0, nil)
			if audit.CodeOf(err) != audit.CodeDenied {
				t.Errorf("it ends with %v", err)
			}
			if out.String() != "id\r\n" {
				t.Errorf("it has sent %q", out.String())
			}
			got := f.Passed()
			want := `alpha audit_log.export_ended ok "audit-log.csv": broken_off=the reader may no longer read the log, bytes=*, events=0, format=csv`
			if len(got) == 0 || got[len(got)-1] != want {
				t.Errorf("recorded is %q", got)
			}
		})
	}
}

func TestTwoReadersOfOneLog(t *testing.T) {
	f := filled(t, 2500)
	var wg sync.WaitGroup
	digests := make([]string, 2)
	for i, by := range []portal.Caller{f.Dana, f.Audrey} {
		x := begin(t, f, by, audit.Filter{Action: audit.Values{Any: []string{"audit_log.viewed"}}}, portal.ExportOptions{Format: "jsonl"})
		wg.Go(func() {
			var file bytes.Buffer
			done, err := x.Send(context.Background(), &file, 0, nil)
			if err != nil || done.SHA256 != sha(file.Bytes()) {
				t.Errorf("%+v, %v", done, err)
			}
			digests[i] = done.SHA256
		})
	}
	wg.Wait()
	if digests[0] != digests[1] {
		t.Error("two readers at once get different files")
	}
	f.Passed()
	x := begin(t, f, f.Dana, audit.Filter{}, portal.ExportOptions{Format: "jsonl"})
	ctx, stop := context.WithCancel(context.Background())
	stop()
	f.Passed()
	if _, err := x.Send(ctx, &bytes.Buffer{}, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader that has gone: %v", err)
	}
	f.Expect(t, `alpha audit_log.export_ended ok "audit-log.jsonl": broken_off=the reader went away, bytes=*, events=0, format=jsonl`)
}
