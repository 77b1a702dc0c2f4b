package whip

import (
	"encoding/binary"
	"time"
)

// The bounds of one picture. 8.5 Mbps are about one megabyte a second.
const (
	maxUnitBytes = 4 << 20
	maxUnitNALUs = 1024
)

// NAL unit types (ITU-T H.264, table 7-1; RFC 6184, table 1).
const (
	naluSlice     = 1
	naluIDR       = 5
	naluSPS       = 7
	naluPPS       = 8
	naluDelimiter = 9
	naluFiller    = 12
	naluSTAPA     = 24
	naluFUA       = 28
)

func naluType(nalu []byte) byte { return nalu[0] & 0x1f }

// unit is a picture as it came out of its packets.
type unit struct {
	ts      uint32
	arrival time.Time // of its first packet
	nalus   [][]byte  // never empty; the memory is the unit's own
}

// depacketizer makes access units of one RTP stream's packets in order (RFC 6184, 5 and 7):
// single NAL units, STAP-A and FU-A, the packet types of packetization-mode 0 and 1. A unit
// of which anything is missing or malformed is dropped whole.
type depacketizer struct {
	open    bool // a unit is being put together
	ts      uint32
	arrival time.Time
	damaged bool
	// unsure means that the unit follows a gap, so that its beginning may be missing.
	unsure bool
	gap    bool // something is missing that no unit was dropped for yet
	// dropped counts the units that were dropped, and the gaps between units.
	dropped   int
	droppedTS uint32

	data     []byte // the NAL units so far, one behind the other
	starts   []int  // where in data each of them begins
	fragment bool   // the last of them is not complete (FU-A)
}

// push takes the next packet; lost says that packets before it are missing. It gives the
// units that are finished by it, at most two; ok is false where one was damaged.
func (d *depacketizer) push(p *packet, lost bool) (done []unit, ok bool) {
	ok = true
	finish := func() {
		if !d.open {
			return
		}
		u, whole := d.finish()
		if whole && len(u.nalus) > 0 {
			done = append(done, u)
		}
		ok = ok && whole
	}
	if lost {
		// The gap was in the unit that is open, or between the units, or both.
		d.damaged, d.gap = true, true
		finish()
		ok, d.unsure = false, true
	}
	if len(p.payload) == 0 {
		return done, ok
	}
	if d.open && p.ts != d.ts {
		finish() // the publisher does not set the marker
	}
	if !d.open {
		d.begin(p)
	}
	if !d.damaged && !d.take(p.payload) {
		d.damaged = true
	}
	if p.marker {
		finish()
	}
	return done, ok
}

func (d *depacketizer) begin(p *packet) {
	d.open, d.ts, d.arrival = true, p.ts, p.arrival
	d.damaged, d.fragment = false, false
	d.data, d.starts = d.data[:0], d.starts[:0]
}

// finish ends the open unit; whole is false where something of it is missing.
func (d *depacketizer) finish() (u unit, whole bool) {
	whole = !d.damaged && !d.fragment
	if whole && d.unsure && len(d.starts) > 0 {
		// Only these two are always the first of an access unit (7.4.1.2.3).
		first := d.data[d.starts[0]] & 0x1f
		whole = first == naluSPS || first == naluDelimiter
	}
	// What follows a gap may be more of the unit that was dropped for it.
	if (d.gap || !whole) && (whole || d.dropped == 0 || d.ts != d.droppedTS) {
		d.dropped++
		d.droppedTS = d.ts
	}
	d.open, d.unsure, d.damaged, d.gap = false, false, false, false
	if !whole {
		return unit{}, false
	}
	u = unit{ts: d.ts, arrival: d.arrival, nalus: make([][]byte, 0, len(d.starts)+2)}
	data := append(make([]byte, 0, len(d.data)), d.data...)
	for i, start := range d.starts {
		end := len(data)
		if i+1 < len(d.starts) {
			end = d.starts[i+1]
		}
		u.nalus = append(u.nalus, data[start:end:end])
	}
	return u, true
}

// take adds one payload to the open unit; it is false where the payload is malformed.
func (d *depacketizer) take(payload []byte) bool {
	switch t := payload[0] & 0x1f; {
	case payload[0]&0x80 != 0: // forbidden_zero_bit: something before us saw damage
		return false
	case t == naluFUA:
		return d.takeFragment(payload)
	case d.fragment: // the fragments before it have no end
		return false
	case t == naluSTAPA:
		return d.takeAggregate(payload[1:])
	case t >= 1 && t < naluSTAPA:
		return d.add(payload)
	default: // the interleaved mode's types, and those without a meaning
		return false
	}
}

// takeAggregate takes the NAL units of a STAP-A (RFC 6184, 5.7.1).
func (d *depacketizer) takeAggregate(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if size == 0 || size > len(b) || b[0]&0x1f == 0 || b[0]&0x1f >= naluSTAPA {
			return false
		}
		if !d.add(b[:size]) {
			return false
		}
		b = b[size:]
	}
	return true
}

// takeFragment takes a FU-A (RFC 6184, 5.8).
func (d *depacketizer) takeFragment(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	start, end, typ := b[1]&0x80 != 0, b[1]&0x40 != 0, b[1]&0x1f
	if start == d.fragment || typ == 0 || typ >= naluSTAPA {
		return false
	}
	if start {
		if !d.add([]byte{b[0]&0xe0 | typ}) {
			return false
		}
	}
	if len(d.data)+len(b) > maxUnitBytes {
		return false
	}
	d.data = append(d.data, b[2:]...)
	d.fragment = !end
	return true
}

func (d *depacketizer) add(nalu []byte) bool {
	if len(d.data)+len(nalu) > maxUnitBytes || len(d.starts) >= maxUnitNALUs {
		return false
	}
	d.starts = append(d.starts, len(d.data))
	d.data = append(d.data, nalu...)
	return true
}
