package api

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/portal"
)

func hashes(t *testing.T, texts []string) []tlog.Hash {
	t.Helper()
	var all []tlog.Hash
	for _, text := range texts {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(b) != tlog.HashSize {
			t.Fatalf("%q is no hash: %v", text, err)
		}
		all = append(all, tlog.Hash(b))
	}
	return all
}

// A program checks an event with nothing but the answer and the public key.
func TestAnEventIsProved(t *testing.T) {
	s := newSite(t)
	// Texts that encoders like to change.
	if _, err := s.BlockUser(t.Context(), s.Dana, s.Alpha, s.Agnes.ID, "", "<b>&\u2028 \u202e \U0001F512 e\u0301\""); err != nil {
		t.Fatal(err)
	}
	if err := s.Log().Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	blocked := read[page](s.get(s.key, "/audit-events?action="+portal.UserBlocked)).Items[0]
	type half struct {
		Salt []byte
		Part json.RawMessage
	}
	got := read[struct {
		ID     string
		Leaf   int64
		Reason string
		Proof  struct {
			Size       int64
			Checkpoint string
			Hashes     []string
			Sealed     json.RawMessage
			Who, What  half
		}
	}](s.get(s.key, "/audit-events/"+blocked.ID))
	signed, err := seal.Open([]byte(got.Proof.Checkpoint), must(s.LogKeys(t.Context())), nil)
	if err != nil || signed.Size != got.Proof.Size || signed.Origin != seal.Origin(s.Org, s.Alpha) {
		t.Fatalf("%+v, %v", signed, err)
	}
	if err := tlog.CheckRecord(hashes(t, got.Proof.Hashes), signed.Size, signed.Root, got.Leaf, tlog.RecordHash(got.Proof.Sealed)); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(got.Proof.Sealed), `"id":"`+blocked.ID+`"`) || !strings.Contains(string(got.Proof.What.Part), `<b>&`) || len(got.Proof.Who.Salt) != 32 {
		t.Errorf("the proof is of %s with %s", got.Proof.Sealed, got.Proof.What.Part)
	}
	if got.Reason != "<b>&\u2028 \u202e \U0001F512 e\u0301\"" {
		t.Errorf("the reason is %q", got.Reason)
	}
}

func TestErasedPartsInAProof(t *testing.T) {
	body, err := json.Marshal(ProvedEvent{audit.Event{ID: "evt_1"}, &portal.LogProof{Raw: audit.RawEvent{Body: []byte(`{"a":1}`)}}})
	if err != nil || !strings.HasSuffix(string(body), `"sealed":{"a":1},"who":{"erased":true},"what":{"erased":true}}}`) {
		t.Errorf("%s, %v", body, err)
	}
}

func TestConsistency(t *testing.T) {
	s := newSite(t)
	first := s.get(s.key, "/checkpoint/"+s.size).status(200).body
	s.AddDevice(t, s.Dana, s.Alpha, "desk-1")
	if err := s.Log().Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	open := func(note string) seal.Checkpoint {
		return must(seal.Open([]byte(note), must(s.LogKeys(t.Context())), nil)).Checkpoint
	}
	earlier, later := open(first), open(s.get(s.key, "/checkpoint").status(200).body)
	if later.Size <= earlier.Size {
		t.Fatalf("%d leaves, then %d", earlier.Size, later.Size)
	}
	got := read[consistency](s.get(s.key, "/consistency?from="+s.size+"&to="+strings.Fields(later.Text())[1]))
	if err := seal.CheckConsistency(hashes(t, got.Hashes), earlier, later); err != nil {
		t.Error(err)
	}
}
