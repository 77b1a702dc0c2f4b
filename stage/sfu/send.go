package sfu

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// sender sends one kind of media to one viewer. Its goroutine alone uses it.
type sender struct {
	kind    kind
	writer  webrtc.TrackLocalWriter
	header  rtp.Header // everything but sequence number, timestamp and marker stays
	base    uint32     // the RTP timestamp of stage time 0
	seq     uint16     // the next packet's sequence number
	cc      *transportSequence
	started bool
	last    time.Duration // stage time of the last unit as sent
	packets uint32        // sent, as a sender report counts them (RFC 3550, 6.4.1)
	octets  uint32
	history *history // video: for retransmissions
}

// transportSequence numbers the packets of all of a viewer's tracks for its transport-wide
// feedback. The two bytes are the header extension itself, which all headers share.
type transportSequence struct {
	next  uint16
	bytes [2]byte
}

func (s *transportSequence) stamp() {
	s.bytes[0], s.bytes[1] = byte(s.next>>8), byte(s.next)
	s.next++
}

// newSender makes the sender for a bound track.
func newSender(t *track, cc *transportSequence) *sender {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &sender{kind: t.kind, writer: t.writer, base: rand.Uint32(), seq: uint16(rand.Uint32()), cc: cc}
	s.header = rtp.Header{Version: 2, PayloadType: t.offered.payloadType, SSRC: t.ssrc}
	addTransportCC(&s.header, t.offered, cc)
	if t.kind == video {
		s.history = newHistory(t)
		addTransportCC(&s.history.header, t.offered, cc)
	}
	return s
}

func addTransportCC(h *rtp.Header, t *offeredTrack, cc *transportSequence) {
	if t.transportCC == 0 {
		return
	}
	h.Extension, h.ExtensionProfile = true, rtp.ExtensionProfileOneByte
	// It cannot fail: the id is within 1 to 14, and the value is two bytes long.
	_ = h.SetExtension(t.transportCC, cc.bytes[:])
}

// timestamp is the RTP timestamp of a stage time.
func (s *sender) timestamp(stream time.Duration) uint32 { return s.base + s.kind.ticks(stream) }

// send sends all packets of a unit as of the given stage time, which is raised if it would
// not come after the last unit's.
func (s *sender) send(u *unit, stream time.Duration, sent *atomic.Uint64) error {
	if s.started {
		stream = max(stream, s.last+minStep)
	}
	s.header.Marker = s.kind == audio && !s.started
	s.started, s.last = true, stream
	s.header.Timestamp = s.timestamp(stream)
	start := 0
	for i, end := range u.ends {
		if s.kind == video {
			s.header.Marker = i == len(u.ends)-1
		}
		s.header.SequenceNumber = s.seq
		s.seq++
		s.cc.stamp()
		if s.history != nil {
			s.history.remember(&s.header, u, i)
		}
		if _, err := s.writer.WriteRTP(&s.header, u.data[start:end]); err != nil {
			return err
		}
		start = end
	}
	s.packets += uint32(len(u.ends))
	s.octets += uint32(len(u.data))
	sent.Add(uint64(len(u.data)))
	return nil
}
