package validate

import (
	"fmt"
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// words is the catalogue: every text of every rule, in three parts. A text says what was
// seen, what is allowed and which setting changes it, by its name in OBS and ffmpeg.
type words struct {
	limits Limits
	whip   bool
}

// allowed gives the second part, which is the same for all faults of a rule.
func (w words) allowed(r Rule) string {
	l := w.limits
	switch r {
	case VideoCodec:
		return "stages take H.264 only"
	case Profile:
		return "stages take progressive H.264 Baseline only"
	case BFrames:
		return "stages need 0"
	case Resolution:
		return fmt.Sprintf("stages take %dp to %dp, at most %dx%d or %dx%d",
			l.MinShortSide, l.MaxShortSide, l.MaxLongSide, l.MaxShortSide, l.MaxShortSide, l.MaxLongSide)
	case Bitrate:
		return "stages take at most " + rateText(float64(l.Bitrate)) + ", audio and video together"
	case FrameRate:
		return fmt.Sprintf("stages take %d to %d fps", l.MinFrameRate, l.MaxFrameRate)
	case Keyframes:
		return fmt.Sprintf("stages need one every %s to %s", secondsText(l.MinIDRInterval), secondsText(l.MaxIDRInterval))
	case AudioCodec:
		if w.whip {
			return "stages take Opus over WHIP, mono or stereo"
		}
		return "stages take AAC-LC at 44.1 or 48 kHz, mono or stereo"
	case AudioBitrate:
		return "stages take at most " + rateText(float64(l.AudioBitrate))
	case Tracks:
		if w.whip {
			return "stages take audio, video or both over WHIP"
		}
		return "stages need audio and video over RTMP"
	case Duration:
		return "a session may last " + strconv.FormatFloat(l.Duration.Hours(), 'f', -1, 64) + " hours"
	}
	return ""
}

func (w words) reject(r Rule, code ingest.Code, seen, change string) *Finding {
	return &Finding{Rule: r, Severity: Rejected, Code: code, Seen: seen, Allowed: w.allowed(r), Change: change}
}

func (w words) warn(r Rule, seen, change string) *Finding {
	f := w.reject(r, "", seen, change)
	f.Severity = Warned
	return f
}

func (w words) videoCodec(seen string) *Finding {
	return w.reject(VideoCodec, ingest.InvalidVideoCodec, seen,
		"OBS: Output, Video Encoder x264 or another H.264 one. ffmpeg: -c:v libx264 -profile:v baseline")
}

func (w words) profile(seen string) *Finding {
	return w.reject(Profile, ingest.InvalidVideoCodec, seen,
		"OBS: Output, Profile baseline. ffmpeg: -profile:v baseline")
}

func (w words) interlaced() *Finding {
	return w.reject(Profile, ingest.InvalidVideoCodec, "Interlaced video",
		"OBS: Deinterlacing on the source, and no tff or bff in x264 options. ffmpeg: -vf yadif, without -flags +ilme+ildct")
}

const bframesChange = "OBS: x264 options bframes=0, or Max B-frames 0. ffmpeg: -bf 0"

func (w words) bframe(picture int) *Finding {
	return w.reject(BFrames, ingest.BFramePresent,
		"B-frames in the video (slice type B in picture "+strconv.Itoa(picture)+")", bframesChange)
}

func (w words) bframesAnnounced(frames uint32) *Finding {
	return w.reject(BFrames, ingest.BFramePresent,
		"B-frames in the video (its header announces max_num_reorder_frames "+strconv.Itoa(int(frames))+")", bframesChange)
}

func (w words) tooLarge(width, height int) *Finding {
	x, y := w.limits.MaxLongSide, w.limits.MaxShortSide
	if height > width {
		x, y = y, x
	}
	return w.reject(Resolution, ingest.ResolutionExceeded, sizeText(width, height)+" video", resolutionChange(x, y))
}

func (w words) tooSmall(width, height int) *Finding {
	x, y := 640, 360
	if height > width {
		x, y = y, x
	}
	return w.reject(Resolution, ingest.InvalidInput, sizeText(width, height)+" video", resolutionChange(x, y))
}

func resolutionChange(x, y int) string {
	return fmt.Sprintf("OBS: Video, Output (Scaled) Resolution %dx%d. ffmpeg: -vf scale=%d:%d", x, y, x, y)
}

const bitrateChange = "OBS: Output, Video Bitrate 6000 Kbps or less, Rate Control CBR. ffmpeg: -b:v 6M -maxrate 6M -bufsize 3M"

func (w words) bitrateExceeded(bps float64) *Finding {
	return w.reject(Bitrate, ingest.BitrateExceeded, rateText(bps)+" over 10 s", bitrateChange)
}

func (w words) bitratePeak(bps float64) *Finding {
	return w.warn(Bitrate, "A peak of "+rateText(bps)+" over 1 s", bitrateChange)
}

const frameRateChange = "OBS: Video, Common FPS Values 30. ffmpeg: -r 30"

func (w words) frameRate(fps float64) *Finding {
	return w.reject(FrameRate, ingest.InvalidInput, fpsText(fps)+" over 5 s", frameRateChange)
}

const keyframesChange = "OBS: Output, Keyframe Interval 2 s. ffmpeg: -force_key_frames expr:gte(t,n_forced*2)"

func (w words) idrIntervalLong(d time.Duration) *Finding {
	return w.warn(Keyframes, "Keyframes (IDR) "+secondsText(d)+" apart: viewers wait for the picture", keyframesChange)
}

func (w words) idrIntervalShort(d time.Duration) *Finding {
	return w.warn(Keyframes, "Keyframes (IDR) "+secondsText(d)+" apart: they cost picture quality", keyframesChange)
}

func (w words) noIDR(since time.Duration, v noIDRVariant) *Finding {
	seen, change := "No keyframe (IDR) for "+secondsText(since), keyframesChange
	switch v {
	case intraRefresh:
		seen += ", but intra refresh"
		change = "OBS: remove intra-refresh=1 from x264 options, Keyframe Interval 2 s. ffmpeg: -x264-params intra-refresh=0 -g 60"
	case openGOP:
		seen += ", only I-frames that are none (open GOP)"
		change = "OBS: remove open-gop=1 and keyint from x264 options, Keyframe Interval 2 s. ffmpeg: -x264-params open-gop=0 -g 60"
	}
	return w.reject(Keyframes, ingest.InvalidInput, seen, change)
}

// The settings that an audio fault may be about.
const (
	encoderSetting  = "OBS: Output, Audio Encoder"
	profileSetting  = "AAC profile"
	rateSetting     = "sample rate"
	channelsSetting = "channels"
)

func (w words) audioCodec(seen, setting string) *Finding {
	var change string
	switch {
	case setting == channelsSetting:
		change = "OBS: Audio, Channels Stereo. ffmpeg: -ac 2"
	case setting == rateSetting:
		change = "OBS: Audio, Sample Rate 48 kHz. ffmpeg: -ar 48000"
	case w.whip:
		change = "OBS: Output, Audio Encoder Opus. ffmpeg: -c:a libopus -ac 2"
	case setting == profileSetting:
		change = "OBS: Output, Audio Encoder FFmpeg AAC. ffmpeg: -c:a aac -profile:a aac_low"
	default:
		change = "OBS: Output, Audio Encoder AAC. ffmpeg: -c:a aac -ar 48000 -ac 2"
	}
	return w.reject(AudioCodec, ingest.InvalidAudioCodec, seen, change)
}

func (w words) audioBitrateExceeded(bps float64) *Finding {
	return w.reject(AudioBitrate, ingest.BitrateExceeded, "Audio of "+rateText(bps)+" over 10 s",
		"OBS: Output, Audio Bitrate 160. ffmpeg: -b:a 160k")
}

func (w words) audioBitrateVariable(bps float64) *Finding {
	return w.warn(AudioBitrate, "Opus at a variable "+rateText(bps)+" over 10 s",
		"OBS: Output, Audio Bitrate 128 or less. ffmpeg: -b:a 96k -vbr constrained")
}

func (w words) noTrack(k track, waited time.Duration) *Finding {
	seen, change := "No video for "+secondsText(waited),
		"OBS: Output, a Video Encoder. ffmpeg: -map 0:v -c:v libx264, without -vn"
	if k == audioTrack {
		seen, change = "No audio for "+secondsText(waited),
			"OBS: Output, an Audio Encoder. ffmpeg: without -an; for silence -f lavfi -i anullsrc -c:a aac"
	}
	return w.reject(Tracks, ingest.InvalidInput, seen, change)
}

func (w words) trackStopped(k track, silence time.Duration) *Finding {
	if k == audioTrack {
		return w.warn(Tracks, "Audio stopped "+secondsText(silence)+" ago", "Look at the encoder's audio source")
	}
	return w.warn(Tracks, "Video stopped "+secondsText(silence)+" ago", "Look at the encoder's video source")
}

func (w words) tooLong(session time.Duration) *Finding {
	return w.reject(Duration, ingest.StreamDurationExceeded,
		"The session has lasted "+session.Round(time.Minute).String(), "Stop the stream in the encoder and start it again")
}

func sizeText(width, height int) string { return strconv.Itoa(width) + "x" + strconv.Itoa(height) }

func rateText(bps float64) string {
	if bps >= 1e6 {
		return strconv.FormatFloat(bps/1e6, 'f', 1, 64) + " Mbps"
	}
	return strconv.FormatFloat(bps/1e3, 'f', 0, 64) + " kbps"
}

func fpsText(fps float64) string { return trimZero(strconv.FormatFloat(fps, 'f', 1, 64)) + " fps" }

func secondsText(d time.Duration) string {
	return trimZero(strconv.FormatFloat(d.Seconds(), 'f', 1, 64)) + " s"
}

func trimZero(s string) string {
	if len(s) > 2 && s[len(s)-2:] == ".0" {
		return s[:len(s)-2]
	}
	return s
}
