package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fileLock is held by the one process that serves from a SQLite file, or
// changes its schema. It is a file of its own beside the database: SQLite
// forgets its locks when any handle on the database file itself is closed.
type fileLock struct{ file *os.File }

// heldError says that another process has the lock.
type heldError struct {
	path string // of the database
	pid  int    // 0 if it is not known
}

func (e *heldError) Error() string {
	return fmt.Sprintf("%s serves from %s already: one server a SQLite file; stop it, or serve another file", e.holder(), e.path)
}

func (e *heldError) holder() string {
	if e.pid == 0 {
		return "another onrecord"
	}
	return fmt.Sprintf("another onrecord (process %d)", e.pid)
}

// lockDatabase takes the lock of a SQLite file. Error: *heldError.
func lockDatabase(path string) (*fileLock, error) {
	// One file has one lock, by whatever name it was reached.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the database: %w", err)
	}
	locked, err := tryLock(f)
	if err != nil || !locked {
		defer f.Close()
		if err != nil {
			return nil, fmt.Errorf("locking the database with %s: %w", f.Name(), err)
		}
		return nil, &heldError{path: path, pid: readPID(f)}
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking the database with %s: %w", f.Name(), err)
	}
	return &fileLock{f}, nil
}

// waitForLock asks until the lock is free or patience ends.
func waitForLock(ctx context.Context, path string, patience time.Duration) (*fileLock, error) {
	for deadline := time.Now().Add(patience); ; {
		lock, err := lockDatabase(path)
		if _, held := err.(*heldError); !held || time.Now().After(deadline) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// release gives the lock back. The file stays: removing it would let two
// processes lock two files of one name.
func (l *fileLock) release() error { return l.file.Close() }

func readPID(f *os.File) int {
	var text [20]byte
	n, _ := f.ReadAt(text[:], 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
