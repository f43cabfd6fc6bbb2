package audit_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

const againIn = "AUDIT_TEST_AGAIN_IN" // the folder that a child works in

// again runs this test once more in a process of its own, which works in dir.
// denied is the error of a system that does not let this user start it.
func again(t *testing.T, binary, dir string, attr *syscall.SysProcAttr) (denied error) {
	t.Helper()
	cmd := exec.Command(binary, "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Dir, cmd.SysProcAttr = dir, attr
	cmd.Env = append(os.Environ(), againIn+"="+dir, "TMPDIR="+dir)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(output.String(), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, output.String())
	}
	return nil
}

// A disk that is really full: a small file system that only the child sees.
func TestFullDisk(t *testing.T) {
	dir := os.Getenv(againIn)
	if dir == "" {
		attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			attr.Cloneflags |= syscall.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
		if err := again(t, os.Args[0], t.TempDir(), attr); err != nil {
			t.Logf("this system lets nobody mount a small file system (%v); TestFullFile tests the same by the size of the file", err)
		}
		return
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	const size = 128 << 20
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128m"); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	s := audittest.NewShop(t, openAt(t, filepath.Join(dir, "shop.db")))
	fullDisk(t, s, func(bytes int) {
		var fs syscall.Statfs_t
		if err := os.RemoveAll(ballast); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Statfs(dir, &fs); err != nil {
			t.Fatal(err)
		}
		fill := int(fs.Bavail)*int(fs.Bsize) - bytes
		if fill < 0 || fill > size {
			t.Fatalf("%d bytes are free, cannot leave %d", fill+bytes, bytes)
		}
		// Sealing may take some of the room meanwhile.
		if err := os.WriteFile(ballast, make([]byte, fill), 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	})
}

// A file or folder that the user may only read. The superuser may write
// everywhere, so then the child is nobody.
func TestReadOnly(t *testing.T) {
	if dir := os.Getenv(againIn); dir != "" {
		readOnly(t, dir)
		return
	}
	if os.Getuid() != 0 {
		readOnly(t, t.TempDir())
		return
	}
	const nobody = 65534
	dir := t.TempDir()
	binary := filepath.Join(dir, "audit.test")
	copyFile(t, os.Args[0], binary)
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o755, binary: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(work, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := again(t, binary, work, attr); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func readOnly(t *testing.T, dir string) {
	path := filepath.Join(dir, "shop.db")
	mode := func(path string, m os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string) {
		t.Helper()
		db, err := database.Open(t.Context(), "sqlite:"+path)
		if err == nil {
			defer db.Close()
			var l *audit.Log
			if l, err = audit.Open(t.Context(), db, audittest.Catalogue, []audit.Table{audittest.Orders}, new(told).option()); err == nil {
				defer l.Close()
				unavailable(t, what, create(l, 1, "o2", ""), "read-only file or folder")
				return
			}
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "must be allowed to write the file and its folder") {
			t.Errorf("%s: %v, want the path and the advice", what, err)
		}
	}
	mode(dir, 0o500)
	refused("a new file in a folder that is read-only")
	mode(dir, 0o700)

	t.Run("history", func(t *testing.T) { audittest.NewShop(t, openAt(t, path)).Create("o1", "open") })
	mode(path, 0o400)
	refused("a read-only file")
	mode(path, 0o600)
	mode(dir, 0o500)
	refused("a file in a read-only folder")
	mode(path, 0o400)
	refused("a read-only file in a read-only folder")
	mode(dir, 0o700)
	mode(path, 0o600)

	l, err := audit.Open(t.Context(), openAt(t, path), audittest.Catalogue, []audit.Table{audittest.Orders})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := create(l, 1, "o2", ""); err != nil {
		t.Errorf("after writing was allowed: %v", err)
	}
	audittest.CheckLog(t, l)
}
