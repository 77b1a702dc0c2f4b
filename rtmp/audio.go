package rtmp

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/stagedoor/stagedoor/ingest"
)

// The packet types of an audio message: AACPacketType (FLV E.4.2.2) and AudioPacketType
// (E-RTMP, "ExAudioTagHeader"), which agree in the first two.
const (
	audioSequenceStart = 0
	audioCodedFrames   = 1
	audioMultitrack    = 5
)

// audioReader makes audio frames of the audio messages of one stream. What the codec is
// makes no difference here: package validate judges it.
type audioReader struct {
	clock   *clock
	codec   *ingest.AudioCodec // nil until announced
	damaged int                // messages that were left out
}

// audioPacket is an audio message without its headers.
type audioPacket struct {
	codec ingest.AudioCodecName
	kind  byte
	body  []byte
}

// read gives the frames of a message: none, an announcement, a frame, or both. They keep b.
// A stream of AAC that never says how to decode it is a Rejection.
func (a *audioReader) read(timestamp uint32, b []byte) ([]ingest.AudioFrame, error) {
	p, ok, err := audioHeader(b)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, a.damage()
	}
	if p.codec != ingest.AAC {
		return a.other(timestamp, p), nil
	}
	switch {
	case p.kind == audioSequenceStart:
		return a.configure(p.body)
	case p.kind != audioCodedFrames || len(p.body) == 0:
		return nil, nil
	case a.codec == nil || a.codec.Name != ingest.AAC:
		return nil, a.damage()
	}
	return []ingest.AudioFrame{{PTS: a.clock.at(timestamp), Codec: a.codec, Data: p.body}}, nil
}

// configure takes an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). One that is repeated
// changes nothing. One that cannot be read is passed on with no sample rate, as it is for
// validate to say what is wrong with it.
func (a *audioReader) configure(config []byte) ([]ingest.AudioFrame, error) {
	if len(config) == 0 || len(config) > maxAudioConfig {
		return nil, a.damage()
	}
	if a.codec != nil && a.codec.Name == ingest.AAC && bytes.Equal(a.codec.Config, config) {
		return nil, nil
	}
	codec := &ingest.AudioCodec{Name: ingest.AAC, Config: config}
	var c mpeg4audio.AudioSpecificConfig
	if err := c.Unmarshal(config); err == nil {
		codec.SampleRate, codec.Channels = c.SampleRate, channels(c.ChannelConfig)
	}
	a.codec = codec
	// Encoders stamp a sequence header with 0, whatever the time.
	return []ingest.AudioFrame{{PTS: a.clock.now(), Codec: codec}}, nil
}

// channels gives the number of channels of a channelConfiguration (ISO/IEC 14496-3, table
// 1.19), 0 where it does not say.
func channels(configuration uint8) int {
	if configuration == 7 {
		return 8
	}
	return int(configuration)
}

// other announces a codec that is not AAC when it appears, and passes its frames on.
func (a *audioReader) other(timestamp uint32, p audioPacket) []ingest.AudioFrame {
	var frames []ingest.AudioFrame
	if a.codec == nil || a.codec.Name != p.codec {
		a.codec = &ingest.AudioCodec{Name: p.codec}
		frames = append(frames, ingest.AudioFrame{PTS: a.clock.now(), Codec: a.codec})
	}
	if p.kind == audioCodedFrames && len(p.body) > 0 {
		frames = append(frames, ingest.AudioFrame{PTS: a.clock.at(timestamp), Codec: a.codec, Data: p.body})
	}
	return frames
}

// damage counts a message that cannot be read. One is no reason to end a stream; nothing
// else from the start is.
func (a *audioReader) damage() error {
	a.damaged++
	if a.codec != nil || a.damaged < hopeless {
		return nil
	}
	return ingest.Rejectf(ingest.InvalidInput,
		"The first %d audio messages cannot be read (no AAC sequence header); stages need AAC as FLV carries it. "+
			"OBS: Output > Audio Encoder AAC. ffmpeg: -c:a aac -f flv.", a.damaged)
}

// audioHeader reads the AudioTagHeader (FLV E.4.2.1) or its extension (E-RTMP). ok is false
// for a message that is cut off.
func audioHeader(b []byte) (p audioPacket, ok bool, err error) {
	const soundFormatExtended, soundFormatAAC = 9, 10
	if len(b) == 0 {
		return p, false, nil
	}
	switch format := b[0] >> 4; format {
	case soundFormatExtended:
		return enhancedAudioHeader(b)
	case soundFormatAAC:
		if len(b) < 2 {
			return p, false, nil
		}
		return audioPacket{codec: ingest.AAC, kind: b[1], body: b[2:]}, true, nil
	default:
		return audioPacket{codec: legacyAudioName(format), kind: audioCodedFrames, body: b[1:]}, true, nil
	}
}

func enhancedAudioHeader(b []byte) (p audioPacket, ok bool, err error) {
	kind, b, ok := skipModEx(b[0]&0x0f, b[1:])
	switch {
	case !ok:
		return p, false, nil
	case kind == audioMultitrack:
		return p, false, ingest.Rejectf(ingest.InvalidAudioCodec,
			"Multitrack audio (Enhanced RTMP); stages take one AAC track. "+
				"OBS: Settings > Output > Streaming, choose one audio track. ffmpeg: -map 0:a:0.")
	case len(b) < 4:
		return p, false, nil
	}
	return audioPacket{codec: AudioFourCC(string(b[:4])), kind: kind, body: b[4:]}, true, nil
}

// legacyAudioName names a SoundFormat (FLV E.4.2.1), with the number that encoders use for
// Opus beyond the standard.
func legacyAudioName(format byte) ingest.AudioCodecName {
	switch format {
	case 0, 3:
		return ingest.PCM
	case 1:
		return ingest.ADPCM
	case 2, 14:
		return ingest.MP3
	case 4, 5, 6:
		return ingest.Nellymoser
	case 7, 8:
		return ingest.G711
	case 11:
		return ingest.Speex
	case 13:
		return ingest.Opus
	default:
		return ingest.AudioCodecName(fmt.Sprintf("FLV sound format %d", format))
	}
}

// AudioFourCC names the codec of an audio FourCC, as Enhanced RTMP and MP4 sample entries spell
// it; an unknown one is named by its letters.
func AudioFourCC(fourCC string) ingest.AudioCodecName {
	switch fourCC {
	case "mp4a":
		return ingest.AAC
	case "Opus":
		return ingest.Opus
	case ".mp3":
		return ingest.MP3
	case "ac-3":
		return ingest.AC3
	case "ec-3":
		return ingest.EAC3
	case "fLaC":
		return ingest.FLAC
	default:
		return ingest.AudioCodecName(fmt.Sprintf("codec %q", fourCC))
	}
}
