package transcript

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Options supply what calls lack and say how they are read. Each is used only
// for calls that do not say it themselves.
type Options struct {
	TimeZone  *time.Location // of clocks that name none; nil is UTC
	StartedAt *time.Time     // --started-at
	Agent     string         // --agent
	Customer  string         // --customer
	Direction string         // --direction
	MaxLine   int64          // longest line, or WebVTT file, in bytes; 0 is DefaultMaxLine
}

// DefaultMaxLine is the longest line (and the largest WebVTT file) that is
// read unless told: 64 MiB, some hundreds of hours of talk.
const DefaultMaxLine = 64 << 20

func (o Options) maxLine() int64 {
	if o.MaxLine > 0 {
		return o.MaxLine
	}
	return DefaultMaxLine
}

const (
	maxName = 500                                // characters of an id or a name
	maxTime = 100*time.Hour/time.Millisecond - 1 // of a turn, in milliseconds
)

// draft is a call as a file tells it, not yet checked. Its tags are the shape
// of a line of JSON.
type draft struct {
	ID        *string      `json:"id"`
	StartedAt *string      `json:"started_at"`
	EndedAt   *string      `json:"ended_at"`
	Agent     *string      `json:"agent"`
	Customer  *string      `json:"customer"`
	Direction *string      `json:"direction"`
	Device    *string      `json:"device"`
	Topic     *string      `json:"topic"`
	Turns     *[]draftTurn `json:"turns"`
}

type draftTurn struct {
	Speaker *string `json:"speaker"`
	StartMS *int64  `json:"start_ms"`
	EndMS   *int64  `json:"end_ms"`
	Text    *string `json:"text"`

	line int // of its own, if the call has several
}

// call checks a draft by the rules of the package.
func (d *draft) call(o Options) (Call, *Error) {
	if err := d.complete(o); err != nil {
		return Call{}, err
	}
	c := Call{SourceID: strings.TrimSpace(*d.ID)}
	var err *Error
	for _, f := range []struct {
		name  string
		from  *string
		to    *string
		plain bool // as it is; otherwise white space within counts as one space
	}{
		{"id", d.ID, &c.SourceID, true},
		{"agent", d.Agent, &c.Agent, false},
		{"customer", d.Customer, &c.Customer, false},
		{"device", d.Device, &c.Device, false},
		{"topic", d.Topic, &c.Topic, false},
	} {
		if f.from == nil {
			continue
		}
		if err := checkName(f.name, *f.from); err != nil {
			return Call{}, err
		}
		*f.to = name(*f.from)
		if f.plain {
			*f.to = strings.TrimSpace(*f.from)
		}
	}
	if c.Direction = strings.ToLower(strings.TrimSpace(*d.Direction)); c.Direction != Inbound && c.Direction != Outbound {
		return Call{}, wrong("direction", *d.Direction, "must be inbound or outbound")
	}
	if err := d.times(&c, o); err != nil {
		return Call{}, err
	}
	c.Turns, err = d.turns(c)
	return c, err
}

// complete takes from the options what the draft lacks and names what is
// missing then.
func (d *draft) complete(o Options) *Error {
	supply := func(to **string, from string) {
		if blank(*to) && from != "" {
			*to = &from
		}
	}
	supply(&d.Agent, o.Agent)
	supply(&d.Customer, o.Customer)
	supply(&d.Direction, o.Direction)
	if o.StartedAt != nil {
		supply(&d.StartedAt, o.StartedAt.UTC().Format(time.RFC3339Nano))
	}
	var fields, flags []string
	for _, f := range []struct {
		name    string
		missing bool
		flag    string
	}{
		{"id", blank(d.ID), ""},
		{"started_at", blank(d.StartedAt), "--started-at"},
		{"agent", blank(d.Agent), "--agent"},
		{"customer", blank(d.Customer), "--customer"},
		{"direction", blank(d.Direction), "--direction"},
		{"turns", d.Turns == nil, ""},
	} {
		if f.missing {
			fields = append(fields, f.name)
			if f.flag != "" {
				flags = append(flags, f.flag)
			}
		}
	}
	if len(fields) == 0 {
		return nil
	}
	err := wrong(strings.Join(fields, ", "), "", "missing; the file must say it")
	if len(flags) > 0 {
		err.Flag = strings.Join(flags, ", ")
		err.Message += ", or " + strings.Join(flags, " and ") + " for all calls that do not"
	}
	return err
}

func blank(s *string) bool { return s == nil || strings.TrimSpace(*s) == "" }

func (d *draft) times(c *Call, o Options) *Error {
	var err error
	if c.StartedAt, err = parseTime(*d.StartedAt, o.TimeZone); err != nil {
		return wrong("started_at", *d.StartedAt, "%s", err)
	}
	if blank(d.EndedAt) {
		return nil
	}
	if c.EndedAt, err = parseTime(*d.EndedAt, o.TimeZone); err != nil {
		return wrong("ended_at", *d.EndedAt, "%s", err)
	}
	if c.EndedAt.Before(c.StartedAt) {
		return wrong("ended_at", *d.EndedAt, "is before started_at, which is %s", c.StartedAt.Format(time.RFC3339Nano))
	}
	return nil
}

func (d *draft) turns(c Call) ([]Turn, *Error) {
	turns := make([]Turn, len(*d.Turns))
	starts := true
	for i, t := range *d.Turns {
		var err *Error
		if turns[i], err = t.turn(c); err != nil {
			err.Field = turnField(i, err.Field)
			err.Line = t.line
			return nil, err
		}
		starts = starts && t.StartMS != nil
	}
	if starts {
		slices.SortStableFunc(turns, func(a, b Turn) int { return cmp.Compare(*a.Start, *b.Start) })
	}
	return turns, nil
}

func (t draftTurn) turn(c Call) (Turn, *Error) {
	switch {
	case blank(t.Speaker):
		return Turn{}, wrong("speaker", "", "missing; it is agent, customer, action or a name")
	case t.Text == nil:
		return Turn{}, wrong("text", "", `missing; it is what was said, "" if nothing`)
	case t.EndMS != nil && t.StartMS == nil:
		return Turn{}, wrong("start_ms", "", "missing, but there is an end_ms; give both, start_ms alone, or none")
	}
	if err := checkName("speaker", *t.Speaker); err != nil {
		return Turn{}, err
	}
	if r, found := control(*t.Text, "\t\n\r"); found {
		return Turn{}, wrong("text", "", "holds the control character %U; only tab and line break may stand in a text", r)
	}
	turn := Turn{Speaker: c.speaker(name(*t.Speaker)), Text: *t.Text}
	var err *Error
	if turn.Start, err = turnTime("start_ms", t.StartMS); err != nil {
		return Turn{}, err
	}
	if turn.End, err = turnTime("end_ms", t.EndMS); err != nil {
		return Turn{}, err
	}
	if turn.End != nil && *turn.End < *turn.Start {
		return Turn{}, wrong("end_ms", decimal(*t.EndMS), "is before start_ms, which is %d", *t.StartMS)
	}
	return turn, nil
}

func turnTime(field string, ms *int64) (*time.Duration, *Error) {
	if ms == nil {
		return nil, nil
	}
	if *ms < 0 || *ms > int64(maxTime) {
		return nil, wrong(field, decimal(*ms), "must be 0 to %d: it counts milliseconds from the start of the call", int64(maxTime))
	}
	at := time.Duration(*ms) * time.Millisecond
	return &at, nil
}

// speaker gives the side that a speaker's name stands for, or the name.
func (c Call) speaker(name string) string {
	for _, role := range []string{Agent, Customer, Action} {
		if strings.EqualFold(name, role) {
			return role
		}
	}
	agent, customer := strings.EqualFold(name, c.Agent), strings.EqualFold(name, c.Customer)
	switch {
	case agent && !customer:
		return Agent
	case customer && !agent:
		return Customer
	}
	return name
}

// name makes one space of any white space.
func name(s string) string { return strings.Join(strings.Fields(s), " ") }

func checkName(field, s string) *Error {
	if r, found := control(strings.TrimSpace(s), ""); found {
		return wrong(field, s, "holds the control character %U; a name is plain text on one line", r)
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(s)); n > maxName {
		return wrong(field, s, "has %d characters; at most %d may stand there", n, maxName)
	}
	return nil
}

// control finds a control character other than those allowed.
func control(s, allowed string) (rune, bool) {
	for _, r := range s {
		if unicode.IsControl(r) && !strings.ContainsRune(allowed, r) {
			return r, true
		}
	}
	return 0, false
}

// fileID is the id of a call whose file does not tell: the file's name.
func fileID(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}
