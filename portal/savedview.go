package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// SavedView is a filter of the log that a member keeps under a name. It is a
// way to look, not a permission: whoever may not read the log sees nothing
// through it.
type SavedView struct {
	ID        string // view_…
	Owner     string // the member's id
	Mine      bool   // the caller's own
	Name      string
	Query     string // in the query language; a program of another version may have written it
	Shared    bool   // with the team
	Preferred bool   // the log opens with it for its owner
	Version   string // the event that last changed it
}

// Ref names the view as an object of the log.
func (v SavedView) Ref() audit.Ref { return audit.Ref{Type: "saved_view", ID: v.ID, Name: v.Name} }

func savedViewOf(row store.SavedView, by Caller) SavedView {
	return SavedView{
		ID: row.ID, Owner: row.Owner, Mine: row.Owner == by.ID, Name: row.Name, Query: row.Query, Shared: row.Shared, Preferred: row.Preferred,
		Version: row.EventID,
	}
}

// maxSavedViews is how many one member may keep.
const maxSavedViews = 100

// SavedViews lists the views that the caller may use, by name: their own, and
// those that others share with the team.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) SavedViews(ctx context.Context, by Caller, team string) ([]SavedView, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return nil, err
	}
	rows, err := store.SavedViews(ctx, p.db, team, by.ID)
	if err != nil {
		return nil, fmt.Errorf("listing saved views: %w", err)
	}
	var all []SavedView
	for _, row := range rows {
		all = append(all, savedViewOf(row, by))
	}
	return all, nil
}

// SavedView shows one of the caller's own views, to be changed.
//
// Permission: as SearchLog, and its owner. Events: none; a refusal is
// saved_view.changed. Errors: as SearchLog; NotFound, Gone.
func (p *Portal) SavedView(ctx context.Context, by Caller, team, id string) (SavedView, error) {
	err := p.authorizeLog(ctx, p.db, by, team)
	if offPlan(err) {
		return SavedView{}, err
	}
	var row store.SavedView
	if err == nil {
		row, err = ownView(ctx, p.db, by, team, id)
	}
	if err != nil {
		return SavedView{}, p.refuse(ctx, p.intentOn(by, team, SavedViewChanged, "saved_view", id, ""), err)
	}
	return savedViewOf(row, by), nil
}

// ownView gives a view of the caller's own. Errors: NotFound, also for a
// private one of somebody else; Denied for a shared one; Gone.
func ownView(ctx context.Context, q database.Querier, by Caller, team, id string) (store.SavedView, error) {
	row, err := store.SavedViewByID(ctx, q, team, id)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && row.Owner != by.ID && !row.Shared:
		return row, audit.NotFound("This team has no such saved view.")
	case err != nil:
		return row, fmt.Errorf("reading the saved view %s: %w", id, err)
	case !row.Deleted.IsZero():
		return row, &audit.Error{Code: audit.CodeGone, Message: "The saved view " + row.Name + " was deleted on " + row.Deleted.Format(minute) + "."}
	case row.Owner != by.ID:
		return row, audit.Denied("The saved view %s is somebody else's. Open it and save it as your own.", row.Name)
	}
	return row, nil
}

// SaveView keeps a filter under a name.
//
// Permission: as SearchLog, by members; only an Admin shares with the team.
// Event: saved_view.created, whose object is the view. Errors: as SearchLog;
// Invalid for a name or filter that cannot be; Conflict for a name that
// another view of the caller's has, or when there are 100.
func (p *Portal) SaveView(ctx context.Context, by Caller, team string, v SavedView) (SavedView, error) {
	if err := checkView(&v); err != nil {
		return SavedView{}, err
	}
	_, err := p.log.Record(ctx, p.intent(by, team, SavedViewCreated), func(tx *audit.Tx) error {
		if err := p.mayKeepViews(ctx, tx, by, team, v); err != nil {
			return err
		}
		row := store.SavedView{ID: audit.NewID("view", tx.Now()), Owner: by.ID, Name: v.Name, Query: v.Query, Shared: v.Shared, Preferred: v.Preferred, Created: tx.Now()}
		if err := makeRoom(ctx, tx, by, team, row); err != nil {
			return err
		}
		tx.SetObject(audit.Ref{Type: "saved_view", ID: row.ID, Name: row.Name})
		if err := store.InsertSavedView(ctx, tx, team, row); err != nil {
			return fmt.Errorf("saving the view: %w", err)
		}
		row.EventID = tx.EventID()
		v = savedViewOf(row, by)
		return nil
	})
	if err != nil {
		return SavedView{}, err
	}
	return v, nil
}

// ChangeView changes the name, the filter and the reach of one of the caller's
// own views. v.Version is the one that the person saw, or "".
//
// Permission: as SaveView, and its owner. Event: saved_view.changed, whose id
// is returned. Errors: as SaveView; NotFound, Gone.
func (p *Portal) ChangeView(ctx context.Context, by Caller, team string, v SavedView) (string, error) {
	if err := checkView(&v); err != nil {
		return "", err
	}
	return p.log.Record(ctx, p.intentOn(by, team, SavedViewChanged, "saved_view", v.ID, ""), func(tx *audit.Tx) error {
		if err := p.mayKeepViews(ctx, tx, by, team, v); err != nil {
			return err
		}
		row, err := ownView(ctx, tx, by, team, v.ID)
		if err != nil {
			return err
		}
		if err := checkVersion(v.Version, row.EventID, row.Name); err != nil {
			return err
		}
		if row.Name == v.Name && row.Query == v.Query && row.Shared == v.Shared && row.Preferred == v.Preferred {
			return audit.ErrNothing
		}
		row.Name, row.Query, row.Shared, row.Preferred = v.Name, v.Query, v.Shared, v.Preferred
		if err := makeRoom(ctx, tx, by, team, row); err != nil {
			return err
		}
		tx.SetObject(audit.Ref{Type: "saved_view", ID: row.ID, Name: row.Name})
		if err := store.UpdateSavedView(ctx, tx, team, row); err != nil {
			return fmt.Errorf("changing the saved view %s: %w", row.ID, err)
		}
		return nil
	})
}

// DeleteView deletes one of the caller's own views.
//
// Permission: as SearchLog, and its owner. Event: saved_view.deleted, whose id
// is returned. Errors: as SearchLog; NotFound, Gone.
func (p *Portal) DeleteView(ctx context.Context, by Caller, team, id string) (string, error) {
	return p.log.Record(ctx, p.intentOn(by, team, SavedViewDeleted, "saved_view", id, ""), func(tx *audit.Tx) error {
		if err := p.mayKeepViews(ctx, tx, by, team, SavedView{}); err != nil {
			return err
		}
		row, err := ownView(ctx, tx, by, team, id)
		if err != nil {
			return err
		}
		row.Deleted, row.Preferred = tx.Now(), false
		tx.SetObject(audit.Ref{Type: "saved_view", ID: row.ID, Name: row.Name})
		if err := store.UpdateSavedView(ctx, tx, team, row); err != nil {
			return fmt.Errorf("deleting the saved view %s: %w", id, err)
		}
		return nil
	})
}

// checkView refuses a view that cannot be kept, and writes its filter as the
// query language does. Error: Invalid, field name or query.
func checkView(v *SavedView) (err error) {
	if v.Name, err = cleanName("name", "The view's name", v.Name); err != nil {
		return err
	}
	f, err := audit.ParseQuery(v.Query)
	if err != nil {
		return audit.Invalid("query", "The filter cannot be kept: %s", err)
	}
	if v.Query = f.String(); v.Query == "" {
		return audit.Invalid("query", "A view without a filter shows the whole log: choose a filter first.")
	}
	return nil
}

// mayKeepViews checks the permission for views of one's own.
func (p *Portal) mayKeepViews(ctx context.Context, q database.Querier, by Caller, team string, v SavedView) error {
	if by.Type != audit.ActorUser {
		return audit.Denied("Saved views belong to the members of a team.")
	}
	if err := p.authorizeLog(ctx, q, by, team); err != nil || !v.Shared {
		return err
	}
	return p.authorize(ctx, q, by, team, Admin)
}

// makeRoom refuses a second view of a name and one too many, and takes the
// preference from the view that has it if the new one wants it.
func makeRoom(ctx context.Context, tx *audit.Tx, by Caller, team string, v store.SavedView) error {
	all, err := store.SavedViews(ctx, tx, team, by.ID)
	if err != nil {
		return fmt.Errorf("listing saved views: %w", err)
	}
	mine := 0
	for _, other := range all {
		if other.Owner != by.ID || other.ID == v.ID {
			continue
		}
		mine++
		if nameKey(other.Name) == nameKey(v.Name) {
			return audit.Conflict("You have a view named %s already. Choose another name, or change that one.", other.Name)
		}
		if other.Preferred && v.Preferred {
			other.Preferred = false
			if err := store.UpdateSavedView(ctx, tx, team, other); err != nil {
				return fmt.Errorf("changing the saved view %s: %w", other.ID, err)
			}
		}
	}
	if mine >= maxSavedViews {
		return audit.Conflict("You keep %d views, which is the most. Delete one first.", mine)
	}
	return nil
}
