package web

import (
	"cmp"
	"strings"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// logRefs turns actors and objects of a team's log into links to their place.
type logRefs struct {
	team   string
	places map[string]portal.Place
}

// places looks up what has become of everything that some events name.
func (v *visit) places(events ...audit.Event) (logRefs, error) {
	var refs []audit.Ref
	for _, e := range events {
		if a := e.Actor; a != nil && (a.Type == audit.ActorUser || a.Type == audit.ActorAPIKey) && a.ID != "" {
			refs = append(refs, audit.Ref{Type: string(a.Type), ID: a.ID})
		}
		if e.Object != nil {
			refs = append(refs, *e.Object)
		}
		refs = append(refs, e.Related...)
	}
	places, err := v.portal.Where(v.ctx(), v.team(), refs...)
	return logRefs{v.team(), places}, err
}

// link is the address of something's place in the portal and whether it is
// deleted; "" if it has none.
func (l logRefs) link(typ, id string) (url string, deleted bool) {
	p := l.places[id]
	if p.State == portal.Nowhere {
		return "", false
	}
	switch typ {
	case "call", "user", "device":
		return teamPath(l.team, typ+"s", id), p.State == portal.Deleted
	case "api_key":
		return keyPath(l.team) + "#" + id, false
	case "saved_view":
		return teamPath(l.team, "settings", "security", "audit-logs", "views"), p.State == portal.Deleted
	case "metric":
		return teamPath(l.team, "metrics"), false
	case "export":
		return teamPath(l.team, "settings", "security", "audit-logs", "export", id), false
	case "team":
		return teamPath(l.team, "settings"), false
	}
	return "", false
}

func (l logRefs) actor(e *audit.Event) view.AuditRef {
	if e.Actor == nil {
		return view.AuditRef{Name: "unknown"}
	}
	a := *e.Actor
	ref := view.AuditRef{Kind: string(a.Type), Name: cmp.Or(a.Name, a.Email, a.ID), Erased: e.WhoErased}
	switch a.Type {
	case audit.ActorUser:
		ref.URL, ref.Deleted = l.link("user", a.ID)
		ref.Name = cmp.Or(ref.Name, "Not signed in")
	case audit.ActorAPIKey:
		ref.URL, _ = l.link("api_key", a.ID)
		ref.Name = cmp.Or(ref.Name, "Unknown API key")
	}
	ref.Name = cmp.Or(ref.Name, string(a.Type))
	return ref
}

func (l logRefs) object(e *audit.Event) view.AuditRef {
	switch {
	case e.Object != nil:
		ref := l.ref(*e.Object)
		ref.Erased = e.WhatErased
		return ref
	case e.Data["tried"] != "":
		return view.AuditRef{Name: "tried: " + e.Data["tried"]}
	case strings.HasPrefix(e.Action, "audit_log."):
		return view.AuditRef{Kind: "audit_log", Name: "Audit log", URL: logPath(l.team, "")}
	}
	return view.AuditRef{}
}

func (l logRefs) ref(r audit.Ref) view.AuditRef {
	ref := view.AuditRef{Kind: r.Type, Name: cmp.Or(r.Name, r.ID)}
	ref.URL, ref.Deleted = l.link(r.Type, r.ID)
	return ref
}

// row is an event in the list.
func (l logRefs) row(q logQuery, e *audit.Event) view.AuditRow {
	row := view.AuditRow{
		EventURL: strings.Replace(q.event(e.ID), q.path, "audit-logs", 1), Time: e.Time, Actor: l.actor(e), Object: l.object(e), Outcome: outcome(e), Changes: summary(e),
		Action: view.AuditAction{Label: portal.Catalogue.Label(e.Action), ID: e.Action},
	}
	if e.Actor != nil && e.Actor.ID != "" {
		row.Actor.Pick = "actor:" + e.Actor.ID
	}
	if e.Object != nil && e.Object.ID != "" {
		row.Object.Pick = "object:" + e.Object.ID
	}
	return row
}

// outcome is how an event ended, "" if well.
func outcome(e *audit.Event) string {
	if e.Outcome == audit.OutcomeOK {
		return ""
	}
	return string(e.Outcome)
}
