package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"onrecord/web"
)

// writeCertificate makes a certificate of its own for a host.
func writeCertificate(t *testing.T, f tlsFlags, host string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, own, own, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, text := range map[string][]byte{f.TLSKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), f.TLSCert: cert} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}

// fetch asks over TLS and gives the protocol of the answer.
func fetch(t *testing.T, addr, host string, trust *x509.CertPool) (proto string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trust, ServerName: host}, ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	res, err := client.Get("https://" + addr)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "hello" {
		t.Errorf("the answer is %q, %v", body, err)
	}
	return res.Proto, nil
}

// A renewed certificate is used without a restart, a broken one is not.
func TestTLSTakesARenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	f := tlsFlags{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem")}
	first := writeCertificate(t, f, "portal.example.com")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate{cert: f.TLSCert, key: f.TLSKey, logger: slog.New(slog.DiscardHandler)}
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	go web.Serve(t.Context(), c.listen(ln), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	addr := ln.Addr().String()
	if proto, err := fetch(t, addr, "portal.example.com", first); err != nil || proto != "HTTP/2.0" {
		t.Fatalf("%s, %v", proto, err)
	}
	renew := func(at time.Time) {
		if err := os.Chtimes(f.TLSCert, at, at); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		c.looked = time.Time{}
		c.mu.Unlock()
	}
	second := writeCertificate(t, f, "portal.example.com")
	renew(time.Now().Add(time.Minute))
	if _, err := fetch(t, addr, "portal.example.com", second); err != nil {
		t.Errorf("the renewed certificate is not used: %v", err)
	}
	if _, err := fetch(t, addr, "portal.example.com", first); err == nil {
		t.Error("the old certificate is still used")
	}
	if err := os.WriteFile(f.TLSCert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	renew(time.Now().Add(2 * time.Minute))
	if _, err := fetch(t, addr, "portal.example.com", second); err != nil {
		t.Errorf("a broken file ends the certificate in use: %v", err)
	}
}
