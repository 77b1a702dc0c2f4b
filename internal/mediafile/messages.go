package mediafile

import (
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/validate"
)

// What MP4 and MPEG-TS hold is put into the messages in which RTMP would carry it, so that
// it is unpacked and judged like any publisher's (FLV E.4.2 and E.4.3).

// video takes the body of a video message, which is kept; after a refusal it takes no more.
func (p *player) video(ms uint32, body []byte) error {
	if p.noVideo {
		return nil
	}
	err := p.unpacker.Video(ms, body)
	p.noVideo = err != nil
	return p.refused(err)
}

// audio takes the body of an audio message, as video does.
func (p *player) audio(ms uint32, body []byte) error {
	if p.noAudio {
		return nil
	}
	err := p.unpacker.Audio(ms, body)
	p.noAudio = err != nil
	return p.refused(err)
}

// refused tells the judge of a refusal, and gives any other error back.
func (p *player) refused(err error) error {
	var r *ingest.Rejection
	if err == nil || !errors.As(err, &r) {
		return err
	}
	p.found = true
	p.to.Note(validate.FindingOf(r))
	return nil
}

// otherVideo tells the judge of a video track that is not H.264.
func (p *player) otherVideo(codec string) {
	p.found = true
	p.to.Note(validate.UnsupportedVideo(codec))
}

// otherAudio announces an audio format, of which no frames are played.
func (p *player) otherAudio(codec *ingest.AudioCodec) error {
	return p.WriteAudio(&ingest.AudioFrame{Codec: codec})
}

const (
	keyframeAVC, interframeAVC = 0x17, 0x27
	soundAAC                   = 0xaf
)

// avcHeader plays an AVCDecoderConfigurationRecord.
func (p *player) avcHeader(record []byte) error {
	return p.video(0, append([]byte{keyframeAVC, 0, 0, 0, 0}, record...))
}

// avcPicture plays a picture whose NAL units have lengths before them; composition is the
// milliseconds from decoding to presentation.
func (p *player) avcPicture(ms uint32, composition int64, picture []byte) error {
	const most = 1<<23 - 1
	c := min(max(composition, -most), most)
	return p.video(ms, append([]byte{interframeAVC, 1, byte(c >> 16), byte(c >> 8), byte(c)}, picture...))
}

// aacHeader plays an AudioSpecificConfig.
func (p *player) aacHeader(config []byte) error {
	return p.audio(0, append([]byte{soundAAC, 0}, config...))
}

// aacFrame plays a raw_data_block.
func (p *player) aacFrame(ms uint32, frame []byte) error {
	return p.audio(ms, append([]byte{soundAAC, 1}, frame...))
}

// opusPacket plays an Opus packet, which RTMP does not carry in a way that tells channels.
func (p *player) opusPacket(pts time.Duration, codec *ingest.AudioCodec, packet []byte) error {
	return p.WriteAudio(&ingest.AudioFrame{PTS: pts, Codec: codec, Data: packet})
}
