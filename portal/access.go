package portal

import "context"

// MayChange checks the permission for a page that prepares a change, such as
// a form or a question. The change itself checks again.
//
// Permission: Admin. Events: none; a refusal is access.refused. Errors:
// Denied, NotFound.
func (p *Portal) MayChange(ctx context.Context, by Caller, team, page string) error {
	err := p.authorize(ctx, p.db, by, team, Admin)
	if err == nil {
		return nil
	}
	in := p.intent(by, team, AccessRefused)
	in.Data = joined(in.Data, "page", page)
	return p.refuse(ctx, in, err)
}
