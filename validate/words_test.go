package validate

import (
	"strings"
	"testing"
	"time"
)

// Every text of the catalogue has its three parts, names settings of OBS and ffmpeg, and
// fits one line.
func TestWords(t *testing.T) {
	for _, whip := range []bool{false, true} {
		w := words{limits: DefaultRules().Limits, whip: whip}
		long := strings.Repeat("x", 40)
		unsupported := UnsupportedVideo("HEVC")
		for _, f := range []*Finding{
			&unsupported, w.videoCodec(long), w.damagedHeader("SPS"), w.profile("H.264 High 4:4:4 Predictive profile"), w.interlaced(),
			w.bframe(123456), w.bframesAnnounced(16), w.tooLarge(16384, 16384), w.tooLarge(1080, 1920), w.tooSmall(16, 16), w.tooSmall(120, 200),
			w.bitrateExceeded(123e6), w.bitratePeak(123e6), w.frameRate(9.25), w.frameRate(120),
			w.idrIntervalLong(8333 * time.Millisecond), w.idrIntervalShort(500 * time.Millisecond),
			w.noIDR(10*time.Second, noIDRAtAll), w.noIDR(10*time.Second, intraRefresh), w.noIDR(10*time.Second, openGOP),
			w.audioCodec(long, encoderSetting), w.audioCodec(long, profileSetting), w.audioCodec(long, rateSetting), w.audioCodec(long, channelsSetting),
			w.audioBitrateExceeded(320e3), w.audioBitrateVariable(213e3), w.noTrack(videoTrack, 5*time.Second), w.noTrack(audioTrack, 5*time.Second),
		} {
			detail := f.Detail()
			if f.Seen == "" || f.Allowed == "" || !strings.Contains(f.Change, "OBS: ") || !strings.Contains(f.Change, "ffmpeg: ") {
				t.Errorf("a part is missing: %s", detail)
			}
			if (f.Code == "") != (f.Severity == Warned) {
				t.Errorf("code %q with %q: %s", f.Code, f.Severity, detail)
			}
			if len(detail) > maxDetail || strings.ContainsAny(detail, "\n\r\"") || strings.Contains(detail, "%!") || strings.Contains(detail, "..") {
				t.Errorf("%d characters: %s", len(detail), detail)
			}
		}
		for _, r := range AllRules() {
			if w.allowed(r) == "" {
				t.Errorf("%s: nothing is said of what is allowed", r)
			}
		}
	}
}

func TestWordsFollowTheLimits(t *testing.T) {
	l := DefaultRules().Limits
	l.Bitrate, l.MaxShortSide, l.MaxLongSide, l.MaxFrameRate = 3_000_000, 1080, 1920, 30
	w := words{limits: l}
	for rule, text := range map[Rule]string{Bitrate: "3.0 Mbps", Resolution: "1920x1080 or 1080x1920", FrameRate: "10 to 30 fps", Duration: "24 hours"} {
		if !strings.Contains(w.allowed(rule), text) {
			t.Errorf("%s: %s, want %s", rule, w.allowed(rule), text)
		}
	}
}
