package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"onrecord/audit"
)

// tlsFlags let the program speak HTTPS by itself.
type tlsFlags struct {
	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"Certificate chain (PEM), to speak HTTPS without a proxy. Read again when it is renewed."`
	TLSKey  string `name:"tls-key" placeholder:"FILE" help:"Private key (PEM) of --tls-cert."`
}

// wrap makes a listener speak TLS, if that is wanted.
func (f tlsFlags) wrap(ln net.Listener, logger *slog.Logger) (net.Listener, error) {
	if f.TLSCert == "" {
		return ln, nil
	}
	c := &certificate{cert: f.TLSCert, key: f.TLSKey, logger: logger}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c.listen(ln), nil
}

func (f tlsFlags) check(url string) error {
	switch {
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return audit.Invalid("tls-key", "--tls-cert and --tls-key belong together: set both or neither")
	case f.TLSCert != "" && !isHTTPS(url):
		return audit.Invalid("url", "--tls-cert needs --url with the https address that people type, such as https://portal.example.com")
	}
	return nil
}

// certificate is read again when its file changes, so that a renewal needs no
// restart. One that cannot be read leaves the last one in use.
type certificate struct {
	cert, key string
	logger    *slog.Logger

	mu      sync.Mutex
	now     *tls.Certificate // guarded by mu
	changed time.Time        // guarded by mu; of the file that was read
	looked  time.Time        // guarded by mu
}

const certificateEvery = 10 * time.Second

func (c *certificate) listen(ln net.Listener) net.Listener {
	return tls.NewListener(ln, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: c.get,
	})
}

func (c *certificate) read() error {
	info, err := os.Stat(c.cert)
	if err != nil {
		return fmt.Errorf("--tls-cert: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("--tls-cert %s with --tls-key %s: %w", c.cert, c.key, err)
	}
	c.now, c.changed = &pair, info.ModTime()
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= certificateEvery {
		c.looked = time.Now()
		if info, err := os.Stat(c.cert); err == nil && !info.ModTime().Equal(c.changed) {
			if err := c.read(); err != nil {
				c.logger.Error("the renewed certificate cannot be used; the last one stays", "error", err)
			}
		}
	}
	return c.now, nil
}
