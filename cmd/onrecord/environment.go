package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"onrecord/audit"
)

const prefix = "ONRECORD_"

// Secrets without a flag of their own, since anybody on the machine sees the
// flags of a running command.
const passwordVariable = prefix + "PASSWORD"

// secretFlags may also stand in a file that a variable ending in _FILE names.
var secretFlags = []string{"db"} // a DSN may hold a password

// environment supplies flags that the command line does not set: ONRECORD_DB
// for --db. A variable that is set to nothing counts as not set.
type environment struct {
	values map[string]string // by the variable's name
	known  map[string]bool
	used   map[string]string // flags that were taken from here, with the variable
}

func onrecordVariables(environ []string) map[string]string {
	values := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && value != "" && strings.HasPrefix(name, prefix) {
			values[name] = value
		}
	}
	return values
}

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// learn notes which variables there can be and reads those that name a file.
func (e *environment) learn(app *kong.Application) error {
	e.known = map[string]bool{passwordVariable: true, variable("password-file"): true}
	e.used = map[string]string{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok && f.Name != "help" {
			e.known[variable(f.Name)] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for _, flag := range secretFlags {
		name := variable(flag) + "_FILE"
		e.known[name] = true
		if err := e.readFile(variable(flag), name); err != nil {
			return err
		}
	}
	return nil
}

func (e *environment) readFile(name, fileName string) error {
	path := e.values[fileName]
	if path == "" {
		return nil
	}
	if e.values[name] != "" {
		return audit.Invalid(name, "%s and %s are both set: set only one.", name, fileName)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", fileName, err)
	}
	e.values[name] = trimNewline(string(text))
	return nil
}

// trimNewline drops the end of line that editors leave after a secret.
func trimNewline(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

// unknown gives the names of variables that no flag has, in order.
func (e *environment) unknown() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(e.values)) {
		if !e.known[name] {
			names = append(names, name)
		}
	}
	return names
}

// Validate has nothing to check: which variables are set is no mistake of the
// command line.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve gives a flag's value from its variable; nil if that is not set.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, set := e.values[variable(flag.Name)]
	if !set || flag.Name == "help" {
		return nil, nil
	}
	e.used["--"+flag.Name] = variable(flag.Name)
	return value, nil
}

// explain adds to an error about a flag which variable it was taken from.
func (e *environment) explain(err error) string {
	text := err.Error()
	for flag, name := range e.used {
		if strings.HasPrefix(text, flag+":") || strings.HasPrefix(text, flag+" ") {
			return text + " (from the environment variable " + name + ")"
		}
	}
	return text
}

// helpWithVariable is a flag's help with the variable that can set it.
func helpWithVariable(value *kong.Value) string {
	if value.Flag == nil || value.Name == "help" {
		return value.Help
	}
	return value.Help + " [" + variable(value.Name) + "]"
}
