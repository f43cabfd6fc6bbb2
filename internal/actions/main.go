// Command actions writes docs/actions.md, the actions of the catalogue as
// people read them.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"onrecord/audit"
	"onrecord/portal"
)

//go:generate go run . ../../docs/actions.md

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: actions FILE")
		return 2
	}
	if err := os.WriteFile(args[0], document(portal.Catalogue), 0o644); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

const head = `<!-- Written by go generate from the catalogue in portal/actions.go. -->
# Actions

Everything that can stand in a log. An id never changes; it is what queries
(` + "`action:call.viewed`" + `), exports and the API use. The page *Audit Logs* leaves
out what is marked quiet unless one asks for it.

Every action can also stand in the log as an attempt: with the outcome ` + "`denied`" + `
if somebody was not allowed to, or ` + "`failed`" + ` if it could not be done.
`

// document writes a table for each group, in the catalogue's order.
func document(c *audit.Catalogue) []byte {
	var b strings.Builder
	b.WriteString(head)
	for _, group := range c.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| action | id | object | |\n|---|---|---|---|\n", group)
		for _, a := range c.All() {
			if a.Group != group {
				continue
			}
			doc := a.Doc
			if a.Quiet {
				doc += " *Quiet.*"
			}
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", cell(a.Label), a.ID, cell(strings.Join(a.Objects, ", ")), cell(doc))
		}
	}
	return []byte(b.String())
}

// cell keeps a text within its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
