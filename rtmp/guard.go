package rtmp

import (
	"bufio"
	"crypto/tls"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
)

// handshakeSize is what each side sends before its first chunk: C0, C1 and C2, or S0, S1
// and S2 (RTMP 5.2).
const handshakeSize = 1 + 1536 + 1536

// The types of messages, RTMP 5.4, 6.2 and 7.1.
const (
	typeSetChunkSize  = 1
	typeAbort         = 2
	typeAck           = 3
	typeUserControl   = 4
	typeWindowAckSize = 5
	typePeerBandwidth = 6
	typeAudio         = 8
	typeVideo         = 9
	typeDataAMF3      = 15
	typeCommandAMF3   = 17
	typeData          = 18
	typeCommand       = 20
	typeAggregate     = 22
)

// The chunk streams that we use, in both directions. go-rtmp answers on the chunk stream of
// the question, hence on chunkCommand; what guard itself sends goes on chunkOwn, as go-rtmp
// leaves out the parts of a header that it believes unchanged.
const (
	chunkControl = 2
	chunkCommand = 3
	chunkAudio   = 4
	chunkOwn     = 5
	chunkVideo   = 6
)

type message struct {
	kind      byte
	stream    uint32
	timestamp uint32
	body      []byte
}

// guard stands between a connection and go-rtmp. It reads chunks of any legal (and some
// illegal) shape and gives go-rtmp whole messages, each as one chunk, and only kinds that
// go-rtmp reads without harm. All AMF that go-rtmp sees was written by guard.
//
// A Read gives bytes of one message only, and go-rtmp reads no further than it must. So
// while a message is being handled guard has not yet looked at the next one, and what the
// handler changes here counts from the next message on.
//
// Reading and everything not named otherwise belongs to the connection's goroutine.
type guard struct {
	conn    net.Conn
	options Options
	wire    wire
	r       *bufio.Reader

	handshake int // bytes of the peer's handshake that are still to come
	chunkSize int
	chunks    map[uint32]*chunkStream
	held      int          // bytes of unfinished messages
	spent     *chunkStream // its message is being handed out
	aggregate aggregate
	// plainType3 is set once a type 3 chunk was seen to lack the extended timestamp that it
	// should repeat.
	plainType3 bool

	head, body []byte // what Read gives next
	headBuffer [16]byte
	bodySize   int // of the message that is being handed out

	commands
	publishing uint32 // the message stream that publishes, 0 if none
	acked      uint64
	ackWindow  uint64
	idleSet    time.Time
	dropped    int // messages that were left out

	deadlineFault fault // what a read past the deadline means
	stopped       atomic.Pointer[ingest.Rejection]
	out           outlet
}

// wire counts what comes in.
type wire struct {
	net.Conn
	received uint64
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.received += uint64(n)
	return n, err
}

func newGuard(conn net.Conn, o Options) *guard {
	g := &guard{
		conn:      conn,
		options:   o,
		wire:      wire{Conn: conn},
		handshake: handshakeSize,
		chunkSize: 128,
		chunks:    make(map[uint32]*chunkStream),
		ackWindow: windowSize,
		out:       outlet{conn: conn, timeout: o.WriteTimeout, handshake: handshakeSize},
	}
	g.r = bufio.NewReaderSize(&g.wire, readBuffer)
	return g
}

// open shakes hands for TLS, if the connection is one, and starts the clock for RTMP's own
// handshake.
func (g *guard) open() error {
	if c, ok := g.conn.(*tls.Conn); ok {
		g.expect(g.options.HandshakeTimeout, "the TLS handshake did not end in time")
		if err := c.Handshake(); err != nil {
			return g.explain(err)
		}
	}
	g.expect(g.options.HandshakeTimeout, "the RTMP handshake did not end in time")
	return nil
}

// expect sets an absolute deadline for what is to come; text is what missing it means.
func (g *guard) expect(d time.Duration, text fault) {
	g.deadlineFault = text
	_ = g.conn.SetReadDeadline(time.Now().Add(d)) // fails on a closed connection only, as the next read does
	if g.stopped.Load() != nil {
		_ = g.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// stop ends the connection from another goroutine: the reader finds why as its error.
func (g *guard) stop(why *ingest.Rejection) {
	g.stopped.Store(why)
	_ = g.conn.SetReadDeadline(time.Unix(1, 0))
}

// explain turns an error of the connection into what it means here.
func (g *guard) explain(err error) error {
	if failure := g.out.failed(); failure != nil {
		return failure
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if why := g.stopped.Load(); why != nil {
		return why
	}
	return g.deadlineFault
}

// Read gives go-rtmp the handshake as it comes and then chunks of guard's own making.
func (g *guard) Read(p []byte) (int, error) {
	if g.handshake > 0 {
		return g.readHandshake(p)
	}
	for len(g.head)+len(g.body) == 0 {
		if err := g.advance(); err != nil {
			return 0, g.explain(err)
		}
	}
	if len(g.head) > 0 {
		n := copy(p, g.head)
		g.head = g.head[n:]
		return n, nil
	}
	n := copy(p, g.body)
	g.body = g.body[n:]
	return n, nil
}

func (g *guard) readHandshake(p []byte) (int, error) {
	if g.handshake == handshakeSize {
		version, err := g.r.Peek(1)
		if err != nil {
			return 0, g.explain(err)
		}
		if err := checkVersion(version[0]); err != nil {
			return 0, err
		}
	}
	n, err := g.r.Read(p[:min(len(p), g.handshake)])
	g.handshake -= n
	if g.handshake == 0 {
		g.awaitPublish()
		g.head = innerPreamble()
	}
	if err != nil {
		return n, g.explain(err)
	}
	return n, nil
}

// checkVersion looks at C0 (RTMP 5.2.2), where strangers show what they speak.
func checkVersion(version byte) error {
	switch version {
	case 3:
		return nil
	case 0x16:
		return fault("TLS was spoken on the plain RTMP port; use the rtmp:// address, or the rtmps:// one with its own port")
	case 6:
		return fault("RTMPE was asked for, which is not supported; use rtmp:// or rtmps://")
	default:
		return fault("what was received is no RTMP handshake")
	}
}

// innerPreamble tells go-rtmp that every message comes as one chunk, and never to
// acknowledge anything: it would count the bytes that guard made. (Half of the window as
// go-rtmp computes it is then 2^32-1 bytes; guard acknowledges by itself.)
func innerPreamble() []byte {
	b := appendChunk(nil, chunkControl, message{kind: typeSetChunkSize, body: []byte{0, 0xff, 0xff, 0xff}})
	return appendChunk(b, chunkControl, message{kind: typeWindowAckSize, body: []byte{0xff, 0xff, 0xff, 0xfe}})
}

// advance handles one chunk.
func (g *guard) advance() error {
	if g.spent != nil {
		g.spent.release()
		g.spent = nil
	}
	if m, ok := g.aggregate.next(); ok {
		return g.route(m)
	}
	m, complete, err := g.readChunk()
	if err != nil || !complete {
		return err
	}
	if err := g.acknowledge(); err != nil {
		return err
	}
	return g.route(m)
}

// route sends a message on its way: to go-rtmp, to guard's own handling or nowhere.
func (g *guard) route(m message) error {
	switch m.kind {
	case typeSetChunkSize, typeAbort, typeAck, typeUserControl, typeWindowAckSize, typePeerBandwidth:
		return g.control(m)
	case typeAudio, typeVideo:
		g.media(m)
		return nil
	case typeCommandAMF3, typeDataAMF3:
		// These start with a 0 that says "the rest is AMF 0". A switch to AMF 3 inside is
		// refused by the reader.
		if len(m.body) > 0 && m.body[0] == 0 {
			m.body = m.body[1:]
		}
		if m.kind == typeCommandAMF3 {
			return g.command(m)
		}
		g.data(m)
		return nil
	case typeCommand:
		return g.command(m)
	case typeData:
		g.data(m)
		return nil
	case typeAggregate:
		g.aggregate.start(m)
		return nil
	default:
		g.dropped++
		return nil
	}
}

// media hands out audio and video, whatever message stream they name: a connection has one
// publisher, and some encoders number its stream wrongly. Messages of no length, which are
// legal and which go-rtmp panics on, keep the connection alive.
func (g *guard) media(m message) {
	if g.publishing == 0 {
		g.dropped++
		return
	}
	g.live()
	if len(m.body) == 0 {
		g.dropped++
		return
	}
	m.stream = g.publishing
	if m.kind == typeAudio {
		g.hand(chunkAudio, m)
	} else {
		g.hand(chunkVideo, m)
	}
}

// hand makes m what Read gives next. m.body must stay as it is until then.
func (g *guard) hand(chunk byte, m message) {
	g.head, g.body = appendChunkHeader(g.headBuffer[:0], chunk, m), m.body
	g.bodySize = len(m.body)
}

// awaitPublish starts the time within which the encoder must publish.
func (g *guard) awaitPublish() {
	g.publishing = 0
	g.expect(g.options.PublishTimeout, "no stream was published in time")
}

// publish opens the door for audio and video on a message stream.
func (g *guard) publish(stream uint32) {
	g.publishing = stream
	g.idleSet = time.Time{}
	g.live()
}

// live pushes the idle deadline away. Only a whole audio or video message does that: a peer
// that drips single bytes is idle.
func (g *guard) live() {
	now := time.Now()
	if now.Sub(g.idleSet) < g.options.IdleTimeout/8 {
		return // a system call for each message would be too many
	}
	g.idleSet = now
	g.expect(g.options.IdleTimeout, fault("No audio or video arrived for "+g.options.IdleTimeout.String()+
		"; a stream must send without a break. Check the network and that the encoder is not paused, then start again."))
}

// Write passes on what go-rtmp writes. It may run beside Read.
func (g *guard) Write(p []byte) (int, error) { return g.out.Write(p) }

// linger says that nothing more comes and waits until the peer has closed too. A close with
// unread input resets the connection, and the peer may then lose our last message, which is
// the one that says why.
func (g *guard) linger() {
	half, ok := g.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = g.conn.SetReadDeadline(time.Now().Add(g.options.LingerTimeout)) // see expect
	for {
		if _, err := g.r.Discard(readBuffer); err != nil {
			return
		}
	}
}
