package whip

import "github.com/stagedoor/stagedoor/ingest"

// opusClockRate is the same for every Opus stream, whatever it holds (RFC 7587, 4.1).
const opusClockRate = 48000

// audioTrack is a publisher's Opus stream. Its packets go on untouched; one that is lost is
// not waited for longer than it may have been overtaken, because nobody asks for it again.
type audioTrack struct {
	order reorder
	clock rtpClock
	codec *ingest.AudioCodec
}

func newAudioTrack() *audioTrack {
	a := &audioTrack{
		clock: rtpClock{rate: opusClockRate},
		// Opus is always declared with two channels (RFC 7587, 7); each packet says for
		// itself whether it holds one or two.
		codec: &ingest.AudioCodec{Name: ingest.Opus, SampleRate: opusClockRate, Channels: 2},
	}
	a.order.wait = orderWait
	return a
}

// frame makes an audio frame of a packet; nil if the packet is only padding.
func (a *audioTrack) frame(line *timeline, p *packet) *ingest.AudioFrame {
	if len(p.payload) == 0 {
		return nil
	}
	return &ingest.AudioFrame{
		PTS:   a.clock.date(line, p.ts, p.arrival),
		Codec: a.codec,
		Data:  append(make([]byte, 0, len(p.payload)), p.payload...),
	}
}
