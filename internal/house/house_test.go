// Package house holds no code but the rules of how the project is built: which
// package may import which, what packages may be called, what main may do.
package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "onrecord"

// floors are the folders at the root of the module, from the ground up. A
// package imports only from its own folder and from lower floors; folders on
// one floor do not know each other. A new folder fails the test until it has
// its floor here.
var floors = [][]string{
	{"database"},
	{"audit"},
	{"session"},
	{"portal"},
	{"web", "api"},
	{"bench"},
	{"cmd"},
	{"e2e", "internal"}, // look at everything; nothing imports them
}

// closed says what else the code of some packages (their tests apart) must not
// import directly.
var closed = []struct{ from, to, because string }{
	{"web", "portal/store", "pages write and read only through portal"},
	{"web", "database", "pages write and read only through portal"},
	{"api", "portal/store", "the API writes and reads only through portal"},
	{"api", "database", "the API writes and reads only through portal"},
	{"session", "database", "session is mechanism only and stores nothing"},
	{"audit/seal", "audit", "who verifies needs neither events nor a database"},
	{"audit/seal", "database", "who verifies needs neither events nor a database"},
}

// foreign modules must not be behind the engine, through whatever package: a
// program that embeds it does not want them.
var foreign = []string{
	"github.com/a-h/templ",
	"github.com/alecthomas/kong",
	"github.com/alexedwards/argon2id",
	"github.com/chromedp",
	"github.com/danielgtaylor/huma",
	"github.com/prometheus",
	"github.com/schollz/progressbar",
}

// hollow names say nothing about what a package holds.
var hollow = []string{"util", "utils", "common", "model", "models", "helper", "helpers", "misc", "base", "shared", "lib", "types"}

type goPackage struct {
	ImportPath, Name, Dir              string
	Imports, TestImports, XTestImports []string
	Deps                               []string
	GoFiles                            []string
}

func (p goPackage) tests() []string { return append(slices.Clone(p.TestImports), p.XTestImports...) }

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Name,Dir,Imports,TestImports,XTestImports,Deps,GoFiles"}, args...)...).Output()
	if err != nil {
		exit, _ := errors.AsType[*exec.ExitError](err)
		t.Fatalf("go list %v: %v\n%s", args, err, exit.Stderr)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func ours(t *testing.T) []goPackage {
	t.Helper()
	all := list(t, module+"/...")
	for _, known := range []string{"audit", "database", "internal/house"} {
		if !slices.ContainsFunc(all, func(p goPackage) bool { return p.ImportPath == module+"/"+known }) {
			t.Fatalf("go list does not see %s/%s", module, known)
		}
	}
	return all
}

// within gives the path of a package inside the module, and whether it is one
// of the module's.
func within(importPath string) (string, bool) { return strings.CutPrefix(importPath, module+"/") }

func folder(inside string) string {
	first, _, _ := strings.Cut(inside, "/")
	return first
}

func floor(folder string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, folder) })
}

// upward says what is wrong with one package of the module importing another,
// or "".
func upward(from, to string) string {
	a, b := folder(from), folder(to)
	switch {
	case a == b:
		return ""
	case floor(a) < 0:
		return fmt.Sprintf("folder %s has no floor yet: decide which", a)
	case floor(b) < 0:
		return fmt.Sprintf("folder %s has no floor yet: decide which", b)
	case floor(b) > floor(a):
		return "imports point downward only"
	case floor(b) == floor(a):
		return "folders on one floor do not know each other"
	}
	return ""
}

func shut(from, to string) string {
	for _, c := range closed {
		if inTree(from, c.from) && inTree(to, c.to) {
			return c.because
		}
	}
	return ""
}

func inTree(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func TestImportsPointDownward(t *testing.T) {
	for _, p := range ours(t) {
		from, _ := within(p.ImportPath)
		if floor(folder(from)) < 0 {
			t.Errorf("%s: folder %s has no floor yet: decide which", p.ImportPath, folder(from))
		}
		for _, imported := range append(p.tests(), p.Imports...) {
			to, mine := within(imported)
			if !mine {
				continue
			}
			if fault := upward(from, to); fault != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, fault)
			}
		}
		for _, imported := range p.Imports {
			if to, mine := within(imported); mine {
				if fault := shut(from, to); fault != "" {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, fault)
				}
			}
		}
	}
}

func TestEngineStandsAlone(t *testing.T) {
	for _, p := range ours(t) {
		from, _ := within(p.ImportPath)
		if !inTree(from, "audit") && !inTree(from, "database") {
			continue
		}
		for _, dep := range p.Deps {
			if to, mine := within(dep); mine && !inTree(to, "audit") && !inTree(to, "database") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
			if i := slices.IndexFunc(foreign, func(f string) bool { return inTree(dep, f) }); i >= 0 {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// The rules themselves, on imports that do not exist.
func TestRulesRefuse(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"cmd/onrecord", "web", true},
		{"cmd/onrecord", "database", true},
		{"web", "portal", true},
		{"web", "web/view", true},
		{"portal", "portal/store", true},
		{"portal/store", "audit", true},
		{"session", "audit", true},
		{"e2e", "cmd/onrecord", true},
		{"audit", "portal", false},
		{"audit/audittest", "session", false},
		{"database", "audit", false},
		{"session", "portal", false},
		{"session", "database", false},
		{"portal", "web", false},
		{"web", "api", false},
		{"web", "portal/store", false},
		{"web/view", "database", false},
		{"audit", "audit/seal", true},
		{"audit/seal", "audit", false},
		{"audit/seal", "database", false},
		{"web", "internal/house", false},
		{"web", "newfolder", false},
		{"newfolder", "audit", false},
	} {
		fault := upward(c.from, c.to) + shut(c.from, c.to)
		if (fault == "") != c.allowed {
			t.Errorf("%s → %s: %q, want allowed %t", c.from, c.to, fault, c.allowed)
		}
	}
}

func TestPackageNames(t *testing.T) {
	taken := map[string]string{}
	for _, p := range list(t, "std") {
		if !strings.Contains(p.ImportPath, "internal") && !strings.HasPrefix(p.ImportPath, "vendor/") {
			taken[p.Name] = p.ImportPath
		}
	}
	if taken["http"] != "net/http" {
		t.Fatal("go list does not see the standard library")
	}
	for _, p := range ours(t) {
		if name := path.Base(p.ImportPath); slices.Contains(hollow, name) || slices.Contains(hollow, p.Name) {
			t.Errorf("%s: the name does not say what the package holds", p.ImportPath)
		}
		if std := taken[p.Name]; std != "" && p.Name != "main" {
			t.Errorf("%s has the name of the standard library's %s", p.ImportPath, std)
		}
	}
}

func TestMainOnlyCallsRun(t *testing.T) {
	for _, p := range ours(t) {
		if p.Name != "main" {
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" && !onlyRuns(f.Body) {
					t.Errorf("%s: main does more than to call run: one statement, such as os.Exit(run(…))", p.ImportPath)
				}
			}
		}
	}
}

// onlyRuns tells whether a body is one statement that calls run.
func onlyRuns(body *ast.BlockStmt) bool {
	if len(body.List) != 1 {
		return false
	}
	runs := false
	ast.Inspect(body.List[0], func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "run" {
				runs = true
			}
		}
		return true
	})
	return runs
}

func TestOnlyRuns(t *testing.T) {
	for source, want := range map[string]bool{
		"os.Exit(run(os.Args))":            true,
		"run()":                            true,
		"os.Exit(1)":                       false,
		"setUp(); os.Exit(run(os.Args))":   false,
		"app.run()":                        false,
		"if true { println() } else { 1 }": false,
		"":                                 false,
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "main.go", "package main\nfunc main() {"+source+"}", parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if got := onlyRuns(parsed.Decls[0].(*ast.FuncDecl).Body); got != want {
			t.Errorf("%q: %t, want %t", source, got, want)
		}
	}
}
