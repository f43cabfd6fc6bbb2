// Package view holds the portal's pages: templ components over plain structs.
// It knows nothing of storage, permissions or the audit engine. A handler fills
// a struct and renders the page of the same name: CallList and CallListPage.
//
// Conventions, which every struct follows:
//
//   - A URL field holds an address inside the portal. An empty URL means that
//     the reader may not do this or that it does not apply, and the link or
//     button is left out. So a read-only page is one whose action URLs are empty.
//   - Every form that changes something is method=post to the URL of its field;
//     the names of its inputs stand in the comment of the struct. Forms that
//     only choose what is shown are method=get.
//   - A time.Time is shown in UTC; the zero time is shown as "never" or left out.
//   - Names and texts are escaped here; callers pass them as they are.
//   - No page needs JavaScript.
package view
