package validate

import "time"

// The rule "bitrate": audio and video together, over a sliding 10 s of media time. A burst
// above the limit is only warned of: an encoder's maximum is a target.

const bitrateSpan = 10 * time.Second

// bitrateTolerance lets an encoder hover around a maximum that is set to the limit itself.
const bitrateTolerance = 1.03

type bitrateRule struct {
	window window
	peak   float64 // highest average over the span, bits per second
	total  int64   // bits
}

func newBitrateRule() bitrateRule { return bitrateRule{window: newWindow(bitrateSpan)} }

// check counts bytes that arrived at media time t.
func (r *bitrateRule) check(w words, t time.Duration, bytes int) *Finding {
	r.window.add(t, int64(bytes)*8)
	r.total += int64(bytes) * 8
	average := float64(r.window.sum) / bitrateSpan.Seconds()
	r.peak = max(r.peak, average)
	if average > float64(w.limits.Bitrate)*bitrateTolerance {
		return w.bitrateExceeded(average)
	}
	if second := r.window.last(int(time.Second / bucketSpan)); second > int64(w.limits.Bitrate) {
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
