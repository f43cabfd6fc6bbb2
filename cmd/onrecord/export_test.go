package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// digest FILE TOLD wants the SHA-256 and the size of a file in what an export
// told.
func digest(ts *testscript.TestScript, _ bool, args []string) {
	file, told := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	for _, want := range []string{fmt.Sprintf("SHA-256: %x\n", sha256.Sum256([]byte(file))), fmt.Sprintf("Bytes: %d\n", len(file))} {
		if !strings.Contains(told, want) {
			ts.Fatalf("the export told %s, not %s", told, want)
		}
	}
}

// brokenoff FILE TOLD BYTES makes an exported file what it would be, had the
// export been broken off after so many bytes.
func brokenOff(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, _ := strings.Cut(ts.ReadFile(args[1]), "Export: ")
	id, _, _ := strings.Cut(rest, "\n")
	size, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
	ts.Check(os.Rename(ts.MkAbs(args[0]), ts.MkAbs(args[0]+"."+id+".part")))
}

// changed FILE TOLD changes the first byte of what an export has left.
func changed(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, _ := strings.Cut(ts.ReadFile(args[1]), "Export: ")
	id, _, _ := strings.Cut(rest, "\n")
	f, err := os.OpenFile(ts.MkAbs(args[0]+"."+id+".part"), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte("!"), 0)
	ts.Check(errors.Join(err, f.Close()))
}

// crlf FILE ends the lines of a file as RFC 4180 wants.
func crlf(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// holds FILE REGEXP waits until a file that is written to matches.
func holds(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && pattern.Match(content) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never matches %s: %s", args[0], args[1], content)
		}
	}
}
