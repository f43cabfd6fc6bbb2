package dbtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// Fate is what becomes of a connection that commits.
type Fate int

// The fates.
const (
	Pass      Fate = iota
	CutBefore      // the connection is cut before COMMIT reaches the server
	CutWhile       // as soon as COMMIT is on its way to the server
	CutAfter       // when the server has answered; the answer is lost
)

// Proxy stands between programs and a server and cuts connections when they
// commit.
type Proxy struct {
	dir, server string
	fate        func() Fate

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
	cuts  atomic.Int64
	trips atomic.Int64
}

// NewProxy starts a proxy in front of the server of the tests, or another.
// fate is asked at each commit, from several goroutines.
func NewProxy(t testing.TB, s *Server, fate func() Fate) *Proxy {
	t.Helper()
	if s == nil {
		s = shared(t)
	}
	dir, err := os.MkdirTemp("/tmp", "onrecord-proxy-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{dir: dir, server: s.Socket(), fate: fate, conns: map[net.Conn]bool{}}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.CutAll()
		serving.Wait()
		os.RemoveAll(dir)
	})
	return p
}

// DSN is the way to a database through the proxy.
func (p *Proxy) DSN(dsn string) string {
	before, _, _ := bytes.Cut([]byte(dsn), []byte("?"))
	return string(before) + "?host=" + p.dir
}

// Cuts tells how often a commit was cut.
func (p *Proxy) Cuts() int { return int(p.cuts.Load()) }

// Trips tells how many round trips there were.
func (p *Proxy) Trips() int { return int(p.trips.Load()) }

// CutAll cuts every connection there is.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) keep(c net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.conns[c] = true
	} else {
		delete(p.conns, c)
	}
}

// proxied is one connection through the proxy.
type proxied struct {
	proxy          *Proxy
	client, server net.Conn
	awaited        atomic.Bool     // the answer to COMMIT is to be lost
	commits        map[string]bool // the prepared statements that commit
	leaving        bool            // COMMIT is on its way: cut after the message that ends the request
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.keep(client, true)
	defer p.keep(client, false)
	c := &proxied{proxy: p, client: client, server: server, commits: map[string]bool{}}
	var both sync.WaitGroup
	both.Go(func() { c.requests(); server.Close() })
	both.Go(func() { c.answers(); client.Close() })
	both.Wait()
}

// requests passes what the client says on, message by message.
func (c *proxied) requests() {
	from, to := bufio.NewReaderSize(c.client, 1<<16), bufio.NewWriterSize(c.server, 1<<16)
	first := true
	for {
		var kind byte
		var head [4]byte
		if !first {
			var err error
			if kind, err = from.ReadByte(); err != nil {
				return
			}
		}
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if c.commit(kind, body) && c.cut() {
			return
		}
		if kind == 'S' || kind == 'Q' {
			c.proxy.trips.Add(1)
		}
		if !first {
			to.WriteByte(kind)
		}
		first = false
		to.Write(head[:])
		to.Write(body)
		if from.Buffered() == 0 || c.leaving {
			to.Flush()
		}
		if (kind == 'S' || kind == 'Q') && c.leaving {
			return
		}
	}
}

// commit tells whether a message makes the server commit: it says COMMIT, or
// binds a statement that was prepared as COMMIT.
func (c *proxied) commit(kind byte, body []byte) bool {
	if kind == 'Q' {
		return string(body) == "COMMIT\x00"
	}
	words := bytes.SplitN(body, []byte{0}, 3)
	if len(words) < 3 {
		return false
	}
	switch kind {
	case 'P':
		c.commits[string(words[0])] = string(words[1]) == "COMMIT"
	case 'B':
		return c.commits[string(words[1])]
	}
	return false
}

// cut decides about a commit and tells whether the connection ends now.
func (c *proxied) cut() bool {
	fate := c.proxy.fate()
	if fate != Pass {
		c.proxy.cuts.Add(1)
	}
	switch fate {
	case CutBefore:
		return true
	case CutWhile:
		c.leaving = true
	case CutAfter:
		c.awaited.Store(true)
	}
	return false
}

// answers passes what the server says on, until an answer is to be lost.
func (c *proxied) answers() {
	buffer := make([]byte, 1<<16)
	var late []byte
	for {
		n, err := c.server.Read(buffer)
		if err != nil {
			return
		}
		if !c.awaited.Load() {
			if _, err := c.client.Write(buffer[:n]); err != nil {
				return
			}
			continue
		}
		late = append(late, buffer[:n]...)
		if bytes.Contains(late, []byte("COMMIT\x00")) {
			return
		}
		if bytes.Contains(late, []byte{'Z', 0, 0, 0, 5}) { // it did not commit: that is told
			c.awaited.Store(false)
			c.client.Write(late)
			late = nil
		}
	}
}
