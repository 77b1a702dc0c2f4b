package validate

import (
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/ingest"
)

// The rule "audio codec": AAC-LC over RTMP and Opus over WHIP, 44.1 or 48 kHz, one or two
// channels.

func (w words) audioCodecOf(c *ingest.AudioCodec) *Finding {
	if w.whip != (c.Name == ingest.Opus) || !w.whip && c.Name != ingest.AAC {
		return w.audioCodec(string(c.Name)+" audio", encoderSetting)
	}
	if w.whip {
		if c.Channels > 2 {
			return w.audioCodec(audioFormat(c), channelsSetting)
		}
		return nil
	}
	a, ok := parseASC(c.Config)
	switch {
	case !ok:
		return w.audioCodec("The AAC header (AudioSpecificConfig) cannot be read", encoderSetting)
	case a.objectType != aotLC || a.sbr || a.ps:
		return w.audioCodec(a.name()+" audio", profileSetting)
	case a.shortFrames:
		return w.audioCodec("AAC-LC audio with 960 samples a frame", encoderSetting)
	case a.coreCoder:
		return w.audioCodec("AAC-LC audio that depends on a core coder", encoderSetting)
	case a.sampleRate != 44100 && a.sampleRate != 48000:
		return w.audioCodec("AAC audio at "+kiloHertz(a.sampleRate), rateSetting)
	case a.channelConfig == 0:
		return w.audioCodec("AAC audio with its own channel layout (program_config_element)", channelsSetting)
	case a.channelConfig > 2:
		return w.audioCodec("AAC audio with "+channelsText(a.channels()), channelsSetting)
	}
	return nil
}

// audioFormat describes a codec, for example "AAC-LC 48 kHz stereo".
func audioFormat(c *ingest.AudioCodec) string {
	name, rate, channels := string(c.Name), c.SampleRate, c.Channels
	if c.Name == ingest.AAC {
		if a, ok := parseASC(c.Config); ok {
			name, rate, channels = a.name(), a.sampleRate, a.channels()
		}
	}
	parts := []string{name}
	if rate > 0 {
		parts = append(parts, kiloHertz(rate))
	}
	if channels > 0 {
		parts = append(parts, channelsText(channels))
	}
	return strings.Join(parts, " ")
}

func kiloHertz(hz int) string {
	return strconv.FormatFloat(float64(hz)/1000, 'f', -1, 64) + " kHz"
}

func channelsText(n int) string {
	switch n {
	case 1:
		return "mono"
	case 2:
		return "stereo"
	case 6:
		return "6 channels (5.1)"
	case 8:
		return "8 channels (7.1)"
	}
	return strconv.Itoa(n) + " channels"
}
