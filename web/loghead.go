package web

import "onrecord/web/view"

// logHead makes what stands beside the heading of the log: each part is made
// by a method of its own, in the file of its subject, for the present filter.
func (v *visit) logHead(q logQuery) (view.LogHead, error) {
	return view.LogHead{Export: view.ExportButtonPiece(v.exportButton(q))}, nil
}
