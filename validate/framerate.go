package validate

import "time"

// The rule "frame rate": 10 to 60 pictures per second, averaged over 5 s of media time, in
// which a break counts as a second at most (clock.go), so that a stall or a few dropped
// pictures are no low frame rate. Browsers send fewer pictures where the network or the
// processor is short: over WHIP, a stream that has been fast enough is only warned of.

const frameRateSpan = 5 * time.Second

// frameRateTolerance is for timestamps rounded to milliseconds and clocks that jitter.
const frameRateTolerance = 0.05

type frameRateRule struct {
	window          window
	lowest, fastest float64 // averages over the span; 0 while not known
}

func newFrameRateRule() frameRateRule { return frameRateRule{window: newWindow(frameRateSpan)} }

// check counts a picture at time t on the clock of pictures.
func (r *frameRateRule) check(w words, t time.Duration) (f *Finding) {
	if r.window.completes(t) && t >= frameRateSpan {
		f = r.judge(w, float64(r.window.sum)/frameRateSpan.Seconds())
	}
	r.window.add(t, 1)
	return f
}

func (r *frameRateRule) judge(w words, fps float64) *Finding {
	if r.lowest == 0 || fps < r.lowest {
		r.lowest = fps
	}
	r.fastest = max(r.fastest, fps)
	switch {
	case fps < float64(w.limits.MinFrameRate)*(1-frameRateTolerance):
		return w.frameRate(fps).warnIf(w.whip && r.fastest >= float64(w.limits.MinFrameRate))
	case fps > float64(w.limits.MaxFrameRate)*(1+frameRateTolerance):
		return w.frameRate(fps)
	}
	return nil
}
