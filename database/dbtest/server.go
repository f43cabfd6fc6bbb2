package dbtest

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the handle of Admin
)

// Server is a PostgreSQL server of a test's own, on a Unix socket.
type Server struct {
	dir       string
	tell      io.Writer // the shell that starts and stops it
	admin     *sql.DB
	templates sync.Map
}

//go:embed serve.sh
var serveScript string

// StartServer starts a server that the test may stop, kill and start again. It
// commits as a production server does. settings are lines of postgresql.conf.
func StartServer(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// startWait is how long a server may take to come up, on a slow machine too.
const startWait = 60 * time.Second

func start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := makeFolder(owner)
	if err != nil {
		return nil, err
	}
	settings = append([]string{
		"listen_addresses=", "unix_socket_directories=" + dir, "max_connections=200", "shared_buffers=64MB",
		"autovacuum_naptime=10s", "log_min_messages=fatal", "dynamic_shared_memory_type=mmap",
	}, settings...)
	s := &Server{dir: dir}
	// The shell watches its standard input, which ends with this program: then
	// it stops the server and removes the folder.
	cmd := exec.Command("sh", append([]string{"-c", serveScript, "serve", dir, bin}, settings...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: owner}
	if s.tell, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a PostgreSQL server: %w", err)
	}
	go cmd.Wait()
	if s.admin, err = sql.Open("pgx", s.DSN("postgres")); err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(4)
	return s, s.Start()
}

// DSN is the address of a database of the server, for its superuser.
func (s *Server) DSN(name string) string { return s.DSNOf("postgres", name) }

// DSNOf is the address for a role; nobody needs a password.
func (s *Server) DSNOf(role, name string) string {
	return "postgres://" + role + "@/" + name + "?host=" + s.dir
}

// Socket is the path of the Unix socket that the server listens on.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Start starts the server, after Stop or Kill, and waits until it answers.
func (s *Server) Start() error {
	if _, err := io.WriteString(s.tell, "start\n"); err != nil {
		return s.trouble(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return s.trouble(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) trouble(err error) error {
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("starting a PostgreSQL server: %w\n%s", err, log)
}

// Stop ends the server in order: open transactions are rolled back.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

// Kill ends the server at once, as a crash would: it recovers when it starts.
func (s *Server) Kill() error { return s.end(syscall.SIGQUIT) }

func (s *Server) end(signal syscall.Signal) error {
	file := filepath.Join(s.dir, "data", "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return err
	}
	for deadline := time.Now().Add(startWait); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return errors.New("the PostgreSQL server did not stop")
}

func (s *Server) close() {
	s.admin.Close()
	s.tell.(io.Closer).Close()
}

// binaries finds the folder of Debian's newest server, or that of the path.
func binaries() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("the tests need PostgreSQL's server programs: install them with scripts/test-setup")
	}
	return filepath.Dir(path), nil
}

// serverUser is who the server runs as: not root, which it refuses.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// makeFolder makes the server's folder where its user can reach it. The path
// of a socket must be short.
func makeFolder(owner *syscall.Credential) (string, error) {
	base := os.TempDir()
	if len(base) > 60 || owner != nil && !enterable(base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "onrecord-pg-")
	if err != nil || owner == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(owner.Uid), int(owner.Gid))
}

// enterable tells whether everybody can enter a folder.
func enterable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		if err != nil || st.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == "/" || dir == "." {
			return true
		}
	}
}
