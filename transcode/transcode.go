// Package transcode turns a publisher's AAC into the Opus that a stage takes. It is one sink
// of the pipeline; video passes through it untouched, and so does Opus.
//
// The way of an access unit: aac.go decodes it, clock.go compares its timestamp with the
// samples counted so far, resample.go brings it to 48 kHz, framer.go cuts it into packets of
// 20 ms and hides the joints, opus.go encodes. There is no goroutine: all work is done in
// WriteAudio.
package transcode

import (
	"bytes"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	outputRate    = 48000                 // Hz
	packetSamples = 960                   // samples of each channel in an Opus packet
	packetTime    = 20 * time.Millisecond // their duration
	unitSamples   = 1024                  // samples of each channel in an AAC access unit
)

// maxLost is how many access units in a row may fail to decode, a bit over one second,
// before the publisher is told instead of being put on stage without sound.
const maxLost = 50

// Options says what the stage's audio track looks like. The zero value is the default:
// stereo at 112 kbps.
type Options struct {
	// Channels of the track: 1, or 2 (the default). On a stereo track mono is heard on both
	// sides; on a mono track stereo is mixed down.
	Channels int
	// Bitrate of the Opus packets in bits per second; 0 means 112000 for stereo and
	// 72000 for mono.
	Bitrate int
	// Complexity is Opus's, 1 (least CPU) to 10; 0 means 1, which costs two thirds of 5; the
	// default bitrate makes up for what it loses (docs/decisions.md).
	Complexity int
}

// New gives a sink that passes its media on to next with AAC turned into Opus: each frame is
// one packet of 960 samples (20 ms) at 48 kHz. Before the first packet a frame without Data
// announces the track, as soon as the publisher's own sequence header or first frame came.
//
// PTS. Consecutive packets are exactly 20 ms apart. They are counted, not stamped: the
// publisher's timestamps anchor the count once, and later deviations are worked off as
// follows. Less than 40 ms is left alone at first and corrected slowly, by playing up to 2 %
// faster or slower, once it lasts; a gap of up to 200 ms is filled with silence; an overlap
// of up to 1 s is dropped; anything beyond is a jump of the publisher's clock, and the next
// packet's PTS takes the same jump.
//
// A packet's PTS is the publisher's time of the first sample that a decoder puts out for that
// packet. The Opus encoder's lookahead of 312 samples (6.5 ms, RFC 7587 has no pre-skip) is
// therefore subtracted, and the resampler adds nothing, as its samples are centred on their
// own time. Whoever plays decoded packets at their PTS is in sync with the video. What the
// publisher's AAC encoder put in front (priming) is in its own timestamps already. A packet
// that would start before zero is not sent.
//
// Errors: a *ingest.Rejection with InvalidAudioCodec where the audio is neither AAC-LC nor
// Opus, and with InvalidInput after 50 undecodable access units in a row. A lost or damaged
// access unit before that becomes silence of its length.
//
// The packets' bytes are never written again, and nothing of a frame is kept after
// WriteAudio has returned.
func New(next ingest.Sink, o Options) ingest.Sink {
	if o.Channels == 0 {
		o.Channels = 2
	}
	if o.Bitrate == 0 {
		o.Bitrate = 32000 + 40000*o.Channels
	}
	if o.Complexity == 0 {
		o.Complexity = 1
	}
	return &transcoder{
		next:    next,
		options: o,
		out:     &ingest.AudioCodec{Name: ingest.Opus, SampleRate: outputRate, Channels: o.Channels},
		framer:  newFramer(o.Channels),
		clock:   newClock(),
	}
}

// transcoder is the sink. Its source changes with the publisher's configuration; everything
// after it lasts for the session, so that viewers never see a codec start over.
type transcoder struct {
	next    ingest.Sink
	options Options

	codec  *ingest.AudioCodec // the publisher's, as last seen
	source *source            // nil until it is known to be AAC-LC

	framer  *framer
	clock   *clock
	encoder encoder            // nil until there is a source
	out     *ingest.AudioCodec // what the packets are
	slab    slab

	lost int // access units in a row that did not decode
}

// WriteVideo passes the picture on.
func (t *transcoder) WriteVideo(u *ingest.AccessUnit) error { return t.next.WriteVideo(u) }

// Close passes the reason on. Up to 20 ms of sound that fill no packet are given up.
func (t *transcoder) Close(reason error) error { return t.next.Close(reason) }

// WriteAudio passes Opus on and turns AAC into zero or more packets of Opus.
func (t *transcoder) WriteAudio(f *ingest.AudioFrame) error {
	switch f.Codec.Name {
	case ingest.Opus:
		return t.next.WriteAudio(f)
	case ingest.AAC:
	default:
		return refuseCodec(f.Codec)
	}
	if f.Codec != t.codec {
		if err := t.configure(f); err != nil {
			return err
		}
	}
	if len(f.Data) == 0 {
		return nil
	}
	return t.transcode(f)
}

// configure takes a new codec. An encoder that repeats its sequence header changes nothing.
func (t *transcoder) configure(f *ingest.AudioFrame) error {
	if t.codec != nil && bytes.Equal(t.codec.Config, f.Codec.Config) {
		t.codec = f.Codec
		return nil
	}
	s, err := newSource(f.Codec, t.options.Channels)
	if err != nil {
		return err
	}
	first := t.source == nil
	t.codec, t.source = f.Codec, s
	if !first {
		t.cut()
		return nil
	}
	if t.encoder, err = newEncoder(t.options); err != nil {
		return err
	}
	return t.next.WriteAudio(&ingest.AudioFrame{PTS: f.PTS, Codec: t.out})
}

// transcode puts one access unit, or silence in its place, where its timestamp says.
func (t *transcoder) transcode(f *ingest.AudioFrame) error {
	pcm := t.source.decode(f.Data)
	if pcm == nil {
		if t.lost++; t.lost >= maxLost {
			return refuseUndecodable(t.lost)
		}
	} else {
		t.lost = 0
	}

	switch t.clock.place(f.PTS) {
	case inOrder:
	case afterGap:
		t.cut()
		t.silence(f.PTS)
	case overlapping:
		t.cut()
		return nil
	case jumped:
		t.cut()
		t.clock.jump(f.PTS)
	}

	if pcm == nil {
		end := t.clock.head() + samplesTime(unitSamples, t.source.rate)
		t.cut()
		t.silence(end)
	} else {
		t.framer.write(t.source.convert(pcm))
		t.clock.advance(unitSamples)
	}
	return t.send()
}

// cut marks a place where the sound does not continue. The resampler starts over, so that
// nothing from before rings into what follows; the half millisecond that it held back is
// lost to the fade.
func (t *transcoder) cut() {
	head := t.clock.head()
	t.source.restart()
	t.framer.cut()
	t.clock.rebase(t.source.rate, t.framer.pending())
	t.silence(head)
}

// silence fills up to the given publisher's time. The clock's thresholds bound it.
func (t *transcoder) silence(until time.Duration) {
	t.framer.silence(timeSamples(until - t.clock.head()))
	t.clock.rebase(t.source.rate, t.framer.pending())
}

// send encodes and passes on what fills whole packets.
func (t *transcoder) send() error {
	for {
		bend := t.clock.bend()
		pcm := t.framer.frame(bend)
		if pcm == nil {
			return nil
		}
		packet, err := t.slab.encode(t.encoder, pcm)
		if err != nil {
			return err
		}
		t.framer.consume(packetSamples + bend)
		pts := t.clock.tick(bend)
		if pts < 0 {
			continue
		}
		if err := t.next.WriteAudio(t.slab.frame(pts, t.out, packet)); err != nil {
			return err
		}
	}
}
