package rtmp

import "time"

// clock turns RTMP's 32-bit millisecond timestamps into the session's time. Audio and
// video share one clock, so that what jumps for one jumps for the other.
type clock struct {
	started bool
	last    uint32
	elapsed int64 // milliseconds between the first timestamp and last
}

// at gives the time of a timestamp since the first one that was given. A difference of less
// than 2^31 ms to the previous timestamp is taken as it is, forwards or backwards, which
// covers the wrap after 49.7 days (RTMP 5.3.1.2) and jumps of the encoder's clock.
func (c *clock) at(timestamp uint32) time.Duration {
	if !c.started {
		c.started, c.last = true, timestamp
	}
	c.elapsed += int64(int32(timestamp - c.last))
	c.last = timestamp
	return c.now()
}

// now gives the time of the latest timestamp: the place of what carries none of its own.
func (c *clock) now() time.Duration { return milliseconds(c.elapsed) }

func milliseconds[T int32 | int64](n T) time.Duration { return time.Duration(n) * time.Millisecond }
