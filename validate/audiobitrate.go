package validate

import "time"

// The rule "audio bitrate": over a sliding 10 s of media time.
//
// AAC encoders keep to their setting (testdata/matrix.txt). Opus with variable bitrate, the
// default of OBS, ffmpeg and browsers, takes the setting for noise-like sound: set to
// 160 kbps, libopus was measured at 111 kbps for noise, 213 for music and 295 for chords of
// sines. A variable Opus stream is therefore only warned of unless no such setting explains
// it, and a constant one is judged like AAC.

const (
	audioBitrateTolerance = 1.1
	opusVariableTolerance = 2.1
	// Packets of a constant bitrate differ by a byte of padding at most.
	constantPackets = 2
)

type audioBitrateRule struct {
	bitrateRule
	lastBytes int
	variedAt  time.Duration // when packet sizes last differed
}

func newAudioBitrateRule() audioBitrateRule {
	return audioBitrateRule{bitrateRule: newBitrateRule()}
}

// check counts bytes of audio that arrived at media time t.
func (r *audioBitrateRule) check(w words, t time.Duration, bytes int) *Finding {
	if d := bytes - r.lastBytes; d > constantPackets || d < -constantPackets {
		r.variedAt = t
	}
	r.lastBytes = bytes
	average := r.add(t, bytes) / float64(w.limits.AudioBitrate)
	variable := w.whip && t-r.variedAt < bitrateSpan
	switch {
	case average <= audioBitrateTolerance:
		return nil
	case variable && average <= opusVariableTolerance:
		return w.audioBitrateVariable(average * float64(w.limits.AudioBitrate))
	}
	return w.audioBitrateExceeded(average * float64(w.limits.AudioBitrate))
}
