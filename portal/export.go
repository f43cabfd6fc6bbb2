package portal

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"onrecord/audit"
	"onrecord/portal/transcript"
)

// File is a document that leaves the portal.
type File struct {
	Name        string // printable ASCII without quotes or folders
	ContentType string
	Body        []byte
}

// TranscriptFormat is a way to write a transcript.
type TranscriptFormat struct {
	ID          string // "txt": also the end of the file's name
	Label       string // as people choose it
	ContentType string
	write       func(io.Writer, transcript.Call) error
}

// TranscriptFormats are all of them, in the order of menus.
var TranscriptFormats = []TranscriptFormat{
	{"txt", "Text (.txt)", "text/plain; charset=utf-8", transcript.WriteText},
	{"vtt", "WebVTT (.vtt)", "text/vtt; charset=utf-8", transcript.WriteWebVTT},
	{"json", "JSON (.json)", "application/json; charset=utf-8", transcript.WriteJSON},
}

// ExportTranscript writes a call's transcript as txt, vtt or json. What vtt
// and json hold can be imported again as the same call.
//
// Permission: Admin. Event: call.transcript_exported with the format in its
// data, durable before the file is returned. Errors: Invalid for an unknown
// format, Denied, NotFound, Gone.
func (p *Portal) ExportTranscript(ctx context.Context, by Caller, team, call, format string) (File, error) {
	f, err := transcriptFormat(format)
	if err != nil {
		return File{}, err
	}
	in := p.intentOn(by, team, CallTranscriptExported, "call", call, "")
	in.Data = joined(in.Data, "format", f.ID)
	var file File
	_, err = p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		c, err := storedCall(ctx, tx, team, call)
		if err != nil {
			return err
		}
		if !c.Deleted.IsZero() {
			return gone(c.Deleted)
		}
		tx.SetObject(callOf(c).Ref())
		turns, err := turnsOf(ctx, tx, team, call)
		if err != nil {
			return err
		}
		var body bytes.Buffer
		err = f.write(&body, transcript.Call{
			SourceID: c.SourceID, StartedAt: c.Started, EndedAt: c.Ended, Agent: c.Agent, Customer: c.Customer,
			Direction: c.Direction, Device: c.Device, Topic: c.Topic, Turns: turns,
		})
		if err != nil {
			return fmt.Errorf("writing the transcript of %s: %w", call, err)
		}
		file = File{Name: call + "." + f.ID, ContentType: f.ContentType, Body: body.Bytes()}
		return nil
	})
	if err != nil {
		return File{}, err
	}
	return file, nil
}

func transcriptFormat(id string) (TranscriptFormat, error) {
	for _, f := range TranscriptFormats {
		if f.ID == id {
			return f, nil
		}
	}
	return TranscriptFormat{}, audit.Invalid("format", "The format %q is not known: it is txt, vtt or json.", clip(id))
}
