package transcode

import (
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	slabBytes  = 16 << 10 // about 60 packets of 96 kbps
	slabFrames = 64
)

// slab cuts packets and frames, which are never written again once they are passed on, from
// larger pieces: two allocations for about 60 packets instead of two for each.
type slab struct {
	bytes  []byte
	frames []ingest.AudioFrame
}

// encode gives the packet for one frame of samples.
func (s *slab) encode(e encoder, pcm []int16) ([]byte, error) {
	if len(s.bytes) < maxPacketBytes {
		s.bytes = make([]byte, slabBytes)
	}
	// The encoder adapts to the room that it is given, so it always gets the same.
	n, err := e.Encode(pcm, s.bytes[:maxPacketBytes])
	if err != nil {
		return nil, errors.Wrap(err, "encode Opus")
	}
	packet := s.bytes[:n:n]
	s.bytes = s.bytes[n:]
	return packet, nil
}

func (s *slab) frame(pts time.Duration, c *ingest.AudioCodec, packet []byte) *ingest.AudioFrame {
	if len(s.frames) == 0 {
		s.frames = make([]ingest.AudioFrame, slabFrames)
	}
	f := &s.frames[0]
	s.frames = s.frames[1:]
	*f = ingest.AudioFrame{PTS: pts, Codec: c, Data: packet}
	return f
}
