package validate

import "time"

// The rule "audio bitrate": over a sliding 10 s of media time.

// audioBitrateTolerance is for encoders whose setting is a target: set to 160 kbps, the
// measured ones stay within it (matrix_test.go).
const audioBitrateTolerance = 1.1

type audioBitrateRule struct{ bitrateRule }

func newAudioBitrateRule() audioBitrateRule { return audioBitrateRule{newBitrateRule()} }

// check counts bytes of audio that arrived at media time t.
func (r *audioBitrateRule) check(w words, t time.Duration, bytes int) *Finding {
	r.window.add(t, int64(bytes)*8)
	r.total += int64(bytes) * 8
	average := float64(r.window.sum) / bitrateSpan.Seconds()
	r.peak = max(r.peak, average)
	if average > float64(w.limits.AudioBitrate)*audioBitrateTolerance {
		return w.audioBitrateExceeded(average)
	}
	return nil
}
