package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"onrecord/database"
	"onrecord/portal"
)

// version is set for a release: -ldflags "-X main.version=1.2.3".
var version = ""

type versionCommand struct{}

// Run shows what this program is.
func (versionCommand) Run(c *console) error {
	schemas, err := portal.ProgramSchemas(database.SQLite)
	if err != nil {
		return err
	}
	var all []string
	for _, s := range schemas {
		all = append(all, fmt.Sprintf("%s %d", s.Name, s.Program))
	}
	number, commit := build()
	_, err = fmt.Fprintf(c.out, "Version: %s\nCommit: %s\nSchema: %s\nBuilt with: %s for %s/%s\n",
		number, commit, strings.Join(all, ", "), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// build is the program's version and the commit that it was built from.
func build() (number, commit string) {
	number, commit = version, "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return number, commit
	}
	if number == "" {
		number = info.Main.Version
	}
	dirty := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = ", with changes"
			}
		}
	}
	return number, commit + dirty
}
