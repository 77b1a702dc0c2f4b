package ingest

import "time"

// AccessUnit is one H.264 picture (ITU-T H.264, 7.4.1.2.3). Decoding order is display
// order, because B-frames are refused.
//
// An access unit without a slice (only SPS and PPS) is the publisher's sequence header:
// it announces the format and is never shown.
//
// The unit and its bytes are immutable once they are written to a Sink: a sink may keep
// them, so the writer must not reuse the memory.
type AccessUnit struct {
	// PTS is the presentation time since the session's first unit (audio or video), on the
	// publisher's clock, which the session's audio shares. It may jump forwards or
	// backwards where the publisher's clock does.
	PTS time.Duration
	// NALUs are the NAL units without start codes or length prefixes. SPS and PPS precede
	// every IDR slice; SEI is kept; access unit delimiters are removed.
	NALUs [][]byte
	// Lost is how many pictures, at least, the door has dropped since the last unit: they
	// came damaged or in part, or refer to one that did. Of pictures that have left no trace
	// on the way, a row counts as one.
	Lost int
}

// AudioCodecName names an audio format.
type AudioCodecName string

// The audio formats that publishers are known to send. Only AAC (RTMP) and Opus (WHIP)
// are allowed on a stage; the others exist so that a refusal can say what was seen.
const (
	AAC        AudioCodecName = "AAC"
	Opus       AudioCodecName = "Opus"
	MP3        AudioCodecName = "MP3"
	Speex      AudioCodecName = "Speex"
	G711       AudioCodecName = "G.711"
	Nellymoser AudioCodecName = "Nellymoser"
	PCM        AudioCodecName = "PCM"
	ADPCM      AudioCodecName = "ADPCM"
	AC3        AudioCodecName = "AC-3"
	EAC3       AudioCodecName = "Enhanced AC-3"
	FLAC       AudioCodecName = "FLAC"
)

// AudioCodec describes the audio that follows. It is immutable.
type AudioCodec struct {
	Name       AudioCodecName
	SampleRate int    // Hz; 0 where the format does not say
	Channels   int    // 0 where the format does not say
	Config     []byte // AAC: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1); nil otherwise
}

// AudioFrame is one AAC raw_data_block (1024 samples, ISO/IEC 14496-3, 4.4.2.1) or one
// Opus packet (RFC 6716, section 3).
//
// A frame without Data is the publisher's sequence header: it announces Codec.
//
// The frame and its bytes are immutable once they are written to a Sink.
type AudioFrame struct {
	// PTS is the time of the first sample, on the same clock as AccessUnit.PTS.
	PTS time.Duration
	// Codec is never nil. A pointer that differs from the last frame's means that the
	// codec or its configuration changed.
	Codec *AudioCodec
	Data  []byte
}
