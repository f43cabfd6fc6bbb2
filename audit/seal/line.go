package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// lineKind is what a line of an export is.
type lineKind int

const (
	badLine lineKind = iota
	headerLine
	eventLine
	skipLine
	manifestLine
)

// line is what was read of a line.
type line struct {
	kind lineKind
	err  error // what is wrong with the line itself; of an event, its place may still be known

	leaf             int64     // of an event; -1 if it cannot be told
	event            string    // its id; kept only beside an error
	stated, computed tlog.Hash // of an event: what the line says, and what its bytes hash to
	recorded         [27]byte  // the text of its time
	whoErased        bool
	whatErased       bool
	unread           bool // an event of a later version

	levels []int // of skipped subtrees
	hashes []tlog.Hash

	header   Header
	manifest Manifest
}

// lineReader reads lines one after the other; each worker has its own.
type lineReader struct {
	log string // whose events there may be; "" until the header was read
	sum hash.Hash
}

const (
	whoDomain  = "onrecord/v1/who\x00"
	whatDomain = "onrecord/v1/what\x00"
	version    = 1
)

func newLineReader(log string) *lineReader { return &lineReader{log: log, sum: sha256.New()} }

// read reads one line, without its line feed.
func (r *lineReader) read(b []byte) (l line) {
	l.leaf = -1
	if len(b) > 0 && b[len(b)-1] == '\r' {
		l.err = errors.New("it ends in a carriage return before the line feed: line ends were changed, every byte of an export counts")
		l.rescue(b)
		return l
	}
	c := &canonical{b: b}
	var err error
	switch {
	case bytes.HasPrefix(b, []byte(`{"event":`)):
		l.kind = eventLine
		err = r.readEvent(c, &l)
	case bytes.HasPrefix(b, []byte(`{"checkpoint":`)):
		l.kind = headerLine
		err = readHeader(c, &l)
	case bytes.HasPrefix(b, []byte(`{"hashes":`)):
		l.kind = skipLine
		err = readSkip(c, &l)
	case bytes.HasPrefix(b, []byte(`{"bytes":`)):
		l.kind = manifestLine
		err = readManifest(c, &l)
	default:
		err = errors.New("it is none of header, event, skipped leaves and manifest")
	}
	if err == nil {
		err = c.end()
	}
	if err == nil {
		err = checkUTF8(b)
	}
	if err != nil {
		l.err = err
		l.rescue(b)
	}
	return l
}

// rescue finds out which event a line was meant to hold, to name it. It is
// asked only of lines that are wrong.
func (l *line) rescue(b []byte) {
	if len(b) > MaxLine || !bytes.Contains(b, []byte(`"event"`)) {
		return
	}
	loose := struct {
		Event struct{ ID string }
		Hash  string
		Leaf  *int64
	}{}
	// What a line that does not parse says is not known.
	if json.Unmarshal(b, &loose) == nil && loose.Leaf != nil {
		l.kind, l.leaf, l.event = eventLine, *loose.Leaf, clip(loose.Event.ID)
		l.stated, _ = parseHash(loose.Hash)
	}
}

// sealed is what is read of an event's bytes.
type sealed struct {
	id, log, who, what, recorded []byte
	v                            int64
}

type sealedPart struct {
	part   []byte
	salt   []byte
	erased bool
}

func (r *lineReader) readEvent(c *canonical, l *line) error {
	var e sealed
	var body []byte
	var who, what sealedPart
	var stated []byte
	seen := make([]byte, 0, 8)
	err := c.object(func(name []byte) (bool, error) {
		seen = append(seen, name[0])
		var err error
		switch string(name) {
		case "event":
			begin := c.at
			err = e.read(c)
			body = c.b[begin:c.at]
		case "hash":
			stated, err = c.text()
		case "leaf":
			l.leaf, err = c.number()
		case "what":
			err = what.read(c)
		case "who":
			err = who.read(c)
		default:
			return false, c.wrong(fmt.Sprintf("no event has a member %q", name))
		}
		return true, err
	})
	if err != nil {
		return err
	}
	if string(seen) != "ehlww" {
		return errors.New("the line of an event has the members event, hash, leaf, what and who")
	}
	if l.stated, err = parseHash(string(stated)); err != nil {
		return fmt.Errorf("the member hash: %w", err)
	}
	l.computed = r.leafHash(body)
	l.whoErased, l.whatErased, l.unread = who.erased, what.erased, e.v != version
	copy(l.recorded[:], e.recorded)
	if err := r.checkEvent(&e, &who, &what); err != nil {
		l.event = string(e.id)
		return err
	}
	if l.computed != l.stated {
		l.event = string(e.id)
	}
	return nil
}

// read steps over sealed bytes and notes what is asked of them.
func (e *sealed) read(c *canonical) error {
	return c.object(func(name []byte) (bool, error) {
		var into *[]byte
		switch string(name) {
		case "id":
			into = &e.id
		case "log":
			into = &e.log
		case "recorded":
			into = &e.recorded
		case "what":
			into = &e.what
		case "who":
			into = &e.who
		case "v":
			var err error
			if c.at < len(c.b) && c.b[c.at] >= '0' && c.b[c.at] <= '9' {
				e.v, err = c.number()
			} else {
				err = c.wrong("the version v is a number")
			}
			return true, err
		default:
			return false, nil
		}
		var err error
		*into, err = c.text()
		return true, err
	})
}

func (p *sealedPart) read(c *canonical) error {
	err := c.object(func(name []byte) (bool, error) {
		var err error
		switch string(name) {
		case "part":
			begin := c.at
			err = c.object(nil)
			p.part = c.b[begin:c.at]
		case "salt":
			p.salt, err = c.text()
		case "erased":
			if !bytes.HasPrefix(c.b[c.at:], []byte("true")) {
				return false, c.wrong("erased is true, or it is not there")
			}
			p.erased = true
			return false, nil
		default:
			return false, c.wrong(fmt.Sprintf("no part has a member %q", name))
		}
		return true, err
	})
	if err == nil && (p.erased == (p.part != nil) || p.erased == (p.salt != nil)) {
		err = c.wrong("a part has either part and salt, or erased")
	}
	return err
}

// checkEvent compares what belongs together within an event's line.
func (r *lineReader) checkEvent(e *sealed, who, what *sealedPart) error {
	switch {
	case len(e.id) == 0 || len(e.log) == 0 || e.v < version:
		return errors.New("the event has not the members v, id and log, which events of every version have")
	case r.log != "" && string(e.log) != r.log:
		return fmt.Errorf("the event is of the log %s, the export is of %s", clip(string(e.log)), r.log)
	case e.v > version:
		return nil // its parts may be made in another way
	case len(e.recorded) != len("2006-01-02T15:04:05.000000Z"):
		return errors.New("the event does not say when it was recorded")
	}
	if err := r.checkPart("who", whoDomain, who, e.who); err != nil {
		return err
	}
	return r.checkPart("what", whatDomain, what, e.what)
}

func (r *lineReader) checkPart(name, domain string, p *sealedPart, commitment []byte) error {
	want, err := parseHash(string(commitment))
	if err != nil {
		return fmt.Errorf("the sealed bytes commit to no part %s: %w", name, err)
	}
	if p.erased {
		return nil
	}
	salt, err := parseHash(string(p.salt))
	if err != nil {
		return fmt.Errorf("the salt of the part %s: %w", name, err)
	}
	r.sum.Reset()
	r.sum.Write([]byte(domain))
	r.sum.Write(salt[:])
	r.sum.Write(p.part)
	var have tlog.Hash
	r.sum.Sum(have[:0])
	if have != want {
		return fmt.Errorf("the part %s is not the one that the sealed bytes commit to: it or its salt was changed, or it is another event's", name)
	}
	return nil
}

func (r *lineReader) leafHash(body []byte) (h tlog.Hash) {
	r.sum.Reset()
	r.sum.Write([]byte{0})
	r.sum.Write(body)
	r.sum.Sum(h[:0])
	return h
}

// unquote gives the text that stands between quotes in canonical JSON.
func unquote(raw []byte) (string, error) {
	var s string
	err := json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s)
	return s, err
}

func readHeader(c *canonical, l *line) error {
	format := ""
	err := c.object(func(name []byte) (bool, error) {
		raw, err := c.text()
		if err != nil {
			return true, err
		}
		s, err := unquote(raw)
		switch string(name) {
		case "checkpoint":
			l.header.Checkpoint = []byte(s)
		case "format":
			format = s
		case "log":
			l.header.Log = s
		case "query":
			l.header.Query = s
			if s == "" {
				return true, c.wrong("an export without a query has no member query")
			}
		default:
			return true, c.wrong(fmt.Sprintf("no header has a member %q", name))
		}
		return true, err
	})
	switch {
	case err != nil:
		return err
	case format != ExportFormat:
		return fmt.Errorf("the format is %q; this program reads %s", clip(format), ExportFormat)
	case l.header.Log == "" || len(l.header.Checkpoint) == 0:
		return errors.New("the header names no log, or has no checkpoint")
	}
	return nil
}

func readSkip(c *canonical, l *line) error {
	err := c.object(func(name []byte) (bool, error) {
		switch string(name) {
		case "hashes":
			return true, c.elements(func() error {
				raw, err := c.text()
				if err != nil {
					return err
				}
				h, err := parseHash(string(raw))
				l.hashes = append(l.hashes, h)
				return err
			})
		case "skip":
			return true, c.elements(func() error {
				if c.at >= len(c.b) || c.b[c.at] < '0' || c.b[c.at] > '9' {
					return c.wrong("the height of a subtree is a number")
				}
				n, err := c.number()
				if err == nil && n > 62 {
					err = c.wrong("no subtree is so high")
				}
				l.levels = append(l.levels, int(n))
				return err
			})
		}
		return true, c.wrong(fmt.Sprintf("skipped leaves have no member %q", name))
	})
	if err == nil && (len(l.levels) == 0 || len(l.levels) != len(l.hashes)) {
		err = errors.New("skipped leaves have as many hashes as heights, and at least one")
	}
	return err
}

// elements walks over a list.
func (c *canonical) elements(each func() error) error {
	if c.at >= len(c.b) || c.b[c.at] != '[' {
		return c.wrong("a list is missing here")
	}
	c.at++
	for first := true; ; first = false {
		if c.at < len(c.b) && c.b[c.at] == ']' && (first || c.b[c.at-1] != ',') {
			c.at++
			return nil
		}
		if !first {
			if err := c.expect(','); err != nil {
				return err
			}
		}
		if err := each(); err != nil {
			return err
		}
	}
}

func readManifest(c *canonical, l *line) error {
	seen := 0
	err := c.object(func(name []byte) (bool, error) {
		seen++
		var err error
		if string(name) == "sha256" {
			var raw []byte
			raw, err = c.text()
			l.manifest.SHA256 = string(raw)
			return true, err
		}
		if c.at >= len(c.b) || c.b[c.at] < '0' || c.b[c.at] > '9' {
			return true, c.wrong("a number is missing here")
		}
		n, err := c.number()
		switch string(name) {
		case "bytes":
			l.manifest.Bytes = n
		case "events":
			l.manifest.Events = n
		default:
			err = c.wrong(fmt.Sprintf("no manifest has a member %q", name))
		}
		return true, err
	})
	if err != nil {
		return err
	}
	sum, err := hex.DecodeString(l.manifest.SHA256)
	if seen != 3 || err != nil || len(sum) != sha256.Size || strings.ToLower(l.manifest.SHA256) != l.manifest.SHA256 {
		return errors.New("a manifest has the members bytes, events and sha256, the last in 64 hexadecimal digits")
	}
	return nil
}
