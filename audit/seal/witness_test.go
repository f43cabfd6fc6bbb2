package seal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"onrecord/audit/seal"
)

// newWitness serves a witness of one sample's log.
func newWitness(t testing.TB, folder string, key seal.NamedKey, logs ...seal.LogKey) *seal.WitnessClient {
	t.Helper()
	w, err := seal.NewWitnessServer(folder, key, logs, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	t.Cleanup(srv.Close)
	c, err := seal.ParseWitnessClient(srv.URL + "=" + w.Witness().String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func witnessKey(t testing.TB) seal.NamedKey {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return seal.NamedKey{Name: "witness.example/w1", Key: k}
}

func TestWitness(t *testing.T) {
	ctx := context.Background()
	s := newSample(t, team, 60)
	folder, key := t.TempDir(), witnessKey(t)
	c := newWitness(t, folder, key, s.keys()...)
	for _, step := range []struct{ seen, size int64 }{{0, 0}, {0, 10}, {10, 10}, {10, 33}, {0, 40}, {50, 50}} {
		cosig, line, err := c.Gather(ctx, step.seen, s, s.checkpoint(t, step.size))
		if err != nil || time.Since(cosig.Time) > time.Minute || !strings.HasPrefix(line, "— witness.example/w1 ") {
			t.Fatalf("%+v: %v, %+v", step, err, cosig)
		}
	}
	again := newWitness(t, folder, key, s.keys()...) // started again, it remembers
	_, _, err := again.Gather(ctx, 0, s, s.checkpoint(t, 49))
	if ahead, ok := errors.AsType[*seal.AheadError](err); !ok || ahead.Size != 50 {
		t.Errorf("set back: %v", err)
	}
	rewritten := newSample(t, team, 20)
	rewritten.key = s.key
	for range 40 {
		rewritten.grow(t, "rewritten")
	}
	for _, size := range []int64{50, 55} {
		for _, seen := range []int64{0, 20, 50} {
			if _, _, err := again.Gather(ctx, seen, rewritten, rewritten.checkpoint(t, size)); !errors.Is(err, seal.ErrNotConsistent) {
				t.Errorf("rewritten, size %d, seen %d: %v", size, seen, err)
			}
		}
	}
	if _, _, err := again.Gather(ctx, 50, s, s.checkpoint(t, 60)); err != nil {
		t.Errorf("the true log goes on: %v", err)
	}
}

func TestWitnessRefuses(t *testing.T) {
	s := newSample(t, team, 9)
	c := newWitness(t, t.TempDir(), witnessKey(t), s.key.LogKey(s.origin()))
	stranger := newSample(t, team, 9)
	other := newSample(t, "team_02", 9)
	good := "old 0\n\n" + string(s.checkpoint(t, 9))
	for _, r := range []struct {
		name, body string
		want       int
	}{
		{"good", good, http.StatusOK},
		{"the same again with an old size of 0", good, http.StatusConflict},
		{"the same again", strings.Replace(good, "old 0", "old 9", 1), http.StatusOK},
		{"a key that is not known", "old 9\n\n" + string(stranger.checkpoint(t, 9)), http.StatusForbidden},
		{"a log that is not known", "old 0\n\n" + string(other.checkpoint(t, 9)), http.StatusNotFound},
		{"an old size above the size", "old 10\n\n" + string(s.checkpoint(t, 9)), http.StatusBadRequest},
		{"a proof that is too long", "old 9\n" + strings.Repeat("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 64) + "\n" + string(s.checkpoint(t, 9)), http.StatusBadRequest},
		{"a proof that is none", "old 9\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" + string(s.checkpoint(t, 9)), http.StatusUnprocessableEntity},
		{"no hash", "old 9\nx\n\n" + string(s.checkpoint(t, 9)), http.StatusBadRequest},
		{"leading zero", "old 09\n\n" + string(s.checkpoint(t, 9)), http.StatusBadRequest},
		{"no old size", "\n\n" + string(s.checkpoint(t, 9)), http.StatusBadRequest},
		{"no checkpoint", "old 9\n\n", http.StatusBadRequest},
		{"nothing", "", http.StatusBadRequest},
		{"too long", "old 9\n\n" + strings.Repeat("x", 100_000), http.StatusBadRequest},
	} {
		res, err := http.Post(c.URL+"/add-checkpoint", "", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != r.want {
			t.Errorf("%s: %s, want %d: %s", r.name, res.Status, r.want, answer)
		}
		if r.want == http.StatusConflict && (string(answer) != "9\n" || res.Header.Get("Content-Type") != "text/x.tlog.size") {
			t.Errorf("%s: %q, %s", r.name, answer, res.Header.Get("Content-Type"))
		}
	}
	if res, err := http.Get(c.URL + "/add-checkpoint"); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v, %s", err, res.Status)
	}
}

// TestWitnessAnswersNonsense: a log believes nothing that its witness's key has
// not signed.
func TestWitnessAnswersNonsense(t *testing.T) {
	s := newSample(t, team, 9)
	key := witnessKey(t)
	other, err := seal.Cosign(s.checkpoint(t, 8), key.Key, key.Name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"nothing": {200, ""}, "another checkpoint's": {200, other}, "no size": {409, "many\n"}, "ever other sizes": {409, ""}, "teapot": {418, "x"},
	} {
		size := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(answer.status)
			if name == "ever other sizes" {
				size++
				answer.body = string(rune('0'+size)) + "\n"
			}
			io.WriteString(w, answer.body)
		}))
		c := &seal.WitnessClient{URL: srv.URL, Witness: key.Witness(key.Name)}
		if _, line, err := c.Gather(context.Background(), 0, s, s.checkpoint(t, 9)); err == nil {
			t.Errorf("%s: %q", name, line)
		}
		srv.Close()
	}
}

// TestWitnessesRace: many requests at once leave the largest checkpoint, never
// a smaller one after it.
func TestWitnessesRace(t *testing.T) {
	s := newSample(t, team, 40)
	c := newWitness(t, t.TempDir(), witnessKey(t), s.keys()...)
	done := make(chan error)
	for i := range 40 {
		go func() {
			_, _, err := c.Gather(context.Background(), 0, s, s.checkpoint(t, int64(i+1)))
			done <- err
		}()
	}
	for range 40 {
		if err := <-done; errors.Is(err, seal.ErrNotConsistent) {
			t.Error(err)
		}
	}
	if _, _, err := c.Gather(context.Background(), 40, s, s.checkpoint(t, 40)); err != nil {
		t.Error(err)
	}
}

func FuzzAddCheckpoint(f *testing.F) {
	s := newSample(f, team, 9)
	w, err := seal.NewWitnessServer(f.TempDir(), witnessKey(f), s.keys(), time.Now)
	if err != nil {
		f.Fatal(err)
	}
	handler := w.Handler(slog.New(slog.DiscardHandler))
	f.Add("old 0\n\n" + string(s.checkpoint(f, 9)))
	f.Add("old 9\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" + string(s.checkpoint(f, 9)))
	f.Fuzz(func(t *testing.T, body string) {
		res := httptest.NewRecorder()
		handler.ServeHTTP(res, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(body)))
		if res.Code == http.StatusOK && !strings.Contains(body, string(s.checkpoint(t, 9))) {
			t.Errorf("cosigned: %q", body)
		}
		if res.Code == http.StatusInternalServerError {
			t.Errorf("%q: %s", body, res.Body)
		}
	})
}
