package rtmp

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
)

// outlet is the way out of a connection, used by go-rtmp's writer and by the connection's
// goroutine.
type outlet struct {
	conn    net.Conn
	timeout time.Duration
	muted   atomic.Bool // what is still written is swallowed

	mu        sync.Mutex
	handshake int // bytes of our handshake still to be written
	announced bool
	failure   error
}

// Write sends what go-rtmp writes. It never fails: after a failed write go-rtmp would take
// three seconds to close. It closes the connection instead, so that the reader finds out.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.handshake > 0 {
		o.handshake -= min(o.handshake, len(p))
		_ = o.write(p) // kept in failure
		return len(p), nil
	}
	if o.announce() == nil {
		_ = o.write(p) // kept in failure
	}
	return len(p), nil
}

// send writes a message of guard's own as one chunk with a full header.
func (o *outlet) send(chunk byte, m message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.announce(); err != nil {
		return err
	}
	return o.write(appendChunk(nil, chunk, m))
}

// farewell sends a last command; whatever go-rtmp writes after it is swallowed.
func (o *outlet) farewell(stream uint32, command []byte) error {
	err := o.send(chunkOwn, message{kind: typeCommand, stream: stream, body: command})
	o.muted.Store(true)
	return err
}

// hush ends a write that is under way, and swallows all later ones.
func (o *outlet) hush() {
	o.muted.Store(true)
	_ = o.conn.SetWriteDeadline(time.Unix(1, 0)) // fails on a closed connection only
}

func (o *outlet) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failure
}

// announce tells our chunk size before the first message, which is as soon as the handshake
// allows. go-rtmp was configured with the same size.
func (o *outlet) announce() error {
	if o.announced {
		return nil
	}
	o.announced = true
	size := binary.BigEndian.AppendUint32(nil, announcedChunk)
	return o.write(appendChunk(nil, chunkControl, message{kind: typeSetChunkSize, body: size}))
}

func (o *outlet) write(p []byte) error {
	_ = o.conn.SetWriteDeadline(time.Now().Add(o.timeout)) // fails on a closed connection only
	if o.muted.Load() || o.failure != nil {
		return o.failure
	}
	if _, err := o.conn.Write(p); err != nil {
		o.failure = errors.Wrap(err, "write to the encoder")
		_ = o.conn.Close() // for the reader to notice
	}
	return o.failure
}
