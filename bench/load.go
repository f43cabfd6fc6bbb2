package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// What real audit logs look like, measured on two logs of cloud services and
// one of a Windows domain. TestLoad holds the generator to it.
const (
	actorCount  = 500
	actorSkew   = 1.6  // exponent of the Zipf law; the busiest does 44 % or more
	objectSkew  = 0.9  // 0.75 to 1.0, a quarter to a half of the objects seen once
	perObject   = 6    // events for each object there is
	repeatShare = 0.2  // the same by the same to the same; 16 to 26 %
	bulkShare   = 0.03 // of the bursts; 30 to 90 % of the events share a second with the one before
	bulkLength  = 110  // events, in about a second
	bulkGap     = time.Second / 110
	systemShare = 0.02 // nobody did it
	manyShare   = 0.01 // with 2 to 10 more objects
)

// actionShares: four fifths only read, one action is rarer than one in a
// thousand.
var actionShares = []struct {
	action string
	share  float64
}{
	{portal.CallViewed, 0.27}, {portal.CallTranscriptExported, 0.27}, {portal.AuditLogViewed, 0.26},
	{portal.MetricValueEdited, 0.08}, {portal.SessionSignedIn, 0.06}, {portal.DeviceBlocked, 0.03},
	{portal.UserRoleChanged, 0.0295}, {rareAction, 0.0005},
}

const rareAction = portal.UserDeleted

// Step is one thing that somebody does.
type Step struct {
	Time   time.Time
	Actor  uint64 // the busiest is 0; or nobody
	Action string
	Object uint64 // the one that most happens to is 0
	More   int    // further objects
}

// nobody is the actor of what the system does by itself.
const nobody = math.MaxUint64

// Load is a source of steps. It belongs to one goroutine.
type Load struct {
	r       *rand.Rand
	actors  *rand.Zipf
	objects uint64
	pause   time.Duration // between bursts, in the middle

	burst int // steps that are left of it
	gap   time.Duration
	actor uint64
	last  Step
}

// NewLoad gives a source that spreads so many steps over so long a time. The
// same seed gives the same steps.
func NewLoad(seed uint64, from time.Time, span time.Duration, steps int) *Load {
	r := rand.New(rand.NewPCG(seed, 0x6c6f6164))
	perBurst := (1-bulkShare)*2 + bulkShare*bulkLength
	return &Load{
		r: r, actors: rand.NewZipf(r, actorSkew, 1, actorCount-1), objects: objectsOf(steps),
		pause: time.Duration(float64(span) * perBurst / float64(max(steps, 1))), last: Step{Time: from},
	}
}

// objectsOf is how many objects so many steps happen to.
func objectsOf(steps int) uint64 { return uint64(max(steps/perObject, 10)) }

// Next gives the next step.
func (l *Load) Next() Step {
	at := l.last.Time.Add(l.wait())
	if l.last.Action != "" && l.r.Float64() < repeatShare {
		l.last.Time = at
		return l.last
	}
	l.last = Step{Time: at, Actor: l.actor, Action: l.action(), Object: zipf(l.r, objectSkew, l.objects)}
	if l.r.Float64() < systemShare {
		l.last.Actor = nobody
	}
	if l.r.Float64() < manyShare {
		l.last.More = 2 + l.r.IntN(9)
	}
	return l.last
}

// wait is the time to the next step. When a burst is over another begins after
// a pause, often of minutes and sometimes of hours, by somebody else.
func (l *Load) wait() time.Duration {
	if l.burst > 0 {
		l.burst--
		return time.Duration(l.r.ExpFloat64() * float64(l.gap))
	}
	l.actor = l.actors.Uint64()
	l.burst, l.gap = l.r.IntN(3), 8*time.Second
	if l.r.Float64() < bulkShare {
		l.burst, l.gap = bulkLength-1, bulkGap
	}
	const spread = 1.5 // of the logarithm
	return time.Duration(math.Exp(l.r.NormFloat64()*spread-spread*spread/2) * float64(l.pause))
}

func (l *Load) action() string {
	x := l.r.Float64()
	for _, a := range actionShares {
		if x -= a.share; x < 0 {
			return a.action
		}
	}
	return actionShares[0].action
}

// zipf gives a number below n, k with a weight of about 1/(k+1)^s, for s other
// than 1. Unlike rand.Zipf it takes exponents below 1.
func zipf(r *rand.Rand, s float64, n uint64) uint64 {
	top := math.Pow(float64(n+1), 1-s) - 1
	k := uint64(math.Pow(1+r.Float64()*top, 1/(1-s))) - 1
	return min(k, n-1)
}

func actorID(i uint64) string { return fmt.Sprintf("user_01kb%022d", i) }
func callID(i uint64) string  { return fmt.Sprintf("call_01kb%022d", i) }

// actorName is written as in real logs: with spaces, brackets, backslashes and
// colons.
func actorName(i uint64) string {
	n := strconv.FormatUint(i, 10)
	switch i % 5 {
	case 1:
		return `CORP\person` + n
	case 2:
		return "arn:aws:iam::111122223333:user/person" + n
	case 3:
		return "Person " + n + " [desk] (day shift)"
	}
	return "Person " + n
}

// callName is what the log calls the call of a customer.
func callName(i uint64) string { return fmt.Sprintf("Call +1 555 %07d", i) }

// Intent is a step as the log takes it.
func (s Step) Intent(log string) audit.Intent {
	in := audit.Intent{
		Log: log, Action: s.Action, Actor: audit.Actor{Type: audit.ActorSystem, Name: "housekeeping"},
		Context: audit.Context{Via: "system"}, Object: s.object(),
	}
	if s.Actor != nobody {
		in.Actor = audit.Actor{Type: audit.ActorUser, ID: actorID(s.Actor), Name: actorName(s.Actor), Email: fmt.Sprintf("person%d@example.com", s.Actor)}
		if s.Actor == 3 && s.Object%2 == 1 {
			in.Actor.Email = "Person3@Example.com" // the same person, typed otherwise
		}
		in.Context = audit.Context{
			IP: fmt.Sprintf("203.0.113.%d", s.Actor%250), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
			Session: fmt.Sprintf("ses_01kb%022d", s.Actor), Request: fmt.Sprintf("req_01kb%022d", s.Time.UnixMicro()), Via: "web",
		}
	}
	for i := range s.More {
		n := (s.Object + uint64(i)) % 200
		in.Related = append(in.Related, audit.Ref{Type: "device", ID: fmt.Sprintf("dev_01kb%022d", n), Name: "desk-" + strconv.FormatUint(n, 10)})
	}
	return in
}

func (s Step) object() audit.Ref {
	few := s.Object % 200 // there are fewer people and devices than calls
	switch s.Action {
	case portal.AuditLogViewed:
		return audit.Ref{}
	case portal.SessionSignedIn, portal.UserRoleChanged, portal.UserDeleted:
		return audit.Ref{Type: "user", ID: actorID(few), Name: actorName(few)}
	case portal.DeviceBlocked:
		return audit.Ref{Type: "device", ID: fmt.Sprintf("dev_01kb%022d", few), Name: "desk-" + strconv.FormatUint(few, 10)}
	}
	return audit.Ref{Type: "call", ID: callID(s.Object), Name: callName(s.Object)}
}

// reads tells whether an action discloses and changes nothing.
func reads(action string) bool {
	return slices.Contains([]string{portal.CallViewed, portal.CallTranscriptExported, portal.AuditLogViewed}, action)
}
