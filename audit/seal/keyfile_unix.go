//go:build !windows

package seal

import (
	"io/fs"
	"os"
)

func othersMayRead(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

func syncDir(d *os.File) error { return d.Sync() }
