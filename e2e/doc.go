// Package e2e holds no code but tests: they use the portal as people do,
// through the pages of a running server, in Chromium. A control is found by
// its accessible role and name, so that a page that reads wrong to assistive
// technology fails here.
//
// go test ./e2e -screens DIR also writes pictures of every page to DIR.
package e2e
