package audit_test

import (
	"path/filepath"
	"testing"

	"onrecord/audit/audittest"
	"onrecord/database"
)

func TestSQLite(t *testing.T) {
	audittest.Suite(t, func(t testing.TB) *database.DB {
		t.Helper()
		db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "shop.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	})
}
