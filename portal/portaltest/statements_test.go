package portaltest

import (
	"slices"
	"testing"
)

func TestUnbound(t *testing.T) {
	of := map[string]bool{"call": true, "device": true, "member": true, "audit_event": true}
	for query, want := range map[string][]string{
		"SELECT * FROM call WHERE team = $1 AND id = $2":                                                    nil,
		"SELECT * FROM call c LEFT JOIN device d ON d.team = c.team AND d.id = c.device_id WHERE c.team=$1": nil,
		"INSERT INTO call (team, id) VALUES ($1, $2)":                                                       nil,
		"UPDATE member SET role = $1 WHERE team = $2 AND id = $3":                                           nil,
		"SELECT body FROM audit_event WHERE log = $1 AND n = $2":                                            nil,
		"SELECT * FROM account WHERE id = $1":                                                               nil,
		"SELECT * FROM member WHERE id = $1":                                                                {"member"},
		"SELECT * FROM call WHERE id IN (SELECT id FROM device WHERE team = $1)":                            {"call", "device"},
		"DELETE FROM audit_event":                                                                           {"audit_event"},
		"INSERT INTO call (id) VALUES ($1)":                                                                 {"call"},
	} {
		if got := Unbound(query, of); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}
