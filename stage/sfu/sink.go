package sfu

import (
	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
)

// maxOpus is the largest Opus packet that is sent, in bytes: RFC 6716, 3.4, allows 1275 in a
// frame, and RTP cannot cut one up.
const maxOpus = 1400

// sink takes a publisher's media.
type sink struct {
	sfu         *SFU
	participant *participant
}

// WriteVideo sends a picture to all viewers. A unit without a slice is not sent: the SPS and
// PPS come again before every IDR.
func (s *sink) WriteVideo(au *ingest.AccessUnit) error {
	data, ends, slice, idr := packetize(au.NALUs)
	if !slice {
		return nil
	}
	return s.participant.publish(s, &unit{kind: video, idr: idr, data: data, ends: ends}, au.PTS)
}

// WriteAudio sends an Opus packet to all viewers.
func (s *sink) WriteAudio(f *ingest.AudioFrame) error {
	if f.Codec == nil || f.Codec.Name != ingest.Opus {
		return errors.New("the stage takes Opus only: the audio was not transcoded")
	}
	if len(f.Data) == 0 || len(f.Data) > maxOpus {
		return nil
	}
	return s.participant.publish(s, &unit{kind: audio, data: f.Data, ends: []int{len(f.Data)}}, f.PTS)
}

// Close leaves the stage. The viewers stay for the grace period.
func (s *sink) Close(error) error {
	s.sfu.left(s)
	return nil
}
