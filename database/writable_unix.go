//go:build unix

package database

import "golang.org/x/sys/unix"

// writable asks the system whether this user may write. It does not open the
// file: closing it again would give up the locks of the whole process.
func writable(path string) error { return unix.Access(path, unix.W_OK) }
