package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// TestDeadlines: must-have 3, with the real limits in the bubble's time. Each script says
// when its connection must be closed.
func TestDeadlines(t *testing.T) {
	// Who was told why gets two more seconds to close.
	const second, linger = time.Second, 2 * time.Second
	tests := []struct {
		name   string
		after  time.Duration
		script func(*encoder)
	}{
		{"silence", 5 * second, func(*encoder) {}},
		{"dripped handshake", 5 * second, func(e *encoder) { drip(e, append([]byte{3}, make([]byte, 3072)...)) }},
		{"no connect", 10 * second, func(e *encoder) { e.handshake() }},
		{"dripped chunks instead of publish", 10 * second, func(e *encoder) {
			e.handshake()
			drip(e, make([]byte, 3072))
		}},
		{"connected and no publish", 10*second + linger, func(e *encoder) {
			e.handshake()
			e.connect()
			e.createStream()
		}},
		{"no media", 15*second + linger, func(e *encoder) { e.handshake(); e.start() }},
		{"dripped picture", 15*second + linger, func(e *encoder) {
			e.handshake()
			e.start()
			drip(e, chunk0(6, message{kind: typeVideo, body: make([]byte, 100)}, 0))
		}},
		{"commands instead of media", 15*second + linger, func(e *encoder) {
			e.handshake()
			e.start()
			for range 14 {
				e.call(0, "_checkbw", 0, nil)
				time.Sleep(time.Second)
			}
		}},
		{"media and then none", 75*second + linger, func(e *encoder) {
			e.handshake()
			e.start()
			for range 5 {
				time.Sleep(12 * time.Second)
				e.send(4, message{kind: typeAudio, stream: 1}) // of no length: alive all the same
			}
		}},
		{"unpublished and no more", 11*second + linger, func(e *encoder) {
			e.handshake()
			e.start()
			time.Sleep(time.Second)
			e.call(0, "deleteStream", 0, func(w *amfWriter) { w.null(); w.number(1) })
		}},
		{"refused and goes on sending", linger, func(e *encoder) {
			e.handshake()
			e.start()
			e.video(0, []byte{0x1c, 0, 0, 0, 0}) // HEVC
			for range 30 {
				if _, err := e.Write([]byte{0}); err != nil {
					return
				}
				time.Sleep(time.Second / 10)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, stop := dialBubble(t, nil)
				defer stop()
				begun := time.Now()
				test.script(e)
				if !e.shook {
					go e.discard()
				}
				<-e.closed
				if got := e.closedAt.Sub(begun).Round(second / 5); got != test.after {
					t.Errorf("closed after %v, want %v", got, test.after)
				}
			})
		})
	}
}

// drip writes a byte each second until the connection is closed.
func drip(e *encoder, b []byte) {
	if !e.shook {
		go e.discard()
		e.shook = true // somebody reads
	}
	for i := range b {
		if _, err := e.Write(b[i : i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// TestIdleText: who falls silent is told so, and is not taken for one who broke a rule:
// the next attempt shall not be refused.
func TestIdleText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, stop := dialBubble(t, nil)
		defer stop()
		e.handshake()
		e.start()
		if _, text := e.awaitStatus(); !strings.Contains(text, "No audio or video arrived for 15s") {
			t.Error(text)
		}
		var r *ingest.Rejection
		if reason := <-(<-e.gateway.sinks).closed; reason == nil || errors.As(reason, &r) {
			t.Errorf("closed: %v", reason)
		}
	})
}

// TestLastWord: nothing of go-rtmp's own follows a refusal (must-have 4).
func TestLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, stop := dialBubble(t, nil)
		defer stop()
		e.gateway.publish = refuseAll(ingest.Rejectf(ingest.InvalidStreamKey, "unknown key"))
		e.handshake()
		e.connect()
		e.createStream()
		e.publish(testKey)
		if code, text := e.awaitStatus(); code != "NetStream.Publish.Denied" || text != "unknown key" {
			t.Errorf("%s: %s", code, text)
		}
		for m := range e.received {
			t.Errorf("more was said: %q", m.body)
		}
	})
}

// TestTLSHandshakeDeadline: must-have 3 for RTMPS.
func TestTLSHandshakeDeadline(t *testing.T) {
	config := testTLS(t)
	synctest.Test(t, func(t *testing.T) {
		e, stop := dialBubble(t, config)
		defer stop()
		begun := time.Now()
		drip(e, append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc}, make([]byte, 100)...)) // a ClientHello begins so
		<-e.closed
		if got := e.closedAt.Sub(begun).Round(time.Second / 5); got != 5*time.Second {
			t.Errorf("closed after %v", got)
		}
	})
}

// TestWriteDeadline: an encoder that does not read cannot hold the connection.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, stop := dialBubble(t, nil)
		defer stop()
		e.write(append([]byte{3}, make([]byte, 1536)...))
		begun := time.Now()
		if _, err := io.ReadFull(e, make([]byte, 100)); err != nil { // and no more
			t.Fatal(err)
		}
		for {
			if _, err := e.Write([]byte{0}); err != nil {
				break
			}
		}
		if got := time.Since(begun).Round(time.Second / 5); got != 5*time.Second {
			t.Errorf("closed after %v", got)
		}
	})
}

// TestAnswersNobodyReads: the same once go-rtmp's own writer is at work, which alone would
// take three seconds more.
func TestAnswersNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, stop := dialBubble(t, nil)
		defer stop()
		e.write(append([]byte{3}, make([]byte, 1536)...))
		if _, err := io.ReadFull(e, make([]byte, handshakeSize)); err != nil {
			t.Fatal(err)
		}
		e.write(make([]byte, 1536))
		begun := time.Now()
		e.write(chunk0(3, message{kind: typeCommand, body: command("connect", 1, func(w *amfWriter) { w.object("app", "app") })}, 0))
		for {
			if _, err := e.Write([]byte{0}); err != nil {
				break
			}
		}
		if got := time.Since(begun).Round(time.Second / 5); got != 5*time.Second {
			t.Errorf("closed after %v", got)
		}
		stop()
		if got := time.Since(begun).Round(time.Second / 5); got != 5*time.Second {
			t.Errorf("over after %v", got)
		}
	})
}

// dialBubble connects to a server with the default limits, all within a synctest bubble.
func dialBubble(t *testing.T, config *tls.Config) (e *encoder, stop func()) {
	t.Helper()
	near, far := net.Pipe()
	pipes := pipeListener{conns: make(chan net.Conn, 1)}
	var l net.Listener = pipes
	pipes.conns <- halfClosable{far}
	if config != nil {
		l = tls.NewListener(pipes, config)
	}
	g := newGateway(t, Options{}, nil)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l, ingest.RTMP) }()
	e = newEncoder(t, near)
	e.gateway = g
	return e, sync.OnceFunc(func() {
		_ = near.Close()
		if err := g.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if e.shook {
			<-e.closed
		}
	})
}

// halfClosable is a pipe that claims to be able to close one direction.
type halfClosable struct{ net.Conn }

func (halfClosable) CloseWrite() error { return nil }

type pipeListener struct{ conns chan net.Conn }

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l pipeListener) Close() error {
	defer func() { _ = recover() }() // closed twice, as listeners are
	close(l.conns)
	return nil
}
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
