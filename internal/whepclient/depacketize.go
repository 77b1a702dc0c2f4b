package whepclient

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"
)

// Picture is one H.264 access unit as it was received.
type Picture struct {
	NALUs     [][]byte // without start codes
	Timestamp uint32   // RTP, 90 kHz
	FirstSeq  uint16
	Packets   int
	Bytes     int       // of RTP payload
	First     time.Time // when its first packet came
	Last      time.Time // when it was complete
	Whole     bool      // no packet is missing
}

// IDR says whether decoding can start here.
func (p *Picture) IDR() bool {
	for _, n := range p.NALUs {
		if n[0]&0x1f == 5 {
			return true
		}
	}
	return false
}

// maxHeld is how many packets wait for a missing one before it is given up.
const maxHeld = 512

// assembler puts packets in order and makes pictures of them.
type assembler struct {
	started bool
	next    uint16
	held    map[uint16]heldPacket
	current *Picture
	partial []byte // the NAL unit whose fragments are coming
	emit    func(*Picture)
}

type heldPacket struct {
	rtp.Packet
	at time.Time
}

func newAssembler(emit func(*Picture)) *assembler {
	return &assembler{held: make(map[uint16]heldPacket), emit: emit}
}

// push takes a packet; late copies are ignored.
func (a *assembler) push(p *rtp.Packet, at time.Time) {
	if !a.started {
		a.started, a.next = true, p.SequenceNumber
	}
	if int16(p.SequenceNumber-a.next) < 0 {
		return
	}
	a.held[p.SequenceNumber] = heldPacket{*p, at}
	for {
		h, ok := a.held[a.next]
		if !ok {
			if len(a.held) < maxHeld {
				return
			}
			a.giveUp()
			continue
		}
		delete(a.held, a.next)
		a.next++
		a.add(&h.Packet, h.at)
	}
}

// giveUp skips the missing packet: the picture that it belongs to is not whole.
func (a *assembler) giveUp() {
	a.next++
	a.partial = nil
	if a.current == nil {
		a.current = &Picture{FirstSeq: a.next, First: time.Now()}
	}
	a.current.Whole = false
	a.current.Packets = -maxHeld // never whole again
}

func (a *assembler) add(p *rtp.Packet, at time.Time) {
	if a.current != nil && a.current.Packets >= 0 && a.current.Timestamp != p.Timestamp {
		a.finish(false, at)
	}
	if a.current == nil {
		a.current = &Picture{FirstSeq: p.SequenceNumber, First: at}
	}
	a.current.Timestamp = p.Timestamp
	a.current.Packets++
	a.current.Bytes += len(p.Payload)
	a.payload(p.Payload)
	if p.Marker {
		a.finish(a.current.Packets > 0, at)
	}
}

func (a *assembler) finish(whole bool, at time.Time) {
	a.current.Whole, a.current.Last = whole && len(a.partial) == 0, at
	a.emit(a.current)
	a.current, a.partial = nil, nil
}

// payload takes one RTP payload (RFC 6184, 5.6 to 5.8).
func (a *assembler) payload(b []byte) {
	if len(b) < 2 {
		return
	}
	switch b[0] & 0x1f {
	case 24: // STAP-A
		for b = b[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if n == 0 || n > len(b)-2 {
				return
			}
			a.nalu(b[2 : 2+n])
			b = b[2+n:]
		}
	case 28: // FU-A
		if b[1]&0x80 != 0 {
			a.partial = []byte{b[0]&0xe0 | b[1]&0x1f}
		}
		if len(a.partial) == 0 {
			return
		}
		a.partial = append(a.partial, b[2:]...)
		if b[1]&0x40 != 0 {
			a.nalu(a.partial)
			a.partial = nil
		}
	default:
		a.nalu(b)
	}
}

func (a *assembler) nalu(n []byte) { a.current.NALUs = append(a.current.NALUs, n) }
