package rtmp

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestPublish(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.start()
	sink := <-g.sinks
	if sink.request.Secret != testKey || sink.request.Protocol != ingest.RTMP ||
		sink.request.Remote.String() != e.LocalAddr().String() || sink.request.RequestKeyframe != nil {
		t.Errorf("asked with %+v", sink.request)
	}
	e.video(0, testHeader)
	e.send(4, message{kind: typeAudio, stream: 1, body: testAAC})
	e.video(40, avcPicture(4, testIDR))
	e.send(4, message{kind: typeAudio, stream: 1, timestamp: 45, body: []byte{0xaf, 1, 0x21, 0x10}})
	if u := sink.unit(t); u.PTS != 0 || len(u.NALUs) != 2 {
		t.Errorf("sequence header: %v", u)
	}
	if u := sink.unit(t); u.PTS != 0 || len(u.NALUs) != 3 || !bytes.Equal(u.NALUs[2], testIDR) {
		t.Errorf("picture: %v", u)
	}
	announced := sink.frame(t)
	if announced.Codec.SampleRate != 48000 || announced.Codec.Channels != 1 || announced.Data != nil {
		t.Errorf("announced %+v, %v", announced.Codec, announced.Data)
	}
	if f := sink.frame(t); f.PTS != 5*time.Millisecond || f.Codec != announced.Codec || !bytes.Equal(f.Data, []byte{0x21, 0x10}) {
		t.Errorf("frame: %+v", f)
	}
	e.call(0, "deleteStream", 0, func(w *amfWriter) { w.null(); w.number(1) })
	if reason := <-sink.closed; reason != nil {
		t.Error("closed:", reason)
	}
}

// TestSessionLog: one line says why a session ended, and the stream key is in none
// (must-have 7).
func TestSessionLog(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.call(0, "connect", 1, func(w *amfWriter) { w.object("app", "app/"+testKey, "tcUrl", "rtmp://h/app/"+testKey) })
	e.awaitCommand("_result")
	e.call(0, "releaseStream", 2, func(w *amfWriter) { w.null(); w.text(testKey) })
	e.call(0, "FCPublish", 3, func(w *amfWriter) { w.null(); w.text(testKey) })
	e.createStream()
	e.publish(testKey)
	e.awaitStatus()
	sink := <-g.sinks
	e.call(0, testKey, 3, nil)
	_ = e.Close()
	if reason := <-sink.closed; reason == nil {
		t.Error("a lost connection was taken for a good end")
	}
	shutdown(t, g)
	log := g.log.String()
	if strings.Count(log, "rtmp session ended") != 1 || !strings.Contains(log, "closed the connection without ending") ||
		!strings.Contains(log, "key="+ingest.Fingerprint(testKey)) {
		t.Errorf("log:\n%s", log)
	}
	if strings.Contains(log, testKey) {
		t.Errorf("the log holds the stream key:\n%s", log)
	}
	c1, c2 := net.Pipe()
	defer c1.Close()
	defer c2.Close()
	if _, config := newDoor(g.Server, nil, ingest.RTMP).connect(guest{Conn: c1, session: &session{}}); config.Logger != nil {
		t.Error("go-rtmp has a logger; it logs stream keys")
	}
}

func shutdown(t *testing.T, g *gateway) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := g.Shutdown(ctx); err != nil {
		t.Error("shutdown:", err)
	}
}

// TestPanic: a panic in what others give us ends its session alone, and the rest of it is
// closed (must-have 13).
func TestPanic(t *testing.T) {
	tests := map[string]func() (ingest.Sink, error){
		"publish": func() (ingest.Sink, error) { panic("test") },
		"write":   func() (ingest.Sink, error) { return panicking{write: true}, nil },
		"close":   func() (ingest.Sink, error) { return panicking{}, nil },
		"no sink": func() (ingest.Sink, error) { return nil, nil },
		"error":   func() (ingest.Sink, error) { return nil, errors.New("database on fire") },
	}
	for name, sink := range tests {
		t.Run(name, func(t *testing.T) {
			g := serve(t, Options{}, func(context.Context, ingest.Request) (ingest.Sink, error) { return sink() })
			e := dial(t, g)
			e.connect()
			e.createStream()
			e.publish(testKey)
			e.video(0, testHeader)
			if name == "close" {
				_ = e.Close()
			} else {
				code, text := e.awaitStatus()
				if code == "NetStream.Publish.Start" {
					code, text = e.awaitStatus()
				}
				if code != "NetStream.Publish.Denied" || !strings.Contains(text, "failed on its side") {
					t.Errorf("%s: %s", code, text)
				}
			}
			e.awaitClose()
			shutdown(t, g)
			if n := strings.Count(g.log.String(), "rtmp session ended"); n != 1 {
				t.Errorf("%d lines:\n%s", n, g.log)
			}
		})
	}
}

type panicking struct{ write bool }

func (p panicking) WriteVideo(*ingest.AccessUnit) error {
	if p.write {
		panic("test")
	}
	return nil
}
func (panicking) WriteAudio(*ingest.AudioFrame) error { return nil }
func (panicking) Close(error) error                   { panic("test") }

// TestShutdown: encoders are told, sinks are closed and everything has ended after it
// (must-haves 5 and 6).
func TestShutdown(t *testing.T) {
	g := serve(t, Options{}, nil)
	var encoders []*encoder
	for range 5 {
		e := dial(t, g)
		e.start()
		e.video(0, testHeader)
		encoders = append(encoders, e)
	}
	connectTo(t, g) // never shakes hands
	stopped := make(chan struct{})
	go func() { defer close(stopped); shutdown(t, g) }()
	for _, e := range encoders {
		if code, text := e.awaitStatus(); code != "NetStream.Publish.Denied" || !strings.Contains(text, "being stopped") {
			t.Errorf("%s: %s", code, text)
		}
		e.awaitClose()
		_ = e.Close()
		var r *ingest.Rejection
		if reason := <-(<-g.sinks).closed; !errors.As(reason, &r) || r.Code != ingest.Disconnected {
			t.Error("closed:", reason)
		}
	}
	<-stopped
	if err := g.Serve(listening(t), ingest.RTMP); err != nil {
		t.Error("serve after shutdown:", err)
	}
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestShutdownCut: an encoder that does not react is cut off when the context ends.
func TestShutdownCut(t *testing.T) {
	g := serve(t, Options{LingerTimeout: time.Hour}, nil)
	e := dial(t, g)
	e.start()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { e.awaitStatus(); cancel() }()
	if err := g.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error("shutdown:", err)
	}
	e.awaitClose()
}

// TestConnectionLimits: must-have 6.
func TestConnectionLimits(t *testing.T) {
	for name, o := range map[string]Options{
		"total":       {MaxConnections: 2, HandshakeTimeout: time.Hour},
		"per address": {MaxConnectionsPerAddress: 2, HandshakeTimeout: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			g := serve(t, o, nil)
			first, second := dial(t, g), dial(t, g)
			third := connectTo(t, g)
			if n, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a third connection was not closed: %d bytes, %v", n, err)
			}
			first.start()
			_ = first.Close()
			<-(<-g.sinks).closed
			for { // the place is free soon after
				c := connectTo(t, g)
				c.write([]byte{3})
				if _, err := c.Read(make([]byte, 1)); err == nil {
					break
				}
			}
			second.start()
		})
	}
}

// TestAcceptBacksOff: must-have 6. go-rtmp alone would call Accept without a pause.
func TestAcceptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &brokenListener{}
		s := newGateway(t, Options{}, nil)
		served := make(chan error, 1)
		go func() { served <- s.Serve(l, ingest.RTMP) }()
		time.Sleep(10 * time.Second) // of the bubble's time
		if n := l.accepts.Load(); n < 5 || n > 20 {
			t.Errorf("Accept was called %d times in 10 s", n)
		}
		_ = s.Shutdown(t.Context())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

type brokenListener struct {
	accepts atomic.Int32
	closed  atomic.Bool
}

func (l *brokenListener) Accept() (net.Conn, error) {
	l.accepts.Add(1)
	if l.closed.Load() {
		return nil, net.ErrClosed
	}
	return nil, syscall.EMFILE
}
func (l *brokenListener) Close() error   { l.closed.Store(true); return nil }
func (l *brokenListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestListenerEnds: a listener that somebody else closed ends Serve with an error.
func TestListenerEnds(t *testing.T) {
	s := newGateway(t, Options{}, nil)
	l := listening(t)
	_ = l.Close()
	if err := s.Serve(l, ingest.RTMP); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	shutdown(t, s)
}

func TestRTMPS(t *testing.T) {
	l := tls.NewListener(listening(t), testTLS(t))
	g := serveOn(t, l, ingest.RTMPS, Options{}, nil)
	silent, err := net.Dial("tcp", g.addr) // must not hold up the others
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, err := tls.Dial("tcp", g.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := newEncoder(t, c)
	e.handshake()
	e.start()
	sink := <-g.sinks
	if sink.request.Protocol != ingest.RTMPS {
		t.Error("protocol", sink.request.Protocol)
	}
	e.video(0, testHeader)
	sink.unit(t)
	e.video(0, []byte{0x1c, 0, 0, 0, 0}) // HEVC
	if code, text := e.awaitStatus(); code != "NetStream.Publish.Denied" || !strings.Contains(text, "HEVC") {
		t.Errorf("%s: %s", code, text)
	}
	e.awaitClose()
}

func testTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func TestAddressKey(t *testing.T) {
	tests := map[string]string{
		"192.0.2.1:5000":            "192.0.2.1",
		"[::ffff:192.0.2.1]:5000":   "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:70": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:70":         "fe80::/64",
	}
	for in, want := range tests {
		a, err := net.ResolveTCPAddr("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := addressKey(a); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	c, _ := net.Pipe()
	if got := addressKey(c.LocalAddr()); got != "pipe" {
		t.Error(got)
	}
}
