package web

import (
	"testing"

	"onrecord/audit"
	"onrecord/portal"
)

// One entry in the catalogue is all that a new action needs: the page, its
// filter menu, the sentence of an event and the filter itself follow from it.
func TestOneEntryIsEverywhere(t *testing.T) {
	before := portal.Catalogue
	t.Cleanup(func() { portal.Catalogue = before })
	portal.Catalogue = audit.MustCatalogue(append(before.All(), audit.Action{
		ID: "call.praised", Label: "Praised call", Group: "Call session", Objects: []string{"call"},
		Doc: "Somebody praised a call.",
	})...)

	s := newSite(t)
	event, err := s.Log().Note(t.Context(), audit.Intent{
		Log: s.Alpha, Actor: s.Dana.Actor, Context: s.Dana.Context, Action: "call.praised", Object: audit.Ref{Type: "call", ID: s.call, Name: "Customer one"},
	})
	if err != nil {
		t.Fatal(err)
	}
	logs := "/t/" + s.Alpha + "/settings/security/audit-logs"
	b := s.as(s.Alpha, s.Dana)
	b.get(logs).status(200).has("Praised call", `value="call.praised"`, event)
	b.follow(b.get(logs+"?action=call.praised")).status(200).has("Praised call", event)
	b.get(logs + "?q=action%3Acall.praised").status(200).has(event)
	b.get(logs+"/"+event).status(200).has("Praised call", "Somebody praised a call.")
	s.Passed()
}
