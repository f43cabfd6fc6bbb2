package portal

import (
	"context"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// GrantServing gives a role of PostgreSQL exactly what serving takes; commands
// may use it as well. It takes the role that owns the tables. Errors: those of
// [audit.Grant].
func GrantServing(ctx context.Context, db *database.DB, role string) error {
	others := map[string]string{}
	for table := range store.Exempt {
		others[table] = audit.RightsFree
	}
	others["portal_version"] = audit.RightsRead
	return audit.Grant(ctx, db, role, store.Tables, others)
}
