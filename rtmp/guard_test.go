package rtmp

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAnnouncements: must-haves 9 and 10, and what go-rtmp says by itself.
func TestAnnouncements(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.call(0, "connect", 1, func(w *amfWriter) { w.object("app", "app") })
	want := []message{
		{kind: typeSetChunkSize, body: []byte{0, 1, 0, 0}},
		{kind: typeWindowAckSize, body: []byte{0, 0x26, 0x25, 0xa0}},
		{kind: typePeerBandwidth, body: []byte{0, 0x26, 0x25, 0xa0, 2}}, // 2: dynamic
	}
	for i, w := range want {
		if m := <-e.received; m.kind != w.kind || !bytes.Equal(m.body, w.body) {
			t.Errorf("message %d: type %d, %x; want type %d, %x", i, m.kind, m.body, w.kind, w.body)
		}
	}
}

// TestAcknowledgements: a peer that stops without them gets them, for the bytes that it
// sent, and none for every few bytes if it asks for that.
func TestAcknowledgements(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.start()
	e.send(2, message{kind: typeWindowAckSize, body: []byte{0, 0, 0, 1}})
	sent := 0
	picture := chunk0(6, message{kind: typeVideo, stream: 1, body: avcPicture(4, bytes.Repeat(testP, 250))}, 128)
	for range 200 {
		e.write(picture)
		sent += len(picture)
	}
	e.call(0, "deleteStream", 0, nil)
	<-(<-g.sinks).closed
	_ = e.Conn.(*net.TCPConn).CloseWrite()
	acks, last := 0, uint32(0)
	for m := range e.received {
		if m.kind == typeAck {
			acks++
			last = binary.BigEndian.Uint32(m.body)
		}
	}
	if most := sent/(minAckWindow/2) + 1; acks < most-2 || acks > most || last > uint32(sent+handshakeSize+2000) || last < uint32(sent-minAckWindow) {
		t.Errorf("%d acknowledgements up to %d for %d bytes", acks, last, sent)
	}
}

// TestPing: a peer that asks whether we live is answered.
func TestPing(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.connect()
	e.send(2, message{kind: typeUserControl, body: []byte{0, 6, 1, 2, 3, 4}})
	m := e.await("a pong", func(m message) bool { return m.kind == typeUserControl && m.body[1] == 7 })
	if !bytes.Equal(m.body, []byte{0, 7, 1, 2, 3, 4}) {
		t.Errorf("%x", m.body)
	}
}

// TestLockstep: a Read gives bytes of one message only, which session relies on.
func TestLockstep(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go func() {
		_, _ = near.Write(append([]byte{3}, make([]byte, handshakeSize-1)...))
		_, _ = near.Write(slices.Concat(
			chunk0(6, message{kind: typeVideo, body: []byte("one")}, 0), chunk0(6, message{kind: typeVideo, body: []byte("second")}, 0)))
	}()
	g := newGuard(far, Options{}.withDefaults())
	g.options.IdleTimeout = time.Minute
	if _, err := io.ReadFull(g, make([]byte, handshakeSize)); err != nil {
		t.Fatal(err)
	}
	if n, err := g.Read(make([]byte, 1000)); n != 32 || err != nil { // the preamble
		t.Fatal(n, err)
	}
	g.publish(1)
	for _, want := range []int{3, 6} {
		if n, err := g.Read(make([]byte, 1000)); n != 12 || err != nil || g.bodySize != want {
			t.Fatal(n, err, g.bodySize)
		}
		if n, err := g.Read(make([]byte, 1000)); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
}

// TestStrangers: what speaks another protocol is named in the log.
func TestStrangers(t *testing.T) {
	for first, want := range map[byte]string{0x16: "TLS was spoken", 6: "RTMPE", 'G': "no RTMP handshake"} {
		g := serve(t, Options{}, nil)
		e := connectTo(t, g)
		e.write([]byte{first})
		if _, err := e.Read(make([]byte, 1)); err == nil {
			t.Errorf("%#x was answered", first)
		}
		shutdown(t, g)
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("%#x:\n%s", first, g.log)
		}
	}
}
