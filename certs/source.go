// Package certs gives the TLS certificates of the doors: from files that are watched and
// swapped without dropping a connection, or self-signed for development.
package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
)

// Source is a certificate that may be replaced while it is in use. Its methods may be
// called from any goroutine.
type Source struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	seen              [2]fileState // of certFile and keyFile, when they were last loaded
}

// fileState tells whether a file was replaced.
type fileState struct {
	modified time.Time
	size     int64
}

// Load reads a certificate chain and its private key, both PEM.
func Load(certFile, keyFile string, log *slog.Logger) (*Source, error) {
	s := &Source{certFile: certFile, keyFile: keyFile, log: log}
	s.seen = s.states()
	return s, s.reload()
}

func (s *Source) reload() error {
	pair, err := tls.LoadX509KeyPair(s.certFile, s.keyFile)
	if err != nil {
		return errors.Wrapf(err, "load certificate %s with key %s", s.certFile, s.keyFile)
	}
	s.current.Store(&pair)
	return nil
}

// TLSConfig gives a configuration for TLS 1.2 or newer whose new connections always get
// the newest certificate.
func (s *Source) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load(), nil
		},
	}
}

// Watch loads the files again when they change, until the context ends. A pair that cannot
// be loaded, for example because only one of the files has been replaced so far, leaves the
// former one in use. It looks every interval rather than waiting for file events, which
// network file systems and swapped symbolic links do not send.
func (s *Source) Watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.refresh()
		}
	}
}

func (s *Source) refresh() {
	now := s.states()
	if now == s.seen {
		return
	}
	s.seen = now
	if err := s.reload(); err != nil {
		s.log.Warn("the new certificate cannot be used; the former one stays", "err", err)
		return
	}
	s.log.Info("certificate replaced", "file", s.certFile, "expires", s.current.Load().Leaf.NotAfter)
}

func (s *Source) states() (states [2]fileState) {
	for i, name := range []string{s.certFile, s.keyFile} {
		if info, err := os.Stat(name); err == nil {
			states[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}
