package audit

import (
	"net/netip"
	"slices"
	"strings"
)

// admit tells whether one value passes: it is among those asked for, if any
// are, and not among those excluded.
func (v Values) admit(value string) bool {
	return (len(v.Any) == 0 || slices.Contains(v.Any, value)) && !slices.Contains(v.None, value)
}

// admitAny is admit for a condition that several values can meet.
func (v Values) admitAny(values []string) bool {
	meets := func(list []string) bool {
		return slices.ContainsFunc(values, func(s string) bool { return slices.Contains(list, s) })
	}
	return (len(v.Any) == 0 || meets(v.Any)) && !meets(v.None)
}

// matches decides whether an event belongs to the result. The index only
// proposes; this alone decides, on every database alike. Time is not looked
// at: the walk's bounds say it exactly.
func (r resolved) matches(e *Event, log string) bool {
	return e.Log == log &&
		r.Action.admit(e.Action) &&
		r.Outcome.admit(string(e.Outcome)) &&
		r.Type.admit(e.objectType()) &&
		r.Actor.admitAny(e.actors()) &&
		r.Object.admitAny(e.objects()) &&
		r.Via.admit(e.Context.Via) &&
		r.Session.admit(e.Context.Session) &&
		r.Request.admit(e.Context.Request) &&
		r.matchesIP(e.Context.IP) &&
		r.hours.admit(e.Time) &&
		r.matchesText(e)
}

func (r resolved) matchesIP(ip string) bool {
	if len(r.IP.Any) == 0 && len(r.IP.None) == 0 {
		return true
	}
	return (len(r.IP.Any) == 0 || inAny(ip, r.IP.Any)) && !inAny(ip, r.IP.None)
}

// inAny tells whether an address is one of the addresses or in one of the
// networks. An event without an address is in none.
func inAny(ip string, networks []string) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	for _, n := range networks {
		if prefix, err := netip.ParsePrefix(n); err == nil && prefix.Contains(addr.Unmap()) {
			return true
		}
		if one, err := netip.ParseAddr(n); err == nil && one.Unmap() == addr.Unmap() {
			return true
		}
	}
	return false
}

// matchesText wants every word of the text, the words of one phrase in a row,
// and none of the excluded phrases.
func (r resolved) matchesText(e *Event) bool {
	if len(r.Text.Any) == 0 && len(r.Text.None) == 0 {
		return true
	}
	texts := e.texts()
	for _, phrase := range r.Text.Any {
		if !holds(texts, phrase) && !r.renamed.holds(e, phrase) {
			return false
		}
	}
	for _, phrase := range r.Text.None {
		if holds(texts, phrase) {
			return false
		}
	}
	return true
}

// holds tells whether one of the texts has the words of the phrase in a row.
func holds(texts []string, phrase string) bool {
	want := " " + strings.Join(Words(phrase), " ") + " "
	return slices.ContainsFunc(texts, func(t string) bool {
		return strings.Contains(" "+strings.Join(Words(t), " ")+" ", want)
	})
}
