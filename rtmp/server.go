package rtmp

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
)

// Options are the limits of a Server. Zero values mean the defaults.
type Options struct {
	HandshakeTimeout time.Duration // for the TLS and for the RTMP handshake, each; default 5 s
	PublishTimeout   time.Duration // from the handshake to publish; default 10 s
	IdleTimeout      time.Duration // without an audio or video message; default 15 s
	WriteTimeout     time.Duration // for each write; default 5 s
	LingerTimeout    time.Duration // for the encoder to read why it was refused; default 2 s

	MaxConnections           int // at a time; default 1024
	MaxConnectionsPerAddress int // at a time, from an IPv4 address or IPv6 /64; default 128
}

func (o Options) withDefaults() Options {
	orDefault(&o.HandshakeTimeout, 5*time.Second)
	orDefault(&o.PublishTimeout, 10*time.Second)
	orDefault(&o.IdleTimeout, 15*time.Second)
	orDefault(&o.WriteTimeout, 5*time.Second)
	orDefault(&o.LingerTimeout, 2*time.Second)
	orDefault(&o.MaxConnections, 1024)
	orDefault(&o.MaxConnectionsPerAddress, 128)
	return o
}

func orDefault[T time.Duration | int](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

// Server lets RTMP encoders publish. Its methods may be called from any goroutine.
type Server struct {
	publish ingest.Publish
	log     *slog.Logger
	options Options

	handling sync.WaitGroup // sessions and Serve calls
	done     chan struct{}  // closed by Shutdown

	mu        sync.Mutex
	stopped   bool
	doors     map[*door]struct{}
	sessions  map[*session]string // to the address that each counts for
	addresses map[string]int
	turned    int       // connections turned away since turnedAt
	turnedAt  time.Time // when that was last logged
}

// NewServer makes a server that asks publish about every publisher. The log gets one line
// for each session that says why it ended, and never a stream key.
func NewServer(publish ingest.Publish, log *slog.Logger, o Options) *Server {
	return &Server{
		publish:   publish,
		log:       log,
		options:   o.withDefaults(),
		done:      make(chan struct{}),
		doors:     make(map[*door]struct{}),
		sessions:  make(map[*session]string),
		addresses: make(map[string]int),
	}
}

// Serve accepts connections until Shutdown, when it gives nil, or until the listener ends
// by itself. It closes the listener. For RTMPS the listener is one of crypto/tls; the TLS
// handshakes run beside each other and not here.
func (s *Server) Serve(l net.Listener, p ingest.Protocol) error {
	d := newDoor(s, l, p)
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return l.Close()
	}
	s.handling.Add(1)
	s.doors[d] = struct{}{}
	s.mu.Unlock()
	defer s.handling.Done()

	err := d.rtmp.Serve(d)
	s.mu.Lock()
	delete(s.doors, d)
	s.mu.Unlock()
	if s.closing() {
		return nil
	}
	if d.err != nil {
		err = d.err
	}
	return errors.Wrap(err, "accept RTMP connections")
}

// Shutdown closes the listeners, tells every encoder that the gateway stops, and waits for
// all sessions to end. When ctx ends before that it cuts the connections and gives ctx's
// error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.done)
	}
	for d := range s.doors {
		_ = d.Close() // fails if it has ended by itself; Accept does the rest
	}
	for session := range s.sessions {
		session.guard.stop(ingest.Rejectf(ingest.Disconnected,
			"The gateway is being stopped; nothing is wrong with your stream. Start again in a moment."))
		session.cancel()
	}
	s.mu.Unlock()

	ended := make(chan struct{})
	go func() {
		s.handling.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for session := range s.sessions {
		_ = session.guard.conn.Close() // whoever uses it finds out
	}
	s.mu.Unlock()
	return ctx.Err()
}

func (s *Server) closing() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// pause waits, but not beyond Shutdown.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}

// admit counts a connection and makes its session, or gives nil if there are too many.
func (s *Server) admit(c net.Conn, p ingest.Protocol) *session {
	address := addressKey(c.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	if len(s.sessions) >= s.options.MaxConnections || s.addresses[address] >= s.options.MaxConnectionsPerAddress {
		s.turnedAway(address)
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	log := s.log.With("protocol", p, "remote", c.RemoteAddr().String())
	session := &session{
		server:   s,
		protocol: p,
		guard:    newGuard(c, s.options),
		base:     log,
		log:      log,
		ctx:      ctx,
		cancel:   cancel,
		accepted: time.Now(),
	}
	s.handling.Add(1)
	s.sessions[session] = address
	s.addresses[address]++
	return session
}

// turnedAway logs that connections were over the limit, at most once in ten seconds: a
// flood must not flood the log.
func (s *Server) turnedAway(address string) {
	s.turned++
	if now := time.Now(); now.Sub(s.turnedAt) >= 10*time.Second {
		s.log.Warn("too many rtmp connections", "turned_away", s.turned, "address", address,
			"connections", len(s.sessions), "max_connections", s.options.MaxConnections,
			"max_per_address", s.options.MaxConnectionsPerAddress)
		s.turned, s.turnedAt = 0, now
	}
}

// forget is called once for each session, at its end.
func (s *Server) forget(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := s.sessions[session]
	delete(s.sessions, session)
	if s.addresses[address]--; s.addresses[address] == 0 {
		delete(s.addresses, address)
	}
	s.handling.Done()
}
