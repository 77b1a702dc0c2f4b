package transcode

import "github.com/stagedoor/stagedoor/ingest"

// source turns the access units of one AAC configuration into 48 kHz samples of the track's
// number of channels. It is replaced when the configuration changes.
type source struct {
	decoder   decoder
	rate      int        // Hz, of the AAC
	resampler *resampler // nil at 48 kHz
	mix       mixer
}

// newSource refuses what the decoder or the resampler cannot take.
func newSource(c *ingest.AudioCodec, trackChannels int) (*source, error) {
	d, format, err := newDecoder(c.Config)
	if err != nil || format.rate > outputRate {
		return nil, refuseConfig(c.Config)
	}
	s := &source{decoder: d, rate: format.rate, mix: mixer{from: format.channels, to: trackChannels}}
	if format.rate != outputRate {
		s.resampler = newResampler(format.rate, min(format.channels, trackChannels))
	}
	return s, nil
}

// decode gives the decoder's samples, or nil for an access unit that cannot be decoded.
func (s *source) decode(au []byte) []int16 {
	pcm, err := s.decoder.decode(au)
	if err != nil {
		return nil
	}
	return pcm
}

// convert gives the track's samples for the decoder's, valid until the next call. Mixing down comes before and mixing up after the resampler,
// so that it works on as few channels as possible.
func (s *source) convert(pcm []int16) []int16 {
	pcm = s.mix.down(pcm)
	if s.resampler != nil {
		pcm = s.resampler.process(pcm)
	}
	return s.mix.up(pcm)
}

// restart forgets the samples that the resampler holds.
func (s *source) restart() {
	if s.resampler != nil {
		s.resampler.reset()
	}
}
