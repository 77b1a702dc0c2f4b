package whip

import (
	"sync"
	"time"

	"github.com/pion/rtp"
)

// maxPacket is the largest datagram that is taken. It is an Ethernet frame's, and no
// publisher's path is wider.
const maxPacket = 1500

// packet is one RTP packet (RFC 3550, 5.1), on its way from a track to the picture that it
// is a part of. Its memory is used again: whoever takes it last gives it back to the pool.
type packet struct {
	arrival time.Time
	seq     uint16
	ts      uint32
	marker  bool
	payload []byte // within buf; empty for padding, which probes the bandwidth

	rtp rtp.Packet
	buf [maxPacket]byte
}

// parse reads the first n bytes of buf.
func (p *packet) parse(n int) error {
	if err := p.rtp.Unmarshal(p.buf[:n]); err != nil {
		return err //nolint:wrapcheck // it is counted, and shown to nobody
	}
	p.seq, p.ts, p.marker, p.payload = p.rtp.SequenceNumber, p.rtp.Timestamp, p.rtp.Marker, p.rtp.Payload
	return nil
}

// packetPool keeps the memory of packets. It may be used from any goroutine.
type packetPool struct{ pool sync.Pool }

func (pp *packetPool) get() *packet {
	if p, ok := pp.pool.Get().(*packet); ok {
		return p
	}
	return new(packet)
}

func (pp *packetPool) put(p *packet) { pp.pool.Put(p) }
