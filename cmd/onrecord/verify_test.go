package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"onrecord/audit/seal"
)

// repository is where the tests run.
var repository, _ = filepath.Abs("../..")

// python FILE KEYS verifies an export with the script of the documentation, by
// the first key of a file.
func python(ts *testscript.TestScript, neg bool, args []string) {
	key := ""
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if !strings.HasPrefix(line, "#") {
			key = strings.TrimSpace(line)
			break
		}
	}
	err := ts.Exec("python3", filepath.Join(repository, "docs/verify.py"), args[0], key)
	if (err != nil) != neg {
		ts.Fatalf("%v", err)
	}
}

// checkpoint EXPORT FILE keeps the checkpoint of an export.
func checkpointOf(ts *testscript.TestScript, _ bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile(args[0]), "\n")
	var header struct{ Checkpoint string }
	ts.Check(json.Unmarshal([]byte(line), &header))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(header.Checkpoint), 0o600))
}

// alter FILE OLD NEW changes one place of a file.
func alter(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s holds no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// witnesskey FILE puts the public key of a witness into $WITNESS.
func witnessKey(ts *testscript.TestScript, _ bool, args []string) {
	keys, err := seal.ReadKeyFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv("WITNESS", keys[0].Witness(keys[0].Name).String())
}

// cosigned KEYS exports to log.jsonl until the checkpoint bears the witness's
// signature.
func cosigned(ts *testscript.TestScript, _ bool, args []string) {
	for range 20 {
		ts.Check(ts.Exec("onrecord", "events", "export", "--force", "--team", "Alpha", "--format", "verified", "-o", "log.jsonl"))
		if ts.Exec("onrecord", "verify", "log.jsonl", "--key", args[0], "--witness", ts.Getenv("WITNESS")) == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	ts.Fatalf("the witness has not cosigned")
}
