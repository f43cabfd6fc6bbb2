package portal

import (
	"slices"
	"strings"

	"onrecord/audit"
)

// StarterViews are views that everybody has without saving any. Those of
// actions follow the catalogue.
func StarterViews() []SavedView {
	return []SavedView{
		{Name: "Access to transcripts", Query: ofActions(func(id string) bool { return id == CallViewed || id == CallTranscriptExported })},
		{Name: "Permission changes", Query: ofActions(changesPermission)},
		{Name: "Deletions", Query: ofActions(func(id string) bool { return strings.HasSuffix(id, ".deleted") && id != SavedViewDeleted })},
		{Name: "Refused attempts", Query: audit.Filter{Outcome: audit.Values{Any: []string{string(audit.OutcomeDenied)}}}.String()},
		{Name: "Outside working hours", Query: audit.Filter{Hours: audit.Values{None: []string{"mon-fri/08:00-18:00"}}}.String()},
		{Name: "Exports", Query: ofActions(func(id string) bool { return strings.HasSuffix(id, "exported") })},
	}
}

// changesPermission tells the actions after which somebody may do more or less
// than before.
func changesPermission(id string) bool {
	return slices.Contains([]string{UserCreated, UserRoleChanged, UserDeleted, UserBlocked, UserUnblocked, UserLinkCreated, APIKeyCreated, APIKeyRevoked}, id)
}

// ofActions is the query for the actions of the catalogue that are wanted.
func ofActions(wanted func(id string) bool) string {
	var ids []string
	for _, a := range Catalogue.All() {
		if wanted(a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return audit.Filter{Action: audit.Values{Any: ids}}.String()
}
