package web

import "onrecord/web/view"

// outside is the frame of a page outside any team.
func (v *visit) outside(title string) view.Page { return view.Page{Title: title} }
