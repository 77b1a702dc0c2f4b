package transcode

import (
	"fmt"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	allowedAudio = "Stages take AAC-LC over RTMP and Opus over WHIP, 44.1 or 48 kHz, mono or stereo."
	aacSettings  = "OBS: Settings > Output > Audio Encoder \"FFmpeg AAC\", and Settings > Audio > Sample Rate 48 kHz, Channels Stereo. ffmpeg: -c:a aac -profile:a aac_low -ar 48000 -ac 2."
)

func refuseCodec(c *ingest.AudioCodec) error {
	return ingest.Rejectf(ingest.InvalidAudioCodec, "The audio is %s. %s %s", c.Name, allowedAudio, aacSettings)
}

func refuseConfig(config []byte) error {
	return ingest.Rejectf(ingest.InvalidAudioCodec, "The audio is %s. %s %s", describe(config), allowedAudio, aacSettings)
}

func refuseUndecodable(frames int) error {
	return ingest.Rejectf(ingest.InvalidInput, "%d AAC frames in a row could not be decoded. "+
		"Every frame must be valid AAC-LC of the announced format. Restart the stream; if it happens again, choose another audio encoder. %s", frames, aacSettings)
}

// describe names the audio object type of an AudioSpecificConfig (ISO/IEC 14496-3, table
// 1.17), and its rate and channels where they are what is wrong with it.
func describe(config []byte) string {
	if len(config) < 2 {
		return "AAC with an empty or cut-off AudioSpecificConfig"
	}
	names := map[int]string{1: "AAC Main", 2: "AAC-LC", 3: "AAC SSR", 4: "AAC LTP", 5: "HE-AAC", 23: "AAC-LD", 29: "HE-AAC v2", 39: "AAC-ELD", 42: "xHE-AAC"}
	kind := int(config[0] >> 3)
	if kind == 31 {
		kind = 32 + int(config[0]&7)<<3 + int(config[1]>>5)
	}
	name, known := names[kind]
	if !known {
		name = fmt.Sprintf("MPEG-4 audio object type %d", kind)
	}
	if kind != 2 {
		return name
	}
	return fmt.Sprintf("AAC-LC with sampling frequency index %d, channel configuration %d or an extension (AudioSpecificConfig %x) that cannot be decoded",
		int(config[0]&7)<<1|int(config[1]>>7), config[1]>>3&15, config[:min(len(config), 16)])
}
