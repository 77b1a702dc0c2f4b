package main

import (
	"encoding/binary"

	"github.com/pion/rtp"
)

// pictures makes picture ids of a video track's packets (RFC 6184), without putting the
// pictures together.
type pictures struct {
	started   bool
	next      uint16 // sequence number
	timestamp uint32
	id        pictureID
	idr       bool
	missing   int  // packets that did not come, up to now
	holed     bool // the current picture may lack packets
}

// push takes a packet. It gives true where that one completes a picture, which then is id,
// idr and timestamp. Reordered packets count as missing: no network path of a load test
// reorders them, and a player would have to wait for them.
func (p *pictures) push(packet *rtp.Packet) bool {
	gap := int16(packet.SequenceNumber - p.next)
	if p.started && gap < 0 || len(packet.Payload) < 2 {
		return false
	}
	if !p.started || packet.Timestamp != p.timestamp {
		p.id, p.idr, p.holed = pictureID{}, false, false
	}
	if p.started && gap > 0 {
		p.missing += int(gap)
		p.holed = true
	}
	p.started, p.next, p.timestamp = true, packet.SequenceNumber+1, packet.Timestamp
	p.payload(packet.Payload)
	return packet.Marker
}

func (p *pictures) payload(b []byte) {
	switch b[0] & 0x1f {
	case naluSTAPA:
		for b = b[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if n == 0 || n > len(b)-2 {
				return
			}
			p.slice(b[2], b[3:2+n])
			b = b[2+n:]
		}
	case naluFUA:
		p.slice(b[1], b[2:])
	default:
		p.slice(b[0], b[1:])
	}
}

// slice takes the bytes of a slice that follow its header; what is none is left out.
func (p *pictures) slice(header byte, b []byte) {
	if t := header & 0x1f; isSlice(t) {
		p.idr = p.idr || t == naluIDR
		p.id.add(b)
	}
}
