package sfu

import (
	"time"

	"github.com/pion/rtp"
)

const (
	historySize = 512 // packets, a power of two: about 1.7 s at 2.5 Mbps, 0.5 s at 8.5
	// maxAsked is how many packets a viewer may ask for before it is served; it asks again
	// for what is forgotten.
	maxAsked = 256
	// maxResent is how many packets are sent again to one viewer in a second.
	maxResent = 1500
	// resendAfter keeps a packet from being sent again while the last copy may still be on
	// its way.
	resendAfter = 15 * time.Millisecond
)

// history knows what was sent under the last sequence numbers, and sends it again. It keeps
// no bytes: the units are shared.
type history struct {
	sent   [historySize]sentPacket
	header rtp.Header // of a retransmission stream (RFC 4588), if one was negotiated
	rtx    bool
	seq    uint16
	buffer [2 + maxPayload]byte

	window time.Time // the second in which resent counts
	resent int
}

type sentPacket struct {
	unit      *unit
	index     int32
	timestamp uint32
	seq       uint16
	marker    bool
	resent    time.Time
}

func newHistory(t *track) *history {
	h := &history{rtx: t.offered.rtxType != 0 && t.rtxSSRC != 0}
	h.header = rtp.Header{Version: 2, PayloadType: t.offered.rtxType, SSRC: t.rtxSSRC}
	return h
}

// remember notes a packet.
func (h *history) remember(header *rtp.Header, u *unit, index int) {
	h.sent[header.SequenceNumber%historySize] = sentPacket{unit: u, index: int32(index),
		timestamp: header.Timestamp, seq: header.SequenceNumber, marker: header.Marker}
}

// resend sends a packet again: on the retransmission stream where there is one, else as it
// was. It gives the bytes sent, 0 where the packet is not known any more or has just been
// sent again.
func (s *sender) resend(seq uint16, now time.Time) (int, error) {
	h := s.history
	p := &h.sent[seq%historySize]
	if p.unit == nil || p.seq != seq || now.Sub(p.resent) < resendAfter {
		return 0, nil
	}
	if now.Sub(h.window) >= time.Second {
		h.window, h.resent = now, 0
	}
	if h.resent >= maxResent {
		return 0, nil
	}
	h.resent++
	p.resent = now
	payload := p.unit.payload(int(p.index))
	s.cc.stamp()
	if !h.rtx {
		s.header.SequenceNumber, s.header.Timestamp, s.header.Marker = p.seq, p.timestamp, p.marker
		_, err := s.writer.WriteRTP(&s.header, payload)
		return len(payload), err
	}
	// The original sequence number precedes the payload (RFC 4588, 4).
	h.buffer[0], h.buffer[1] = byte(seq>>8), byte(seq)
	n := 2 + copy(h.buffer[2:], payload)
	h.header.SequenceNumber, h.header.Timestamp, h.header.Marker = h.seq, p.timestamp, p.marker
	h.seq++
	_, err := s.writer.WriteRTP(&h.header, h.buffer[:n])
	return n, err
}
