package validate

import "time"

// The rule "bitrate": audio and video together, over a sliding 10 s of media time. An
// encoder's maximum is a target: rate control with a buffer of a second or two overshoots
// while the buffer fills, and above all at the start, so that the average must stay above
// the limit for a while before the session is ended. A peak is warned of.

const (
	bitrateSpan = 10 * time.Second
	// bitrateTolerance lets an encoder hover around a maximum that is set to the limit.
	bitrateTolerance = 1.03
	// An average this far above the limit is no overshoot, and ends the session at once.
	bitrateGross = 1.15
	// bitrateSustained is how long the average may stay above the limit.
	bitrateSustained = 5 * time.Second
)

type bitrateRule struct {
	window window
	over   time.Duration // since when the average is above the limit, 0 if it is not
	peak   float64       // highest average over the span, bits per second
	total  int64         // bits
}

func newBitrateRule() bitrateRule { return bitrateRule{window: newWindow(bitrateSpan)} }

// add counts bytes that arrived at media time t and gives the average over the span.
func (r *bitrateRule) add(t time.Duration, bytes int) (average float64) {
	bits := int64(bytes) * 8
	r.window.add(t, bits)
	r.total += bits
	average = float64(r.window.sum) / bitrateSpan.Seconds()
	r.peak = max(r.peak, average)
	return average
}

// check counts bytes that arrived at media time t.
func (r *bitrateRule) check(w words, t time.Duration, bytes int) *Finding {
	average, limit := r.add(t, bytes), float64(w.limits.Bitrate)
	switch {
	case average <= limit*bitrateTolerance:
		r.over = 0
	case r.over == 0:
		r.over = t
	}
	if average > limit*bitrateGross || r.over > 0 && t-r.over >= bitrateSustained {
		return w.bitrateExceeded(average)
	}
	if second := r.window.last(int(time.Second / bucketSpan)); float64(second) > limit*bitrateTolerance {
		return w.bitratePeak(float64(second))
	}
	return nil
}

// highest gives the highest average, for a session of this length.
func (r *bitrateRule) highest(session time.Duration) float64 {
	if session > 0 && session < bitrateSpan {
		return float64(r.total) / session.Seconds()
	}
	return r.peak
}
