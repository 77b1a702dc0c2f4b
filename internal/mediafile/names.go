package mediafile

import (
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/rtmp"
)

// videoEntryName names the codec of an MP4 sample entry.
func videoEntryName(entry string) string {
	switch entry {
	case "hvc1", "hev1":
		return "HEVC (H.265)"
	case "dvh1", "dvhe":
		return "Dolby Vision (HEVC)"
	case "av01":
		return "AV1"
	case "vp08":
		return "VP8"
	case "vp09":
		return "VP9"
	case "vvc1", "vvi1":
		return "VVC (H.266)"
	case "mp4v":
		return "MPEG-4 Part 2"
	case "jpeg", "mjpa", "mjpb":
		return "Motion JPEG"
	case "encv":
		return "Encrypted"
	}
	if strings.HasPrefix(entry, "ap") {
		return "ProRes"
	}
	return fmt.Sprintf("codec %q", entry)
}

// audioEntryName names the codec of an MP4 sample entry; mp4a may turn out to be another
// one than AAC (objectName).
func audioEntryName(entry string) ingest.AudioCodecName {
	switch entry {
	case "alac":
		return "ALAC"
	case "alaw", "ulaw":
		return ingest.G711
	case "sowt", "twos", "lpcm", "ipcm", "fpcm", "in24", "in32", "fl32", "fl64", "raw ":
		return ingest.PCM
	case "enca":
		return "encrypted"
	}
	return rtmp.AudioFourCC(entry)
}

// objectName names an objectTypeIndication (mp4ra.org/registered-types/object-types).
func objectName(object int) ingest.AudioCodecName {
	switch object {
	case 0x40, 0x66, 0x67, 0x68:
		return ingest.AAC
	case 0x69, 0x6b:
		return ingest.MP3
	case 0xa5:
		return ingest.AC3
	case 0xa6:
		return ingest.EAC3
	}
	return ingest.AudioCodecName(fmt.Sprintf("MPEG-4 object type %#x", object))
}
