package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

// A browser can lip-sync once it has two sender reports of each track, so the second one
// follows the first soon; the others come each second.
const (
	secondReport = 150 * time.Millisecond
	nextReport   = time.Second
)

// clock relates stage time to the wall clock. It is the same for both tracks, which is what
// lip-sync rests on: NTP time = start + stage time.
type clock struct{ start time.Time }

// now gives the stage time of a moment.
func (c clock) now(t time.Time) time.Duration { return t.Sub(c.start) }

// report makes the sender report (RFC 3550, 6.4.1) that maps the sender's timestamps to the
// wall clock as of stage time stream.
func (s *sender) report(c clock, stream time.Duration) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        s.header.SSRC,
		NTPTime:     ntp(c.start.Add(stream)),
		RTPTime:     s.timestamp(stream),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// ntp gives the 64-bit NTP timestamp (RFC 3550, 4) of a time.
func ntp(t time.Time) uint64 {
	const unixEpoch = 2208988800 // seconds from 1900 to 1970
	seconds := uint64(t.Unix() + unixEpoch)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
