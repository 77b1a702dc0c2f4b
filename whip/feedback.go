package whip

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// maxBitrate is what a stage takes of one publisher, audio and video (guide, media
	// limits), in bits per second.
	maxBitrate = 8_500_000
	// pliInterval is the least time between two requests for an IDR, however many viewers
	// want one: an IDR costs the publisher several pictures' worth of bits.
	pliInterval = 500 * time.Millisecond
	// rembInterval is how often the publisher is told the limit.
	rembInterval = time.Second
)

// pli asks for an IDR (RFC 4585, 6.3.1).
func pli(ssrc uint32) rtcp.Packet { return &rtcp.PictureLossIndication{MediaSSRC: ssrc} }

// nackPacket asks for packets again (RFC 4585, 6.2.1).
func nackPacket(ssrc uint32, seqs []uint16) rtcp.Packet {
	return &rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}
}

// remb tells the publisher the most that it may send (draft-alvestrand-rmcat-remb-03). What
// the path bears is for the publisher to find out, from transport-wide feedback and receiver
// reports.
func remb(ssrcs []uint32) rtcp.Packet {
	return &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: maxBitrate, SSRCs: ssrcs}
}
