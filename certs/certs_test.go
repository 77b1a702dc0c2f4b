package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestSelfSignedIsKeptAndCoversItsHosts(t *testing.T) {
	dir := t.TempDir()
	first, err := SelfSigned(dir, []string{"edge.example", "192.0.2.7"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "edge.example", "192.0.2.7"} {
		if err := first.current.Load().Leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	again, err := SelfSigned(dir, []string{"edge.example"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.current.Load().Leaf.Raw, first.current.Load().Leaf.Raw) {
		t.Error("a second start made another certificate")
	}
	other, err := SelfSigned(dir, []string{"other.example"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.current.Load().Leaf.VerifyHostname("other.example"); err != nil {
		t.Errorf("after the host changed: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "selfsigned.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v, want mode 0600", info.Mode(), err)
	}
}

// A connection that was there before the swap goes on; a new one sees the new certificate;
// a broken pair changes nothing.
func TestFilesAreSwappedWithoutDroppingConnections(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := writeSelfSigned(cert, key, []string{"one.example"}); err != nil {
		t.Fatal(err)
	}
	s, err := Load(cert, key, quiet())
	if err != nil {
		t.Fatal(err)
	}
	client, server := handshake(t, s)
	if err := client.ConnectionState().PeerCertificates[0].VerifyHostname("one.example"); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(cert, []byte("half written"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.refresh()
	if err := s.current.Load().Leaf.VerifyHostname("one.example"); err != nil {
		t.Fatal("a broken file replaced the certificate")
	}
	if err := writeSelfSigned(cert, key, []string{"second.example"}); err != nil {
		t.Fatal(err)
	}
	s.refresh()
	fresh, _ := handshake(t, s)
	if err := fresh.ConnectionState().PeerCertificates[0].VerifyHostname("second.example"); err != nil {
		t.Errorf("after the swap: %v", err)
	}
	go func() { _, _ = client.Write([]byte("x")) }()
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Errorf("the former connection: %v", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s, err := SelfSigned(t.TempDir(), nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(b, s.TLSConfig()).Handshake() }()
	_ = tls.Client(a, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
	a.Close()
	if err := <-done; err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func handshake(t *testing.T, s *Source) (client, server *tls.Conn) {
	t.Helper()
	a, b := net.Pipe()
	deadline := time.Now().Add(5 * time.Second)
	_ = a.SetDeadline(deadline)
	_ = b.SetDeadline(deadline)
	t.Cleanup(func() { a.Close(); b.Close() })
	server = tls.Server(b, s.TLSConfig())
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	client = tls.Client(a, &tls.Config{InsecureSkipVerify: true, RootCAs: x509.NewCertPool()})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return client, server
}
