package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"onrecord": main})
}

// TestScripts runs the program as people do. Beside the commands of testscript
// a script has those below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			second, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			e.Setenv("ADDR", ln.Addr().String())
			e.Setenv("ADDR2", second.Addr().String())
			e.Setenv("TMPDIR", e.Getenv("WORK"))
			return errors.Join(ln.Close(), second.Close())
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "ready": ready, "get": get, "waitfor": waitFor, "tamper": tamper, "bytes": rawBytes, "newer": newer, "checklog": checkLog, "appears": appears,
			"postgres": func(ts *testscript.TestScript, _ bool, args []string) { ts.Setenv(args[0], dbtest.Postgres(t)) },
			"role":     makeRole,
			"digest":   digest, "brokenoff": brokenOff, "changed": changed, "crlf": crlf, "holds": holds,
			"retirefirst": retireFirst, "retirelast": retireLast, "python": python, "checkpoint": checkpointOf, "alter": alter, "witnesskey": witnessKey, "cosigned": cosigned,
		},
	})
}

// exits STATUS COMMAND… runs a command and wants its exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// ready [ADDR] waits for the server there, at $ADDR unless told.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	addr := ts.Getenv("ADDR")
	if len(args) > 0 {
		addr = args[0]
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + addr + "/healthz")
		if err == nil {
			res.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody serves: %v", err)
		}
	}
}

// retirefirst FILE retires the first key that "keys signing" printed there.
func retireFirst(ts *testscript.TestScript, _ bool, args []string) {
	fingerprint, _, _ := strings.Cut(strings.TrimPrefix(ts.ReadFile(args[0]), "# "), ",")
	ts.Check(ts.Exec("onrecord", "keys", "signing", "--retire", fingerprint))
}

// retirelast tries to retire the only key that is left.
func retireLast(ts *testscript.TestScript, _ bool, _ []string) {
	out, err := exec.Command("sh", "-c", "cd "+ts.Getenv("WORK")+" && onrecord keys signing 2>/dev/null | grep since | tail -1").Output()
	ts.Check(err)
	fingerprint, _, _ := strings.Cut(strings.TrimPrefix(string(out), "# "), ",")
	if ts.Exec("onrecord", "keys", "signing", "--retire", fingerprint) == nil {
		ts.Fatalf("the last key was retired")
	}
}

// appears FILE waits until there is such a file.
func appears(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("there is no %s", args[0])
		}
	}
}

// get STATUS URL [REGEXP…] fetches a page, which must match; @FILE is a file
// that holds the address.
func get(ts *testscript.TestScript, _ bool, args []string) {
	url := args[1]
	if file, ok := strings.CutPrefix(url, "@"); ok {
		url = strings.TrimSpace(ts.ReadFile(file))
	}
	res, err := http.Get(url)
	ts.Check(err)
	defer res.Body.Close()
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("GET %s: %s, want %s", url, res.Status, args[0])
	}
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	for _, text := range args[2:] {
		pattern, err := regexp.Compile("(?m)" + text)
		ts.Check(err)
		if !pattern.Match(body) {
			ts.Fatalf("GET %s: nothing matches %s in\n%s", url, text, body)
		}
	}
}

// waitfor URL REGEXP asks for a page until it matches.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(args[0])
		ts.Check(err)
		body, err := io.ReadAll(res.Body)
		ts.Check(errors.Join(err, res.Body.Close()))
		if pattern.Match(body) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("GET %s never matches %s: %s", args[0], args[1], body)
		}
	}
}

// tamper FILE changes an audited row, as whoever can write the file may once
// the guards are dropped. The server puts them back.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	db.SetMaxOpenConns(1)
	rows, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'member'")
	ts.Check(err)
	var guards []string
	for rows.Next() {
		var name string
		ts.Check(rows.Scan(&name))
		guards = append(guards, "DROP TRIGGER "+name)
	}
	ts.Check(rows.Err())
	for _, query := range append(guards, "UPDATE member SET role = 'agent'") {
		_, err := db.Exec(query)
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// bytes FILE QUOTED appends a Go string, such as "\xff", to a file.
func rawBytes(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(text)
	ts.Check(errors.Join(err, f.Close()))
}

// newer FILE makes a database look as a later program leaves it.
func newer(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	db, err := database.Open(ctx, dsnOf(ts, args[0]))
	ts.Check(err)
	err = db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit_version (version_id, is_applied) VALUES ($1, $2)`, 4711, true)
		return err
	})
	ts.Check(errors.Join(err, db.Close()))
}

// checklog FILE derives the whole log of a database again.
func checkLog(ts *testscript.TestScript, _ bool, args []string) {
	faults, err := faultsIn(context.Background(), dsnOf(ts, args[0]))
	ts.Check(err)
	for _, f := range faults {
		ts.Logf("%s", f)
	}
	if len(faults) > 0 {
		ts.Fatalf("the log is wrong")
	}
}

// role VARIABLE DSN NAME makes a role that may sign in to the server of a
// database, and sets a variable to the database's address for it. It has no
// rights, and goes when the script ends.
func makeRole(ts *testscript.TestScript, _ bool, args []string) {
	at, err := url.Parse(args[1])
	ts.Check(err)
	admin, err := sql.Open("pgx", args[1])
	ts.Check(err)
	_, err = admin.Exec("CREATE ROLE " + args[2] + " LOGIN")
	ts.Check(err)
	ts.Defer(func() {
		_, err := admin.Exec("DROP OWNED BY " + args[2] + "; DROP ROLE " + args[2])
		ts.Check(errors.Join(err, admin.Close()))
	})
	at.User = url.User(args[2])
	ts.Setenv(args[0], at.String())
}

// dsnOf takes a SQLite file or the address of a database.
func dsnOf(ts *testscript.TestScript, name string) string {
	if strings.HasPrefix(name, "postgres:") {
		return name
	}
	return "sqlite:" + ts.MkAbs(name)
}

func faultsIn(ctx context.Context, dsn string) (faults []audit.Fault, err error) {
	db, err := database.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := portal.Open(ctx, db)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return p.Log().Check(ctx)
}
