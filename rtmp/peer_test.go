package rtmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "sk_test-secret-stream-key"

// encoder is a scripted RTMP client. It writes exactly the bytes that a test asks for.
type encoder struct {
	t *testing.T
	net.Conn
	received chan message  // what the server says, after the handshake
	closed   chan struct{} // the server closed
	closedAt time.Time
	end      error
	shook    bool     // listen or discard runs
	gateway  *gateway // where a test has no other way to it
}

// dial connects, shakes hands and starts to listen.
func dial(t *testing.T, g *gateway) *encoder {
	t.Helper()
	e := connectTo(t, g)
	e.handshake()
	return e
}

func connectTo(t *testing.T, g *gateway) *encoder {
	t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // nothing here takes that long
	return newEncoder(t, c)
}

func newEncoder(t *testing.T, c net.Conn) *encoder {
	return &encoder{t: t, Conn: c, received: make(chan message, 4096), closed: make(chan struct{})}
}

func (e *encoder) handshake() {
	e.t.Helper()
	e.write(append([]byte{3}, make([]byte, 1536)...))
	reply := make([]byte, handshakeSize)
	if _, err := io.ReadFull(e, reply); err != nil {
		e.t.Fatal("handshake:", err)
	}
	// Not S1's bytes: must-have 10, as OBS has it.
	e.write(bytes.Repeat([]byte{7}, 1536))
	e.shook = true
	go e.listen()
}

// write fails the test only where the connection is still expected to be there.
func (e *encoder) write(b []byte) {
	e.t.Helper()
	if _, err := e.Conn.Write(b); err != nil {
		select {
		case <-e.closed:
		case <-time.After(5 * time.Second):
			e.t.Error("write:", err)
		}
	}
}

// listen reads the server's chunks, which it makes of types 0 to 3, without extended
// timestamps and never in pieces.
func (e *encoder) listen() {
	var err error
	defer func() { e.gone(err) }()
	last := map[byte]message{}
	sizes := map[byte]int{}
	for {
		var b [11]byte
		if _, err = io.ReadFull(e, b[:1]); err != nil {
			return
		}
		id := b[0] & 0x3f
		m := last[id]
		n := [...]int{11, 7, 3, 0}[b[0]>>6]
		if _, err = io.ReadFull(e, b[:n]); err != nil {
			return
		}
		if n >= 7 {
			sizes[id] = int(b[3])<<16 | int(b[4])<<8 | int(b[5])
			m.kind = b[6]
		}
		if n == 11 {
			m.stream = binary.LittleEndian.Uint32(b[7:])
		}
		m.body = make([]byte, sizes[id])
		if _, err = io.ReadFull(e, m.body); err != nil {
			return
		}
		last[id] = m
		e.received <- m
	}
}

// discard takes listen's place where the handshake is never done.
func (e *encoder) discard() {
	_, err := io.Copy(io.Discard, e)
	e.gone(err)
}

func (e *encoder) gone(err error) {
	e.closedAt, e.end = time.Now(), err
	close(e.received)
	close(e.closed)
}

// await gives the next message from the server for which is holds.
func (e *encoder) await(what string, is func(message) bool) message {
	e.t.Helper()
	for m := range e.received {
		if is(m) {
			return m
		}
	}
	e.t.Fatalf("the server closed the connection without %s", what)
	return message{}
}

// awaitCommand gives the arguments behind the name of the next command so called.
func (e *encoder) awaitCommand(name string) *amfReader {
	e.t.Helper()
	var r *amfReader
	e.await(name, func(m message) bool {
		r = &amfReader{rest: m.body}
		got, _ := r.text(0)
		return m.kind == typeCommand && string(got) == name
	})
	return r
}

// awaitStatus gives the next onStatus.
func (e *encoder) awaitStatus() (code, description string) {
	e.t.Helper()
	r := e.awaitCommand("onStatus")
	r.skip(0)
	r.skip(0)
	r.object(func(name []byte) {
		value, _ := r.text(1)
		switch string(name) {
		case "code":
			code = string(value)
		case "description":
			description = string(value)
		}
	})
	return code, description
}

// awaitClose waits until the server has closed.
func (e *encoder) awaitClose() {
	e.t.Helper()
	for range e.received {
	}
	<-e.closed
	if errors.Is(e.end, os.ErrDeadlineExceeded) {
		e.t.Error("the server did not close the connection")
	}
}

// chunk0 makes a message as one type 0 chunk, in pieces of the size if it is not 0.
func chunk0(id byte, m message, size int) []byte {
	b := appendChunkHeader(nil, id, m)
	if size == 0 {
		return append(b, m.body...)
	}
	first := true
	for piece := range slices.Chunk(m.body, size) {
		if !first {
			b = append(b, 0xc0|id)
			if m.timestamp >= 0xffffff {
				b = binary.BigEndian.AppendUint32(b, m.timestamp)
			}
		}
		first = false
		b = append(b, piece...)
	}
	return b
}

func (e *encoder) send(id byte, m message) {
	e.t.Helper()
	e.write(chunk0(id, m, 0))
}

// call sends a command; build adds what follows the transaction id.
func (e *encoder) call(stream uint32, name string, transaction float64, build func(*amfWriter)) {
	e.t.Helper()
	e.write(chunk0(3, message{kind: typeCommand, stream: stream, body: command(name, transaction, build)}, 128))
}

func command(name string, transaction float64, build func(*amfWriter)) []byte {
	var w amfWriter
	w.text(name)
	w.number(transaction)
	if build != nil {
		build(&w)
	}
	return w
}

func (e *encoder) connect() {
	e.t.Helper()
	e.call(0, "connect", 1, func(w *amfWriter) {
		w.object("app", "app", "type", "nonprivate", "flashVer", "FMLE/3.0", "tcUrl", "rtmp://127.0.0.1/app")
	})
	e.awaitCommand("_result")
}

func (e *encoder) createStream() {
	e.t.Helper()
	e.call(0, "createStream", 4, func(w *amfWriter) { w.null() })
	for {
		if got, _ := e.awaitCommand("_result").number(); got == 4 {
			return
		}
	}
}

func (e *encoder) publish(key string) {
	e.t.Helper()
	e.call(1, "publish", 5, func(w *amfWriter) {
		w.null()
		w.text(key)
		w.text("live")
	})
}

// start does everything up to media.
func (e *encoder) start() {
	e.t.Helper()
	e.connect()
	e.createStream()
	e.publish(testKey)
	if code, text := e.awaitStatus(); code != "NetStream.Publish.Start" {
		e.t.Fatalf("publish answered %s: %s", code, text)
	}
}

func (e *encoder) video(timestamp uint32, body []byte) {
	e.t.Helper()
	e.write(chunk0(6, message{kind: typeVideo, stream: 1, timestamp: timestamp, body: body}, 128))
}

// Small media that the readers understand. The SPS is of `ffmpeg -f lavfi -i
// testsrc2=s=640x360:r=30 -c:v libx264 -profile:v baseline -preset ultrafast`.
var (
	testSPS    = []byte{0x67, 0x42, 0xc0, 0x1e, 0xdc, 0x02, 0x80, 0xbf, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x58, 0xb9, 0x20}
	testPPS    = []byte{0x68, 0xca, 0x83, 0xcb, 0x20}
	testIDR    = []byte{0x65, 0x88, 0x84, 0x0a, 0xf2}
	testP      = []byte{0x41, 0x9a, 0x02, 0x04}
	testHeader = avcHeader(4, testSPS, testPPS)
	testAAC    = []byte{0xaf, 0x00, 0x11, 0x88}
)

// avcHeader makes the body of a sequence header message.
func avcHeader(lengthSize int, sps, pps []byte) []byte {
	b := []byte{0x17, 0, 0, 0, 0, 1, 66, 0xc0, 30, 0xfc | byte(lengthSize-1), 0xe1, byte(len(sps) >> 8), byte(len(sps))}
	b = append(b, sps...)
	return append(append(b, 1, byte(len(pps)>>8), byte(len(pps))), pps...)
}

// avcPicture makes the body of a picture message.
func avcPicture(lengthSize int, nalus ...[]byte) []byte {
	b := []byte{0x27, 1, 0, 0, 0}
	for _, n := range nalus {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(n)))
		b = append(append(b, size[4-lengthSize:]...), n...)
	}
	return b
}

// gateway is a Server in the test's process.
type gateway struct {
	*Server
	addr string
	log  *lockedBuffer

	publish ingest.Publish // nil: everyone gets a recorder
	sinks   chan *recorder // the recorders, in order
}

func newGateway(t *testing.T, o Options, publish ingest.Publish) *gateway {
	t.Helper()
	g := &gateway{log: &lockedBuffer{}, publish: publish, sinks: make(chan *recorder, 64)}
	g.Server = NewServer(g.admitPublisher, slog.New(slog.NewTextHandler(g.log, nil)), o)
	return g
}

func (g *gateway) admitPublisher(ctx context.Context, r ingest.Request) (ingest.Sink, error) {
	if g.publish != nil {
		return g.publish(ctx, r)
	}
	s := &recorder{request: r, units: make(chan *ingest.AccessUnit, 4096), frames: make(chan *ingest.AudioFrame, 4096), closed: make(chan error, 2)}
	g.sinks <- s
	return s, nil
}

// serve listens on the loopback and shuts down at the end of the test.
func serve(t *testing.T, o Options, publish ingest.Publish) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, ingest.RTMP, o, publish)
}

func serveOn(t *testing.T, l net.Listener, p ingest.Protocol, o Options, publish ingest.Publish) *gateway {
	t.Helper()
	if o.LingerTimeout == 0 {
		o.LingerTimeout = 200 * time.Millisecond
	}
	g := newGateway(t, o, publish)
	g.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- g.Serve(l, p) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
	})
	return g
}

// recorder is a sink that shows what it was given.
type recorder struct {
	request  ingest.Request
	units    chan *ingest.AccessUnit
	frames   chan *ingest.AudioFrame
	closed   chan error
	videoErr error
}

func (r *recorder) WriteVideo(u *ingest.AccessUnit) error {
	r.units <- u
	return r.videoErr
}

func (r *recorder) WriteAudio(f *ingest.AudioFrame) error {
	r.frames <- f
	return nil
}

func (r *recorder) Close(reason error) error {
	r.closed <- reason
	return nil
}

func (r *recorder) unit(t *testing.T) *ingest.AccessUnit {
	t.Helper()
	select {
	case u := <-r.units:
		return u
	case reason := <-r.closed:
		t.Fatal("no picture; closed:", reason)
	case <-time.After(10 * time.Second):
		t.Fatal("no picture")
	}
	return nil
}

func (r *recorder) frame(t *testing.T) *ingest.AudioFrame {
	t.Helper()
	select {
	case f := <-r.frames:
		return f
	case reason := <-r.closed:
		t.Fatal("no audio; closed:", reason)
	case <-time.After(10 * time.Second):
		t.Fatal("no audio")
	}
	return nil
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func refuseAll(err error) ingest.Publish {
	return func(context.Context, ingest.Request) (ingest.Sink, error) { return nil, err }
}

func letIn(s ingest.Sink) ingest.Publish {
	return func(context.Context, ingest.Request) (ingest.Sink, error) { return s, nil }
}
