package database

import (
	"fmt"
	"os"
	"time"
)

// files are the file of a SQLite database and its write-ahead log as they were
// opened. Both can be removed or replaced while the program holds them open;
// it would go on writing, and reading back, what nobody can open again.
type files struct {
	path      string
	main, wal os.FileInfo
	checked   time.Time
}

// checkEvery bounds how long changes can go to a file that is gone.
const checkEvery = 5 * time.Millisecond

func watch(path string) (*files, error) {
	main, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return &files{path: path, main: main}, nil
}

// check fails with [ErrMoved] if another file, or none, has either name now.
// SQLite makes the log at the first write and keeps it while it is open.
func (f *files) check() error {
	if f == nil || time.Since(f.checked) < checkEvery {
		return nil
	}
	main, err := os.Stat(f.path)
	if err != nil || !os.SameFile(main, f.main) {
		return fmt.Errorf("%s: %w", f.path, ErrMoved)
	}
	wal, err := os.Stat(f.path + "-wal")
	if f.wal == nil && err == nil {
		f.wal = wal
	}
	if err != nil || !os.SameFile(wal, f.wal) {
		return fmt.Errorf("%s-wal: %w", f.path, ErrMoved)
	}
	f.checked = time.Now()
	return nil
}
