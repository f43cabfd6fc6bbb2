// Package store is the portal's SQL: a file a noun. Functions that read take
// any [database.Querier]; those that write an audited table take the open
// record, an *audit.Tx, and stamp every row with its event. Nothing here asks
// for permission or decides anything: that is package portal.
package store

import (
	"embed"
	"io/fs"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

//go:embed migrations
var migrations embed.FS

// Schema is the portal's own schema in the database.
func Schema(d database.Dialect) database.Migrations {
	sub, err := fs.Sub(migrations, "migrations/"+d.Name)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return database.Migrations{Name: "portal", FS: sub}
}

// Tables declares the audited tables: rows of the first four are explained by
// the organization's log, all others by their team's.
var Tables = []audit.Table{
	{Name: "organization", Type: "organization", Log: "organization", ID: "id",
		Plain: []string{"name"}},
	{Name: "team", Type: "team", Log: "organization", ID: "id",
		Plain: []string{"name", "name_key", "plan"}},
	{Name: "account", Type: "account", Log: "organization", ID: "id",
		Plain:    []string{"password_set_at"},
		Personal: []string{"email", "email_key", "name"},
		Secret:   []string{"password_hash"}},
	{Name: "signing_key", Type: "signing_key", Log: "organization", ID: "id",
		Plain: []string{"public_key", "added_at", "retired_at"}},

	{Name: "member", Type: "user", Log: "team", ID: "id",
		Plain: []string{"role", "status", "added_at", "deleted_at"}},
	{Name: "device", Type: "device", Log: "team", ID: "id",
		Plain:    []string{"user_id", "state", "added_at", "deleted_at", "moved_to", "moved_device", "moved_from"},
		Personal: []string{"hostname"}}, // people name machines after themselves
	{Name: "call", Type: "call", Log: "team", ID: "id",
		Plain:    []string{"user_id", "device_id", "direction", "started_at", "ended_at", "duration_ms", "turns", "timed", "deleted_at"},
		Personal: []string{"source_id", "customer", "agent", "device", "topic"},
		Digest:   []string{"content"}},
	{Name: "transcript", Type: "transcript", Log: "team", ID: "id",
		Digest: []string{"turns"}},
	{Name: "score", Type: "score", Log: "team", ID: "id",
		Plain: []string{"call_id", "metric", "value"}},
	{Name: "metric_setting", Type: "metric", Log: "team", ID: "id",
		Plain: []string{"enabled"}},
	{Name: "api_key", Type: "api_key", Log: "team", ID: "id",
		Plain:    []string{"scope", "created_by", "created_at", "expires_at", "revoked_at"},
		Personal: []string{"name"}, // people name keys after themselves
		Secret:   []string{"token_hash"}},
	{Name: "saved_view", Type: "saved_view", Log: "team", ID: "id",
		Plain:    []string{"owner", "shared", "preferred", "created_at", "deleted_at"},
		Personal: []string{"name", "query"}}, // people look for people
}

// Exempt lists the tables that change without a record, with the reason.
var Exempt = map[string]string{
	"session":          "signing in, signing out and ending sessions are events of their own; the rest is last-seen times",
	"sign_in_link":     "making and using a link are events of their own; the row holds a digest of the token only",
	"sign_in_failure":  "counts attempts by digest, for some hours; each attempt is an event of its own",
	"account_team":     "which teams a person ever joined: follows from the members, and tells where to look for them",
	"account_activity": "last-seen times of people: they change without an action",
	"device_activity":  "last-seen times of devices: they change without an action",
	"api_key_activity": "last-used times of keys: they change without an action",
	"score_default":    "follows from the transcript and the metric's version, and can be computed again",
	"reading":          "remembers which readings of the log and refusals of a key are on the record already",
	"redirect_note":    "one-use notes of half a minute that spare the redirect after one's own change",
	"log_finding":      "what the last check of a log found; every fault found is an event of its own",
	"portal_version":   "the portal's schema version",
}

// micros and fromMicros turn times into what the tables hold and back; the
// zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// integer is what the tables hold of a truth.
func integer(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
