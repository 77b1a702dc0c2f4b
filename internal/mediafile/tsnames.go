package mediafile

import "github.com/stagedoor/stagedoor/ingest"

const h264 = "H.264"

// tsKind is what an elementary stream is; both names are empty for what is neither.
type tsKind struct {
	video    string
	audio    ingest.AudioCodecName
	channels int
}

// streamKind names a stream by its stream_type (ISO/IEC 13818-1, table 2-34, and ATSC's
// A/53 and A/52) and its descriptors.
func streamKind(streamType byte, descriptors []byte) tsKind {
	switch streamType {
	case 0x01:
		return tsKind{video: "MPEG-1"}
	case 0x02:
		return tsKind{video: "MPEG-2"}
	case 0x03, 0x04:
		return tsKind{audio: ingest.MP3}
	case 0x0f:
		return tsKind{audio: ingest.AAC}
	case 0x10:
		return tsKind{video: "MPEG-4 Part 2"}
	case 0x11:
		return tsKind{audio: "AAC in LATM"}
	case 0x1b:
		return tsKind{video: h264}
	case 0x24:
		return tsKind{video: "HEVC (H.265)"}
	case 0x33:
		return tsKind{video: "VVC (H.266)"}
	case 0x42, 0xd1:
		return tsKind{video: "codec of stream type " + hex(streamType)}
	case 0x81:
		return tsKind{audio: ingest.AC3}
	case 0x82, 0x85, 0x86:
		return tsKind{audio: "DTS"}
	case 0x87:
		return tsKind{audio: ingest.EAC3}
	case 0x06:
		return privateKind(descriptors)
	}
	return tsKind{}
}

// privateKind names a stream of private data by its descriptors.
func privateKind(b []byte) (k tsKind) {
	const registration, ac3, eac3, dts, extension = 0x05, 0x6a, 0x7a, 0x7b, 0x7f
	for len(b) >= 2 {
		tag, size := b[0], int(b[1])
		body := b[2:min(2+size, len(b))]
		b = b[2+len(body):]
		switch {
		case tag == ac3:
			k.audio = ingest.AC3
		case tag == eac3:
			k.audio = ingest.EAC3
		case tag == dts:
			k.audio = "DTS"
		case tag == extension && len(body) >= 2 && body[0] == 0x80: // Opus in MPEG-TS
			k.channels = int(body[1])
		case tag == registration && len(body) >= 4:
			switch string(body[:4]) {
			case "Opus":
				k.audio = ingest.Opus
			case "HEVC":
				k.video = "HEVC (H.265)"
			case "AV01":
				k.video = "AV1"
			case "VC-1":
				k.video = "VC-1"
			case "AC-3":
				k.audio = ingest.AC3
			}
		}
	}
	return k
}

func hex(b byte) string {
	const digits = "0123456789abcdef"
	return "0x" + string([]byte{digits[b>>4], digits[b&15]})
}
