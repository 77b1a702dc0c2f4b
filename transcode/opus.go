package transcode

import (
	"github.com/pkg/errors"
	"github.com/tphakala/go-opus/opus"
)

// encoder encodes the packets of one Opus stream. It is an interface so that another library
// can take go-opus's place.
type encoder interface {
	// Encode writes one packet for 960 interleaved samples of each channel into buf, which
	// has room for maxPacketBytes, and gives its length.
	Encode(pcm []int16, buf []byte) (int, error)
}

const (
	// maxPacketBytes is the most that 20 ms of Opus can take (RFC 6716, 3.2.1, and the TOC).
	maxPacketBytes = 1276
	// lookahead is by how many samples a decoder's output is late against the encoder's
	// input; every Opus encoder in its audio mode has this one.
	lookahead = 312
)

// newEncoder opens an encoder for CELT with constrained VBR. There is no in-band FEC: it
// lives in SILK, and at these rates it costs more quality than it saves.
func newEncoder(o Options) (encoder, error) {
	e, err := opus.NewEncoder(opus.EncoderConfig{
		SampleRate:     outputRate,
		Channels:       o.Channels,
		Bitrate:        o.Bitrate,
		ConstrainedVBR: true,
		Complexity:     o.Complexity,
	})
	return e, errors.Wrap(err, "open Opus encoder")
}
