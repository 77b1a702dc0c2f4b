package sfu

import (
	"io"
	"sync"

	"github.com/pion/transport/v5/packetio"
)

// maxStreams is how many SSRCs a viewer may speak of. It needs four at most: two tracks, the
// retransmissions, and none.
const maxStreams = 64

// inboxes makes the buffers that pion puts decrypted packets of a viewer into. RTCP is read on
// the spot, which saves a goroutine and a buffer for each track; RTP is thrown away, since a
// viewer has nothing to send. Their number is bounded, because pion keeps state for every
// SSRC that a viewer speaks of.
type inboxes struct {
	listener listener
	tooMany  func()

	mu    sync.Mutex
	count int
}

// open is webrtc.SettingEngine.BufferFactory.
func (i *inboxes) open(packets packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	i.mu.Lock()
	i.count++
	over := i.count > maxStreams
	i.mu.Unlock()
	if over {
		i.tooMany()
	}
	b := &inbox{ssrc: ssrc, closed: make(chan struct{})}
	if packets == packetio.RTCPBufferPacket {
		b.listener = i.listener
	}
	return b
}

type inbox struct {
	ssrc     uint32
	listener listener // nil: throw away
	closed   chan struct{}
	once     sync.Once
}

// Write reads one packet on the goroutine that received it.
func (b *inbox) Write(p []byte) (int, error) {
	if b.listener != nil {
		readFeedback(p, b.ssrc, b.listener)
	}
	return len(p), nil
}

// Read waits until the buffer is closed: nothing is kept.
func (b *inbox) Read([]byte) (int, error) {
	<-b.closed
	return 0, io.EOF
}

// Close ends Read.
func (b *inbox) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
