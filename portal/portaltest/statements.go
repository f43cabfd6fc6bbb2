package portaltest

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Tables with a team's id in them that belong to no team: ids and addresses
// only, so that they can stand beside every team's rows, and the open record,
// which is empty between transactions.
var beside = map[string]bool{"account_team": true, "sign_in_link": true, "audit_open": true}

// acrossTeams are the statements that need not name a team.
var acrossTeams = map[string]string{
	"SELECT log FROM audit_unsealed WHERE log > $1 ORDER BY log LIMIT 1": "the sealer asks which log is next; no page waits for it, and no change",
	"SELECT log FROM audit_unsigned WHERE log > $1 ORDER BY log LIMIT 1": "the same",
	"SELECT max(n) FROM audit_event":                                     "SQLite's own: there a place in time is a key of all logs, in one file",
	"SELECT 1 FROM audit_event WHERE n = $1":                             "the same",
}

var (
	named   = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+"?([a-z_]+)"?(\s*\([^()]*\))?`)
	ofTeam  = regexp.MustCompile(`(?i)(?:[a-z_"]+\.)?"?\b(?:team|log)\b"?\s*(?:=|IN\b)`)
	inserts = regexp.MustCompile(`(?i)\bINTO\s+"?[a-z_]+"?\s*\([^()]*\b(?:team|log)\b[^()]*\)`)
)

// Unbound gives the tables of teams that a statement reads or writes without
// saying, for each of them, whose rows it means.
func Unbound(query string, ofTeams map[string]bool) (tables []string) {
	for _, m := range named.FindAllStringSubmatch(query, -1) {
		if table := strings.ToLower(m[1]); ofTeams[table] {
			tables = append(tables, table)
		}
	}
	if len(ofTeam.FindAllString(query, -1))+len(inserts.FindAllString(query, -1)) >= len(tables) {
		return nil
	}
	return tables
}

var teamTables sync.Map // by dialect: the tables of teams

// tablesOfTeams are those with a column that says whose each row is.
func tablesOfTeams(t testing.TB, f *Fixture) map[string]bool {
	t.Helper()
	if known, ok := teamTables.Load(f.DB.Dialect().Name); ok {
		return known.(map[string]bool)
	}
	all := map[string]bool{}
	for table, columns := range Columns(t, f.DB) {
		for _, column := range columns {
			if (column == "team" || column == "log") && !beside[table] {
				all[table] = true
			}
		}
	}
	teamTables.Store(f.DB.Dialect().Name, all)
	return all
}

// checkStatements fails the test if a statement that it sent touched rows of
// teams without naming the team.
func checkStatements(t testing.TB, f *Fixture) {
	t.Helper()
	of := tablesOfTeams(t, f)
	for _, query := range f.DB.Statements() {
		if strings.HasPrefix(query, "EXPLAIN ") { // a test's
			continue
		}
		if tables := Unbound(query, of); tables != nil && acrossTeams[strings.Join(strings.Fields(query), " ")] == "" {
			t.Errorf("this touches %v without naming the team:\n%s", tables, query)
		}
	}
}
