package validate

import "time"

type track int

const (
	videoTrack track = iota
	audioTrack
)

const (
	// A step back by more than this is a jump; less is jitter.
	maxStepBack = 500 * time.Millisecond
	// A unit this far ahead of everything before it is a jump, or follows a stall, which is
	// no media time either.
	maxStepAhead = 5 * time.Second
	// Longer gaps between pictures count as this much: a break is no low frame rate and no
	// long IDR interval, while a picture every few seconds still is.
	maxPictureGap = time.Second
)

// clock turns timestamps into media time that never jumps: each track is re-anchored where
// its timestamps leap, one step after its last unit, so that windows stay whole.
type clock struct {
	now     time.Duration // newest media time of either track, from 0
	tracks  [2]trackClock
	started bool
	picture time.Duration // media time of the pictures, long gaps shortened
	jumps   int
	jumpAt  time.Duration
}

type trackClock struct {
	offset time.Duration // media time = PTS + offset
	last   time.Duration
	high   time.Duration // the newest so far: with B-frames time goes to and fro
	step   time.Duration // between the last two units
	seen   bool
}

// tick gives the media time of a unit with this PTS.
func (c *clock) tick(k track, pts time.Duration) time.Duration {
	if !c.started {
		c.started = true
		c.tracks[videoTrack].offset, c.tracks[audioTrack].offset = -pts, -pts
	}
	tr := &c.tracks[k]
	if !tr.seen {
		tr.last = c.now
	}
	t := pts + tr.offset
	step := t - tr.last
	if step < -maxStepBack && tr.seen || step < -maxStepAhead || t > c.now+maxStepAhead {
		t = c.jump(tr)
		tr.offset = t - pts
		step = 0
	}
	if !tr.seen {
		tr.high = t
	}
	if k == videoTrack {
		c.picture += min(max(t-tr.high, 0), maxPictureGap)
	}
	if tr.seen && step > 0 {
		tr.step = min(step, maxPictureGap)
	}
	tr.last, tr.seen, tr.high = t, true, max(tr.high, t)
	c.now = max(c.now, t)
	return t
}

func (c *clock) jump(tr *trackClock) time.Duration {
	// The second track follows the first one's jump: that is the same jump.
	if c.jumps == 0 || c.now-c.jumpAt > time.Second {
		c.jumps++
		c.jumpAt = c.now
	}
	t := tr.last + tr.step
	if c.now-t > maxPictureGap {
		t = c.now
	}
	return t
}
