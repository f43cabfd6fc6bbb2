package web

// flash tells once what the last form did.
type flash struct{}
