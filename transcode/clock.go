package transcode

import (
	"math"
	"time"
)

// What is done about an access unit whose timestamp is not where the count of samples is.
const (
	// maxJitter is left alone. RTMP stamps in whole milliseconds, and some encoders stamp
	// when they send.
	maxJitter = 40 * time.Millisecond
	// maxGap is filled with silence. A longer gap is not: while it lasted the viewers'
	// players have already played something in its place, and packets that come all at once
	// would delay them by as much. They are told by the PTS instead.
	maxGap = 200 * time.Millisecond
	// maxOverlap is dropped, until the publisher's clock has caught up but for less than half
	// an access unit.
	maxOverlap = time.Second
	overlapEnd = 10 * time.Millisecond
)

// How lasting deviations, as of an encoder that stamps each 44.1 kHz access unit 23 ms after
// the last one and so drifts by 9.5 ms a second, are worked off without a click.
const (
	smoothing   = 21                   // access units over which a deviation is averaged: half a second
	bendFrom    = 8 * time.Millisecond // a deviation of this begins a correction
	bendUntil   = 2 * time.Millisecond // ... and of this ends it
	bendPackets = 50                   // packets over which a deviation would be worked off: a second
	maxBend     = 20                   // samples in a packet's 960, a third of a semitone
)

// placement says how an access unit follows the one before.
type placement int

const (
	inOrder     placement = iota // its samples follow on
	afterGap                     // some are missing before it
	overlapping                  // it is for a time that was already sent
	jumped                       // the publisher's clock jumped
)

// clock maps the publisher's timestamps to the counted samples of the output. It works on
// media time alone.
type clock struct {
	rate    int           // Hz, of the samples that come in
	base    time.Duration // publisher's time of the first sample since the last rebase
	in      int64         // samples of each channel since then, at rate
	skipped int64         // 48 kHz samples that bends have since taken out, less those put in
	next    time.Duration // PTS of the next packet

	started  bool
	dropping bool          // within an overlap
	drift    time.Duration // smoothed deviation; positive: the publisher is ahead of the count
	bending  bool
	bent     int // the last packet's bend
}

func newClock() *clock {
	return &clock{rate: outputRate, next: -samplesTime(lookahead, outputRate)}
}

// head is the publisher's time of the next sample to come in.
func (c *clock) head() time.Duration {
	return c.base + samplesTime(c.in, c.rate) - samplesTime(c.skipped, outputRate)
}

// place judges the timestamp of the next access unit.
func (c *clock) place(pts time.Duration) placement {
	deviation := pts - c.head()
	late := maxJitter
	if c.dropping {
		late = overlapEnd
	}
	c.dropping = false
	switch {
	case !c.started, deviation > maxGap, deviation < -maxOverlap:
		c.started = true
		c.drift = 0
		return jumped
	case deviation > maxJitter:
		c.drift = 0
		return afterGap
	case deviation < -late:
		c.dropping = true
		c.drift = 0
		return overlapping
	}
	c.drift += (deviation - c.drift) / smoothing
	return inOrder
}

// jump moves the publisher's clock: the next sample is at pts. Samples that have come in but
// are in no packet yet move along.
func (c *clock) jump(pts time.Duration) {
	by := pts - c.head()
	c.base += by
	c.next += by
}

// advance counts samples of each channel that have come in, at rate.
func (c *clock) advance(samples int) { c.in += int64(samples) }

// rebase starts the count anew where the input is interrupted: pending samples of each
// channel wait at 48 kHz to become packets, and what comes next follows right after them.
func (c *clock) rebase(rate, pending int) {
	c.rate, c.in, c.skipped = rate, 0, 0
	c.base = c.next + samplesTime(int64(lookahead+pending), outputRate)
}

// bend says how many samples more than 960 the next packet should use up: positive plays
// faster. It changes by one from packet to packet, so that no step in pitch is heard.
func (c *clock) bend() int {
	size := c.drift.Abs()
	want := 0
	if size > bendFrom || c.bending && size > bendUntil {
		want = max(-maxBend, min(-timeSamples(c.drift)/bendPackets, maxBend))
	}
	return max(c.bent-1, min(want, c.bent+1))
}

// tick counts a packet that used up 960 samples and the bend, and gives its PTS.
func (c *clock) tick(bend int) time.Duration {
	c.bent, c.bending = bend, bend != 0
	c.skipped += int64(bend)
	pts := c.next
	c.next += packetTime
	return pts
}

// samplesTime is how long n samples take. It does not overflow within centuries.
func samplesTime(n int64, rate int) time.Duration {
	r := int64(rate)
	return time.Duration(n/r)*time.Second + time.Duration(n%r)*time.Second/time.Duration(r)
}

// timeSamples is how many 48 kHz samples are nearest to a duration of up to some hours.
func timeSamples(d time.Duration) int {
	return int(math.Round(d.Seconds() * outputRate))
}
