package demo

import (
	"context"
	"fmt"
	"iter"
	"math"
	"sort"
	"time"

	"onrecord/portal"
	"onrecord/portal/transcript"
)

// call is a call of a team.
type call struct {
	source   string
	topic    string
	customer string
	arrived  time.Time // in the portal
	id       string    // once it is there
	deleted  bool
}

func (c *call) key() string { return "call " + c.source }

// record plans the calls of a day and that they arrive in the night after it.
func (t *team) record(day time.Time, count int) {
	arrive := day.Add(22*time.Hour + t.between(0, 40*time.Minute))
	if count == 0 || arrive.After(t.now) {
		return
	}
	var batch []transcript.Call
	var known []*call
	writes := []string{}
	for i := range count {
		started := day.Add(t.between(8*time.Hour, 19*time.Hour))
		c := &call{source: fmt.Sprintf("bw-%s-%s-%02d", initials(t.name), day.Format("20060102"), i+1), arrived: arrive}
		c.topic = topics[t.zipf(len(topics), 0.8)]
		told := t.content(c, started)
		c.customer = told.Customer
		batch = append(batch, told)
		known = append(known, c)
		writes = append(writes, c.key())
	}
	t.heard = append(t.heard, known...)
	t.add(arrive, "importing calls", []string{t.key()}, writes, func(ctx context.Context, d *desk) error {
		n := 0
		counts, err := d.Import(ctx, t.recorder.from(arrive), t.id, all(batch), func(told portal.Imported) {
			known[n].id = told.ID
			n++
		})
		if err == nil && counts.New != len(known) {
			err = fmt.Errorf("of %d calls arrived %+v", len(known), counts)
		}
		return err
	})
}

func initials(name string) string { return string(name[0]|0x20) + string(name[len(name)-1]) }

func all(calls []transcript.Call) iter.Seq2[transcript.Call, error] {
	return func(yield func(transcript.Call, error) bool) {
		for _, c := range calls {
			if !yield(c, nil) {
				return
			}
		}
	}
}

var callers = []string{"Harriet Moss", "Daniel Osei", "Eva Lindqvist", "Paul Reyes", "Miriam Stone", "Kenji Mori", "Olga Danek", "Peter Hughes", "Aisha Rahman", "Bruno Conti"}

// content makes what the recording system tells of a call.
func (t *team) content(c *call, started time.Time) transcript.Call {
	agents := t.agents()
	agent := agents[t.zipf(len(agents), 0.7)]
	turns := converse(t.random, agent.name, pick(t.random, callers...), c.topic)
	content := transcript.Call{
		Place: c.source, SourceID: c.source, StartedAt: started.Truncate(time.Second), Agent: agent.name,
		// 555-0100 to 555-0199 belong to nobody.
		Customer:  fmt.Sprintf("+1 %d 555 01%02d", pick(t.random, 202, 312, 415, 617, 646), t.random.IntN(100)),
		Direction: transcript.Inbound, Topic: c.topic, Turns: turns,
	}
	if t.chance(0.25) {
		content.Direction = transcript.Outbound
	}
	content.EndedAt = content.StartedAt.Add(*turns[len(turns)-1].End + time.Second)
	for _, dev := range t.devices {
		if dev.owner == agent {
			content.Device = dev.hostname
		}
	}
	return content
}

// agents are those who answer calls.
func (t *team) agents() (all []*person) {
	for _, p := range t.people {
		if p.role == portal.Agent {
			all = append(all, p)
		}
	}
	return all
}

// zipf gives an index below n, at most 1,000; the i-th comes with a weight of
// 1/(i+1)^s. Unlike rand.Zipf it takes any s above 0.
func (c *center) zipf(n int, s float64) int {
	sums := c.weights[s]
	if sums == nil {
		sums = make([]float64, 1000)
		total := 0.0
		for i := range sums {
			total += math.Pow(float64(i+1), -s)
			sums[i] = total
		}
		c.weights[s] = sums
	}
	n = min(n, len(sums))
	return min(sort.SearchFloat64s(sums[:n], c.random.Float64()*sums[n-1]), n-1)
}
