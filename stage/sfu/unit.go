package sfu

import "time"

// kind tells the two tracks of a participant apart; it is an index.
type kind int

const (
	video kind = iota
	audio
	kinds // how many there are
)

// rate is the RTP clock of a kind in Hz (RFC 6184, 8.2.1; RFC 7587, 4.1).
func (k kind) rate() int64 {
	if k == video {
		return 90000
	}
	return 48000
}

// ticks turns a duration into RTP clock ticks.
func (k kind) ticks(d time.Duration) uint32 {
	const second = int64(time.Second)
	whole, part := int64(d)/second, int64(d)%second
	return uint32(whole*k.rate() + part*k.rate()/second)
}

// unit is one picture or one Opus packet, cut into RTP payloads. All viewers share it, so it
// never changes.
type unit struct {
	kind   kind
	idr    bool          // video: decoding can start here
	stream time.Duration // its place on the participant's timeline
	at     time.Time     // when it came
	data   []byte        // the RTP payloads, one after the other
	ends   []int         // where each of them ends in data
}

// payload gives the i-th RTP payload.
func (u *unit) payload(i int) []byte {
	start := 0
	if i > 0 {
		start = u.ends[i-1]
	}
	return u.data[start:u.ends[i]:u.ends[i]]
}
