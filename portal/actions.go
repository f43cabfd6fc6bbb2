package portal

import "onrecord/audit"

// The actions of the catalogue. An id never changes: logs hold it for ever.
const (
	CallViewed             = "call.viewed"
	CallTranscriptExported = "call.transcript_exported"
	CallDeleted            = "call.deleted"
	CallRestored           = "call.restored"

	MetricValueEdited = "metric.value_edited"
	MetricValueReset  = "metric.value_reset"
	MetricEnabled     = "metric.enabled"
	MetricDisabled    = "metric.disabled"

	UserCreated     = "user.created"
	UserRoleChanged = "user.role_changed"
	UserDeleted     = "user.deleted"
	UserBlocked     = "user.blocked"
	UserUnblocked   = "user.unblocked"
	DeviceMoved     = "device.moved"
	UserLinkCreated = "user.link_created"

	DeviceAdded      = "device.added"
	DeviceAssigned   = "device.assigned"
	DeviceUnassigned = "device.unassigned"
	DeviceBlocked    = "device.blocked"
	DeviceUnblocked  = "device.unblocked"

	OrganizationCreated = "organization.created"
	TeamCreated         = "team.created"
	TeamRenamed         = "team.renamed"
	TeamPlanChanged     = "team.plan_changed"

	AccountCreated         = "account.created"
	AccountRenamed         = "account.renamed"
	AccountPasswordSet     = "account.password_set"
	AccountPasswordChanged = "account.password_changed"
	SessionSignedIn        = "session.signed_in"
	SessionSignInFailed    = "session.sign_in_failed"
	SessionSignedOut       = "session.signed_out"
	SessionEnded           = "session.ended"
	AccessRefused          = "access.refused"

	APIKeyCreated = "api_key.created"
	APIKeyRevoked = "api_key.revoked"

	SavedViewCreated = "saved_view.created"
	SavedViewChanged = "saved_view.changed"
	SavedViewDeleted = "saved_view.deleted"

	SigningKeyAdded   = "signing_key.added"
	SigningKeyRetired = "signing_key.retired"

	AuditLogViewed      = "audit_log.viewed"
	AuditLogExported    = "audit_log.exported"
	AuditLogExportEnded = "audit_log.export_ended"
	AuditLogVerified    = "audit_log.verified"
	AuditLogFaultFound  = "audit_log.fault_found"

	CallImported = "call.imported"

	DatabaseBackedUp = "database.backed_up"
	DatabaseCopied   = "database.copied"
)

// The headings that actions stand under in menus.
const (
	groupCalls    = "Call session"
	groupMetrics  = "Performance metrics"
	groupUsers    = "User management"
	groupDevices  = "Device management"
	groupSettings = "Settings"
	groupSignIn   = "Sign-in"
	groupLog      = "Audit log"
	groupImport   = "Import"
	groupOperate  = "Operation"
)

// Catalogue is every action of the portal. To add one, add an entry: pages,
// filters and documentation follow from it.
var Catalogue = audit.MustCatalogue(
	audit.Action{ID: CallViewed, Label: "Viewed call", Group: groupCalls, Objects: []string{"call"},
		Doc: "An Admin opened a call with its transcript; recorded before the transcript left the server."},
	audit.Action{ID: CallTranscriptExported, Label: "Exported Call Transcript", Group: groupCalls, Objects: []string{"call"},
		Doc: "An Admin downloaded a call's transcript; the format is in the event's data."},
	audit.Action{ID: CallDeleted, Label: "Deleted call", Group: groupCalls, Objects: []string{"call"},
		Doc: "An Admin deleted a call; it stays in the list of deleted calls and can be restored."},
	audit.Action{ID: CallRestored, Label: "Restore call", Group: groupCalls, Objects: []string{"call"},
		Doc: "An Admin brought a deleted call back."},

	audit.Action{ID: MetricValueEdited, Label: "Edit metric value", Group: groupMetrics, Objects: []string{"call"},
		Doc: "An Admin set a metric's value on a call in place of the computed default; the metric is related to the event."},
	audit.Action{ID: MetricValueReset, Label: "Reset metric value", Group: groupMetrics, Objects: []string{"call"},
		Doc: "An Admin returned a metric on a call to its computed default; the metric is related to the event."},
	audit.Action{ID: MetricEnabled, Label: "Enabled metric", Group: groupMetrics, Objects: []string{"metric"},
		Doc: "An Admin switched a metric on for the team."},
	audit.Action{ID: MetricDisabled, Label: "Disabled metric", Group: groupMetrics, Objects: []string{"metric"},
		Doc: "An Admin switched a metric off for the team; its values stay."},

	audit.Action{ID: UserCreated, Label: "Created new user", Group: groupUsers, Objects: []string{"user"},
		Doc: "Somebody became a member of the team, for the first time or again."},
	audit.Action{ID: UserRoleChanged, Label: "Changed user role", Group: groupUsers, Objects: []string{"user"},
		Doc: "A member's role was changed; every session of theirs ended."},
	audit.Action{ID: UserDeleted, Label: "Deleted user", Group: groupUsers, Objects: []string{"user"},
		Doc: "A member was removed from the team; every session of theirs ended."},
	audit.Action{ID: UserBlocked, Label: "Blocked user", Group: groupUsers, Objects: []string{"user"},
		Doc: "A member was shut out of the team; every session of theirs ended."},
	audit.Action{ID: UserUnblocked, Label: "Unblocked user", Group: groupUsers, Objects: []string{"user"},
		Doc: "A blocked member was let in again."},
	audit.Action{ID: DeviceMoved, Label: "Move device", Group: groupUsers, Objects: []string{"device"},
		Doc: "A device was moved to another team; recorded in both teams' logs, each event naming the other."},
	audit.Action{ID: UserLinkCreated, Label: "Created sign-in link", Group: groupUsers, Objects: []string{"user"},
		Doc: "A one-time link was made with which a member can choose a password and sign in."},

	audit.Action{ID: DeviceAdded, Label: "Added device", Group: groupDevices, Objects: []string{"device"},
		Doc: "A device was added to the team."},
	audit.Action{ID: DeviceAssigned, Label: "Assigned device", Group: groupDevices, Objects: []string{"device"},
		Doc: "A device was given to a member; the member is related to the event."},
	audit.Action{ID: DeviceUnassigned, Label: "Unassigned device", Group: groupDevices, Objects: []string{"device"},
		Doc: "A device was taken back from its member, also when that member was deleted."},
	audit.Action{ID: DeviceBlocked, Label: "Blocked device", Group: groupDevices, Objects: []string{"device"},
		Doc: "A device was blocked; it keeps its member."},
	audit.Action{ID: DeviceUnblocked, Label: "Unblocked device", Group: groupDevices, Objects: []string{"device"},
		Doc: "A blocked device may be used again."},

	audit.Action{ID: OrganizationCreated, Label: "Created organization", Group: groupSettings, Objects: []string{"organization"},
		Doc: "The installation was set up; the organization's log begins here."},
	audit.Action{ID: TeamCreated, Label: "Created team", Group: groupSettings, Objects: []string{"team"},
		Doc: "A team was added; recorded in the organization's log and at the beginning of the team's own."},
	audit.Action{ID: TeamRenamed, Label: "Renamed team", Group: groupSettings, Objects: []string{"team"},
		Doc: "A team's name was changed; recorded in the organization's log and the team's own."},
	audit.Action{ID: TeamPlanChanged, Label: "Changed plan", Group: groupSettings, Objects: []string{"team"},
		Doc: "A team's plan was changed; recorded in the organization's log and the team's own."},

	audit.Action{ID: APIKeyCreated, Label: "Created API key", Group: groupSettings, Objects: []string{"api_key"},
		Doc: "A key of the API was made; its scope, its end and who answers for it are in the event's changes."},
	audit.Action{ID: APIKeyRevoked, Label: "Revoked API key", Group: groupSettings, Objects: []string{"api_key"},
		Doc: "A key of the API was ended at once, also because the person who answers for it was deleted."},

	audit.Action{ID: SigningKeyAdded, Label: "Added signing key", Group: groupSettings, Objects: []string{"signing_key"},
		Doc: "A key began to sign the checkpoints of all logs; its public half is in the event's changes."},
	audit.Action{ID: SigningKeyRetired, Label: "Retired signing key", Group: groupSettings, Objects: []string{"signing_key"},
		Doc: "A key stopped signing checkpoints; what it has signed stays valid."},

	audit.Action{ID: AccountCreated, Label: "Created account", Group: groupSignIn, Objects: []string{"user"},
		Doc: "A mail address was seen for the first time in the organization; caused by its first membership."},
	audit.Action{ID: AccountRenamed, Label: "Changed name", Group: groupSignIn, Objects: []string{"user"},
		Doc: "A person changed their own name; recorded in the organization's log and in each of their teams."},
	audit.Action{ID: AccountPasswordSet, Label: "Set password", Group: groupSignIn, Objects: []string{"user"},
		Doc: "A person used a one-time link to choose a password; every older session ended."},
	audit.Action{ID: AccountPasswordChanged, Label: "Changed password", Group: groupSignIn, Objects: []string{"user"},
		Doc: "A person changed their own password; every other session of theirs ended."},
	audit.Action{ID: SessionSignedIn, Label: "Signed in", Group: groupSignIn, Objects: []string{"user"}, Quiet: true,
		Doc: "A person signed in; recorded in each of their teams."},
	audit.Action{ID: SessionSignInFailed, Label: "Failed sign-in", Group: groupSignIn, Objects: []string{"user"}, Quiet: true,
		Doc: "A sign-in was refused; for an unknown address it is in the organization's log, without what was typed."},
	audit.Action{ID: SessionSignedOut, Label: "Signed out", Group: groupSignIn, Objects: []string{"user"}, Quiet: true,
		Doc: "A person signed out; recorded in each of their teams."},
	audit.Action{ID: SessionEnded, Label: "Ended session", Group: groupSignIn, Objects: []string{"user"}, Quiet: true,
		Doc: "A person ended another session of their own; recorded in each of their teams."},
	audit.Action{ID: AccessRefused, Label: "Refused access", Group: groupSignIn,
		Objects: []string{"user", "device", "call", "metric", "team", "api_key"},
		Doc:     "Somebody asked for a page that their role does not have, or for something that the team does not have; or a key of the API that has ended was used."},

	audit.Action{ID: AuditLogViewed, Label: "Viewed audit log", Group: groupLog, Quiet: true,
		Doc: "Somebody read the audit log; once for each session or API key, filter and hour."},
	audit.Action{ID: AuditLogExported, Label: "Exported audit log", Group: groupLog, Objects: []string{"export"},
		Doc: "Somebody began to export the audit log, or went on with an export; recorded before the first byte left the server. The filter, the form and how much of the log there was are in the event's data."},
	audit.Action{ID: AuditLogExportEnded, Label: "Ended export of audit log", Group: groupLog, Objects: []string{"export"}, Quiet: true,
		Doc: "An export of the audit log came to its end: how many events and bytes left, and their SHA-256, or why it was broken off."},
	audit.Action{ID: SavedViewCreated, Label: "Saved view", Group: groupLog, Objects: []string{"saved_view"}, Quiet: true,
		Doc: "A member kept a filter of the audit log under a name, for themselves or for the team."},
	audit.Action{ID: SavedViewChanged, Label: "Changed saved view", Group: groupLog, Objects: []string{"saved_view"}, Quiet: true,
		Doc: "A member changed the name, the filter or the reach of a saved view, or which of theirs the log opens with."},
	audit.Action{ID: SavedViewDeleted, Label: "Deleted saved view", Group: groupLog, Objects: []string{"saved_view"}, Quiet: true,
		Doc: "A member deleted a saved view of theirs."},

	audit.Action{ID: AuditLogVerified, Label: "Checked audit log", Group: groupLog, Quiet: true,
		Doc: "Somebody had the whole log checked against its signed tree; recorded before the check began."},
	audit.Action{ID: AuditLogFaultFound, Label: "Found fault in audit log", Group: groupLog,
		Doc: "A check, or a witness, found that the log or a row was changed behind the portal's back; what was found is in the event's data."},

	audit.Action{ID: CallImported, Label: "Imported call", Group: groupImport, Objects: []string{"call"}, Quiet: true,
		Doc: "A call arrived with its transcript; the event holds every value it came with."},

	audit.Action{ID: DatabaseBackedUp, Label: "Backed up database", Group: groupOperate, Objects: []string{"organization"},
		Doc: "An operator began to copy the whole database into a file; recorded in the organization's log before the copy was made."},
	audit.Action{ID: DatabaseCopied, Label: "Copied database", Group: groupOperate, Objects: []string{"organization"},
		Doc: "An operator moved everything into another database, which has this event; everything before it stands in the first one as well."},
)
