package rtmp

import (
	"fmt"

	"github.com/stagedoor/stagedoor/ingest"
)

// The packet types of a video message: AVCPacketType (FLV E.4.3.1) and VideoPacketType
// (E-RTMP, "ExVideoTagHeader"), which agree in the first three.
const (
	videoSequenceStart = 0
	videoCodedFrames   = 1
	videoSequenceEnd   = 2
	videoCodedFramesX  = 3 // without composition time
	videoMetadata      = 4
	videoMPEG2TS       = 5
	videoMultitrack    = 6
	videoModEx         = 7
)

// videoReader makes access units of the video messages of one stream.
type videoReader struct {
	clock   *clock
	avc     *avcStream
	works   bool // a picture was understood
	damaged int  // messages that were left out
	lost    int  // of them, those that may have been pictures, since the last unit
}

// videoPacket is a video message without its headers.
type videoPacket struct {
	kind        byte
	composition int32 // milliseconds from decoding to presentation
	body        []byte
}

// read gives the access unit of a message, or nil if it has none to show. The unit keeps b.
// A stream that is not H.264 or never becomes readable is a Rejection.
func (v *videoReader) read(timestamp uint32, b []byte) (*ingest.AccessUnit, error) {
	p, ok, err := videoHeader(b)
	if err != nil {
		return nil, err
	}
	if !ok {
		v.lost++
		return nil, v.damage()
	}
	switch p.kind {
	case videoSequenceStart:
		changed, ok := v.avc.configure(p.body)
		if !ok {
			return nil, v.damage()
		}
		header := v.avc.header()
		if !changed || len(header) == 0 {
			return nil, nil
		}
		// Encoders stamp a sequence header with 0, whatever the time.
		return &ingest.AccessUnit{PTS: v.clock.now(), NALUs: header}, nil
	case videoCodedFrames, videoCodedFramesX:
		nalus, ok := v.avc.split(p.body)
		if !ok {
			v.lost++
			return nil, v.damage()
		}
		if len(nalus) == 0 {
			return nil, nil
		}
		v.works = true
		pts := v.clock.at(timestamp) + milliseconds(p.composition)
		lost := v.lost
		v.lost = 0
		return &ingest.AccessUnit{PTS: pts, NALUs: nalus, Lost: lost}, nil
	default:
		return nil, nil
	}
}

// damage counts a message that cannot be read. One is no reason to end a stream; nothing
// else from the start is.
func (v *videoReader) damage() error {
	v.damaged++
	if v.works || v.damaged < hopeless {
		return nil
	}
	return ingest.Rejectf(ingest.InvalidInput,
		"The first %d video messages are damaged; stages need H.264 in AVC format as FLV carries it. "+
			"OBS: Output > Encoder x264. ffmpeg: -c:v libx264 -f flv.", v.damaged)
}

// videoHeader reads the VideoTagHeader (FLV E.4.3.1) or its extension (E-RTMP). A codec
// other than H.264 is a Rejection that names it; ok is false for a message that is cut off.
func videoHeader(b []byte) (p videoPacket, ok bool, err error) {
	const frameTypeCommand, codecAVC = 5, 7
	if len(b) == 0 {
		return p, false, nil
	}
	if b[0]&0x80 != 0 {
		return enhancedVideoHeader(b)
	}
	if b[0]>>4 == frameTypeCommand {
		return videoPacket{kind: videoMetadata}, true, nil
	}
	if codec := b[0] & 0x0f; codec != codecAVC {
		return p, false, rejectVideo(legacyVideoName(codec))
	}
	if len(b) < 5 {
		return p, false, nil
	}
	return videoPacket{kind: b[1], composition: signed24(b[2:]), body: b[5:]}, true, nil
}

func enhancedVideoHeader(b []byte) (p videoPacket, ok bool, err error) {
	const frameTypeCommand = 5
	kind, command := b[0]&0x0f, b[0]>>4&7 == frameTypeCommand
	kind, b, ok = skipModEx(kind, b[1:])
	switch {
	case !ok:
		return p, false, nil
	case command && kind != videoMetadata:
		return videoPacket{kind: videoMetadata}, true, nil
	case kind == videoMultitrack:
		return p, false, ingest.Rejectf(ingest.InvalidVideoCodec,
			"Multitrack video (Enhanced RTMP); stages take one H.264 track. "+
				"OBS: Settings > Stream, switch Multitrack Video (Enhanced Broadcasting) off. ffmpeg: -map 0:v:0.")
	case len(b) < 4:
		return p, false, nil
	}
	if fourCC := string(b[:4]); fourCC != "avc1" {
		return p, false, rejectVideo(enhancedVideoName(fourCC))
	}
	p = videoPacket{kind: kind, body: b[4:]}
	if kind == videoCodedFrames {
		if len(p.body) < 3 {
			return p, false, nil
		}
		p.composition, p.body = signed24(p.body), p.body[3:]
	}
	return p, true, nil
}

// skipModEx passes over the modifiers that may precede an enhanced packet (E-RTMP, "ModEx"),
// for audio and video alike; kind is the packet's type behind them.
func skipModEx(kind byte, b []byte) (byte, []byte, bool) {
	for kind == videoModEx {
		if len(b) < 1 {
			return kind, nil, false
		}
		size := int(b[0]) + 1
		b = b[1:]
		if size == 256 {
			if len(b) < 2 {
				return kind, nil, false
			}
			size = (int(b[0])<<8 | int(b[1])) + 1
			b = b[2:]
		}
		if len(b) < size+1 {
			return kind, nil, false
		}
		kind = b[size] & 0x0f
		b = b[size+1:]
	}
	return kind, b, true
}

// rejectVideo words the refusal of a codec.
func rejectVideo(name string) error {
	return ingest.Rejectf(ingest.InvalidVideoCodec,
		"The video is %s; stages take H.264. OBS: Settings > Output > Video Encoder, choose x264 or another H.264 encoder. "+
			"ffmpeg: -c:v libx264 -profile:v baseline -bf 0.", name)
}

// legacyVideoName names a CodecID (FLV E.4.3.1), with the numbers that encoders use beyond
// the standard.
func legacyVideoName(codec byte) string {
	switch codec {
	case 2:
		return "Sorenson H.263"
	case 3, 6:
		return "Screen Video"
	case 4, 5:
		return "VP6"
	case 12:
		return "HEVC (H.265)"
	case 13:
		return "AV1"
	default:
		return fmt.Sprintf("in FLV's codec %d", codec)
	}
}

// enhancedVideoName names a video FourCC (E-RTMP).
func enhancedVideoName(fourCC string) string {
	switch fourCC {
	case "hvc1", "hev1":
		return "HEVC (H.265)"
	case "av01":
		return "AV1"
	case "vp08":
		return "VP8"
	case "vp09":
		return "VP9"
	case "vvc1":
		return "VVC (H.266)"
	default:
		return fmt.Sprintf("in codec %q", fourCC)
	}
}

// signed24 reads an SI24, a composition time in milliseconds.
func signed24(b []byte) int32 {
	return int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8) >> 8
}
