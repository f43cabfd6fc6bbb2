package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit/seal"
)

const (
	org  = "org_01"
	team = "team_01"
)

// sample is a log of events that look like real ones, with its tree.
type sample struct {
	log     string
	key     seal.Key
	entries []seal.Entry
	stored  []tlog.Hash
}

func (s *sample) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(s.stored)) {
			return nil, fmt.Errorf("hash %d of %d", x, len(s.stored))
		}
		out[i] = s.stored[x]
	}
	return out, nil
}

func newSample(t testing.TB, log string, n int) *sample {
	t.Helper()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s := &sample{log: log, key: key}
	for range n {
		s.grow(t, "")
	}
	return s
}

// grow adds an event; extra makes it differ from what another sample has.
func (s *sample) grow(t testing.TB, extra string) {
	t.Helper()
	n := int64(len(s.entries))
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	who := seal.Part{Salt: salt("who", n), JSON: fmt.Appendf(nil, `{"email":"dana@example.com","ip":"203.0.113.7","name":"Dana Cruz %d \u0001\"\\"}`, n)}
	what := seal.Part{Salt: salt("what", n), JSON: fmt.Appendf(nil, `{"changes":[{"n":0,"to":"x"}],"object":{"name":"Sam Roe é  %d%s"}}`, n, extra)}
	body := fmt.Appendf(nil, `{"action":"user.role_changed","actor":{"id":"user_01","type":"user"},"id":"evt_%08d","log":%q,"object":{"id":"user_02","type":"user"},"outcome":"ok","recorded":%q,"time":%q,"v":1,"via":"web","what":"%s","who":"%s"}`,
		n, s.log, at.Format("2006-01-02T15:04:05.000000Z"), at.Format("2006-01-02T15:04:05.000000Z"), commitment("what", what), commitment("who", who))
	hashes, err := tlog.StoredHashes(n, body, s)
	if err != nil {
		t.Fatal(err)
	}
	s.stored = append(s.stored, hashes...)
	s.entries = append(s.entries, seal.Entry{Leaf: n, Body: body, Who: &who, What: &what})
}

func salt(kind string, n int64) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n))
	return sum[:]
}

func commitment(kind string, p seal.Part) string {
	h := sha256.New()
	fmt.Fprintf(h, "onrecord/v1/%s\x00", kind)
	h.Write(p.Salt)
	h.Write(p.JSON)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (s *sample) origin() string { return seal.Origin(org, s.log) }

// checkpoint signs the first size leaves.
func (s *sample) checkpoint(t testing.TB, size int64) []byte {
	t.Helper()
	root, err := tlog.TreeHash(size, s)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := seal.Sign(seal.Checkpoint{Origin: s.origin(), Size: size, Root: root}, s.key.Signer(s.origin()))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func (s *sample) size() int64 { return int64(len(s.entries)) }

// export writes the leaves that want wants; all if it is nil.
func (s *sample) export(t testing.TB, checkpoint []byte, query string, want func(int64) bool, cuts ...int64) string {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewExportWriter(&out, seal.Header{Checkpoint: checkpoint, Log: s.log, Query: query}, s, cuts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.entries {
		if want == nil || want(e.Leaf) {
			if err := w.Add(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (s *sample) all(t testing.TB) string { return s.export(t, s.checkpoint(t, s.size()), "", nil) }

func (s *sample) keys() []seal.LogKey { return []seal.LogKey{s.key.LogKey(seal.Installation(org))} }

func (s *sample) verify(t testing.TB, file string, change ...func(*seal.Options)) seal.Result {
	t.Helper()
	o := seal.Options{Keys: s.keys()}
	for _, c := range change {
		c(&o)
	}
	r, err := seal.Verify(strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func faults(r seal.Result) string {
	var b strings.Builder
	for _, f := range r.Faults {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// rebuild computes the tree of changed events.
func (s *sample) rebuild(t testing.TB) {
	t.Helper()
	s.stored = nil
	for _, e := range s.entries {
		hashes, err := tlog.StoredHashes(e.Leaf, e.Body, s)
		if err != nil {
			t.Fatal(err)
		}
		s.stored = append(s.stored, hashes...)
	}
}
