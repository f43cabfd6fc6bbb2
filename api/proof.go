package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/portal"
)

// proofs registers the operations that let a program check the log.
func (s *server) proofs() {
	const note = "text/plain; charset=utf-8"
	newest := s.streamed("get-checkpoint", "/checkpoint", "Get the newest checkpoint", checkpointText, note)
	sized := s.streamed("get-checkpoint-of-size", "/checkpoint/{size}", "Get an earlier checkpoint", "The one over the first `size` leaves, byte for byte, with what witnesses have signed of it since.", note)
	extends := s.operation("get-consistency", "/consistency", "Prove that a checkpoint extends an earlier one", "", consistencyText)
	for _, op := range []*huma.Operation{&newest, &sized, &extends} {
		op.Tags = []string{"Proofs"}
	}
	huma.Register(s.huma, newest, s.getCheckpoint)
	huma.Register(s.huma, sized, s.getCheckpointOf)
	huma.Register(s.huma, extends, s.getConsistency)
}

const (
	checkpointText = "A checkpoint as C2SP tlog-checkpoint has it: origin, number of leaves and root of the log's tree, signed, as plain text. " +
		"Keep it: `onrecord verify --since` proves later that nothing under it was changed. It tells nothing of what happened, so that getting it is not on the record."
	consistencyText = "RFC 6962, section 2.1.2. With it, whoever kept a checkpoint knows that the log only grew since."
)

type checkpointOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) getCheckpoint(ctx context.Context, _ *struct{}) (*checkpointOutput, error) {
	return s.checkpoint(ctx, -1)
}

type checkpointInput struct {
	Size int64 `path:"size" minimum:"1" maximum:"9007199254740991" doc:"Leaves under the checkpoint." example:"14203"`
}

func (s *server) getCheckpointOf(ctx context.Context, in *checkpointInput) (*checkpointOutput, error) {
	return s.checkpoint(ctx, in.Size)
}

func (s *server) checkpoint(ctx context.Context, size int64) (*checkpointOutput, error) {
	h := holder(ctx)
	note, err := s.portal.LogCheckpoint(ctx, h.Caller, h.Team, size)
	if err != nil {
		return nil, s.failed(ctx, err, nil)
	}
	return &checkpointOutput{"text/plain; charset=utf-8", note}, nil
}

type consistencyInput struct {
	From int64 `query:"from" required:"true" minimum:"0" maximum:"9007199254740991" doc:"Leaves under the earlier checkpoint." example:"14100"`
	To   int64 `query:"to" required:"true" minimum:"0" maximum:"9007199254740991" doc:"Leaves under the later one." example:"14203"`
}

type consistency struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes" nullable:"false" doc:"The proof, each hash in base64."`
}

type consistencyOutput struct{ Body consistency }

func (s *server) getConsistency(ctx context.Context, in *consistencyInput) (*consistencyOutput, error) {
	h := holder(ctx)
	proof, err := s.portal.LogConsistency(ctx, h.Caller, h.Team, in.From, in.To)
	if err != nil {
		return nil, s.failed(ctx, err, map[string]string{"from": strconv.FormatInt(in.From, 10), "to": strconv.FormatInt(in.To, 10)})
	}
	return &consistencyOutput{consistency{in.From, in.To, base64s(proof)}}, nil
}

func base64s(hashes []tlog.Hash) []string {
	all := make([]string, len(hashes))
	for i, h := range hashes {
		all[i] = base64.StdEncoding.EncodeToString(h[:])
	}
	return all
}

// ProvedEvent is an event and its proof, once there is one.
type ProvedEvent struct {
	event audit.Event
	proof *portal.LogProof
}

// Schema describes the event with the member proof.
func (ProvedEvent) Schema(r huma.Registry) *huma.Schema {
	if r.Map()["ProvedEvent"] == nil {
		s := eventSchema()
		s.Properties["proof"] = proofSchema()
		s.PrecomputeMessages()
		r.Map()["ProvedEvent"] = s
	}
	return &huma.Schema{Ref: "#/components/schemas/ProvedEvent"}
}

func proofSchema() *huma.Schema {
	sealedPart := object("An erasable half and its salt, or that it was erased.",
		field{"salt", text("base64"), true}, field{"part", &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}, true}, field{"erased", truth(erasedText), true})
	return object("That the event is in the log (RFC 6962, section 2.1.1); absent until a checkpoint signs it, which takes a second.",
		field{"size", number("Leaves under the checkpoint."), false},
		field{"checkpoint", text("The signed note."), false},
		field{"hashes", list(text(""), "From the leaf to the root, each in base64. The leaf's own hash is SHA-256 of a zero byte and the bytes of sealed."), false},
		field{"sealed", &huma.Schema{Type: huma.TypeObject, Description: "The sealed bytes, as docs/event-format.md has them; verbatim in this answer.", AdditionalProperties: true}, false},
		field{"who", sealedPart, false}, field{"what", sealedPart, false})
}

// MarshalJSON adds the proof behind the event's own members. The sealed bytes
// stand there as they are: they are canonical JSON, which no encoder changes
// that escapes nothing needless.
func (e ProvedEvent) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(e.event)
	if err != nil || e.proof == nil {
		return body, err
	}
	head, err := json.Marshal(struct {
		Size       int64    `json:"size"`
		Checkpoint string   `json:"checkpoint"`
		Hashes     []string `json:"hashes"`
	}{e.proof.Size, string(e.proof.Checkpoint), base64s(e.proof.Hashes)})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Write(body[:len(body)-1])
	out.WriteString(`,"proof":`)
	out.Write(head[:len(head)-1])
	out.WriteString(`,"sealed":`)
	out.Write(e.proof.Raw.Body)
	for _, half := range []struct {
		name string
		part *audit.RawPart
	}{{"who", e.proof.Raw.Who}, {"what", e.proof.Raw.What}} {
		out.WriteString(`,"` + half.name + `":`)
		if half.part == nil {
			out.WriteString(`{"erased":true}`)
			continue
		}
		out.WriteString(`{"salt":"` + base64.StdEncoding.EncodeToString(half.part.Salt) + `","part":`)
		out.Write(half.part.Part)
		out.WriteByte('}')
	}
	out.WriteString("}}")
	return out.Bytes(), nil
}
