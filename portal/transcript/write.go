package transcript

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// header gives what is known of a call beside its turns, under the names of
// WebVTT comments.
func (c Call) header() []headerField {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return []headerField{
		{"id", c.SourceID}, {"started-at", at(c.StartedAt)}, {"ended-at", at(c.EndedAt)}, {"agent", c.Agent},
		{"customer", c.Customer}, {"direction", c.Direction}, {"device", c.Device}, {"topic", c.Topic},
	}
}

type headerField struct{ name, value string }

// WriteText writes a call for a person to read: what is known of it, then a
// line a turn, with the time it began where that is known. Further lines of a
// text are indented.
func WriteText(w io.Writer, c Call) error {
	var b bytes.Buffer
	for _, f := range c.header() {
		if f.value != "" {
			fmt.Fprintf(&b, "%-12s%s\n", f.name+":", f.value)
		}
	}
	b.WriteString("\n")
	newline := strings.NewReplacer("\r\n", "\n    ", "\r", "\n    ", "\n", "\n    ")
	for _, t := range c.Turns {
		if t.Start != nil {
			fmt.Fprintf(&b, "[%s] ", clock(*t.Start))
		}
		fmt.Fprintf(&b, "%s: %s\n", t.Speaker, newline.Replace(t.Text))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteJSON writes a call as one line of JSON Lines, which [Reader] reads
// again as the same call.
func WriteJSON(w io.Writer, c Call) error {
	b, err := json.Marshal(record(c), json.OmitZeroStructFields(true))
	if err != nil {
		return fmt.Errorf("writing the call %q as JSON: %w", c.SourceID, err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// record is the draft that a file with this call gives.
func record(c Call) draft {
	turns := records(c.Turns)
	d := draft{Turns: &turns}
	h := c.header()
	for i, to := range []**string{&d.ID, &d.StartedAt, &d.EndedAt, &d.Agent, &d.Customer, &d.Direction, &d.Device, &d.Topic} {
		if h[i].value != "" {
			*to = &h[i].value
		}
	}
	return d
}

func records(turns []Turn) []draftTurn {
	all := make([]draftTurn, len(turns))
	for i, t := range turns {
		all[i] = draftTurn{Speaker: &t.Speaker, StartMS: milliseconds(t.Start), EndMS: milliseconds(t.End), Text: &t.Text}
	}
	return all
}

// MarshalTurns gives the form in which the turns of a call are stored: a JSON
// array of {"end_ms","speaker","start_ms","text"}, a time that is unknown being
// left out, in the canonical form of RFC 8785, so that the same turns are the
// same bytes in every version. It fails on text that is not valid UTF-8.
func MarshalTurns(turns []Turn) ([]byte, error) {
	b, err := json.Marshal(records(turns), json.OmitZeroStructFields(true))
	if err != nil {
		return nil, fmt.Errorf("storing turns: %w", err)
	}
	if err := (*jsontext.Value)(&b).Canonicalize(); err != nil {
		return nil, fmt.Errorf("storing turns: %w", err)
	}
	return b, nil
}

// UnmarshalTurns reads what [MarshalTurns] wrote.
func UnmarshalTurns(b []byte) ([]Turn, error) {
	var stored []draftTurn
	if err := json.Unmarshal(b, &stored, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("reading stored turns: %w", err)
	}
	turns := make([]Turn, len(stored))
	for i, t := range stored {
		if t.Speaker == nil || t.Text == nil {
			return nil, fmt.Errorf("reading stored turns: %s has no speaker or no text", turnField(i, ""))
		}
		turns[i] = Turn{Speaker: *t.Speaker, Start: duration(t.StartMS), End: duration(t.EndMS), Text: *t.Text}
	}
	return turns, nil
}

func duration(ms *int64) *time.Duration {
	if ms == nil {
		return nil
	}
	d := time.Duration(*ms) * time.Millisecond
	return &d
}
