package rtmp

import "github.com/stagedoor/stagedoor/ingest"

// Unpacker makes access units and audio frames of the audio and video messages of one
// publisher and writes them to a sink. The bodies of FLV tags are the same messages. An
// error of either method is the sink's, or a *ingest.Rejection of what cannot be unpacked:
// another video codec, or nothing but damaged messages.
type Unpacker struct {
	to    ingest.Sink
	video videoReader
	audio audioReader
}

// NewUnpacker makes an Unpacker that writes to a sink, which it does not close.
func NewUnpacker(to ingest.Sink) *Unpacker {
	clock := &clock{}
	return &Unpacker{
		to:    to,
		video: videoReader{clock: clock, avc: newAVCStream()},
		audio: audioReader{clock: clock},
	}
}

// Video takes the body of a video message, which the sink keeps; timestamp is its
// milliseconds.
func (u *Unpacker) Video(timestamp uint32, body []byte) error {
	unit, err := u.video.read(timestamp, body)
	if err != nil || unit == nil {
		return err
	}
	return u.to.WriteVideo(unit)
}

// Audio takes the body of an audio message, as Video does.
func (u *Unpacker) Audio(timestamp uint32, body []byte) error {
	frames, err := u.audio.read(timestamp, body)
	for i := 0; err == nil && i < len(frames); i++ {
		err = u.to.WriteAudio(&frames[i])
	}
	return err
}

// Damaged is how many messages could not be read and were left out.
func (u *Unpacker) Damaged() int { return u.video.damaged + u.audio.damaged }
