package whip

import "time"

const (
	// maxSlew is how much of a picture's duration its date may be moved to meet the sound:
	// nobody sees it, and 100 ms are made good in two seconds.
	slewDivisor = 20
	// slewDeadband is a difference that nobody hears or sees; correcting it would only make
	// the pictures' distances uneven.
	slewDeadband = 5 * time.Millisecond
	// maxSkew is the largest difference between sound and picture that a sender report is
	// believed; beyond it the arrival is the better witness.
	maxSkew = 10 * time.Second
	// maxLeap is how far a timestamp may be from the time that passed since the last one;
	// beyond it the publisher has started its clock anew.
	maxLeap = 3 * time.Second
	// transitWindow is over how long the fastest packet is looked for.
	transitWindow = 5 * time.Second
)

// timeline is what the tracks of a session have in common: the arrival of the first packet.
type timeline struct{ zero time.Time }

func (l *timeline) since(arrival time.Time) time.Duration {
	if l.zero.IsZero() {
		l.zero = arrival
	}
	return arrival.Sub(l.zero)
}

// rtpClock dates the timestamps of one RTP stream (RFC 3550, 5.1) on the session's timeline.
//
// The first packet of a stream is dated by its arrival. From then on the audio runs on its
// own timestamps, untouched, and the video is moved slowly towards the place at which the
// sender reports of both (RFC 3550, 6.4.1) put it; until both are there, towards the place
// at which the fastest packets of both took equally long.
type rtpClock struct {
	rate    int64 // ticks a second
	started bool
	last    uint32        // the last timestamp
	lastAt  time.Time     // and its arrival
	ticks   int64         // the last timestamp, counted from the first without wrapping
	offset  time.Duration // the PTS of tick 0
	lastPTS time.Duration

	report  senderReport
	fastest [2]time.Duration // arrival less tick: the least in this window and the one before
	window  time.Time        // when this window began; zero before the first
}

// senderReport is the newest sender report: this tick was at this time of the publisher's clock.
type senderReport struct {
	known    bool
	resolved bool // ticks is computed from ts
	ntp      time.Duration
	ts       uint32
	ticks    int64
}

// observe takes a sender report. ntp is in the format of RFC 3550, section 4.
func (c *rtpClock) observe(ntp uint64, ts uint32) {
	seconds, fraction := ntp>>32, ntp&0xffffffff
	if seconds == 0 {
		return // the publisher has no clock (6.4.1)
	}
	c.report = senderReport{known: true, ts: ts, ntp: time.Duration(seconds)*time.Second + time.Duration(fraction*1e9>>32)}
	c.resolve()
}

func (c *rtpClock) resolve() {
	if c.report.known && !c.report.resolved && c.started {
		c.report.ticks = c.ticks + int64(int32(c.report.ts-c.last))
		c.report.resolved = true
	}
}

// date gives the PTS of a timestamp by the stream's own clock.
func (c *rtpClock) date(line *timeline, ts uint32, arrival time.Time) time.Duration {
	since := line.since(arrival)
	switch step := int64(int32(ts - c.last)); {
	case !c.started:
		// A picture's first packet may have come before the sound that began the timeline.
		c.started, c.offset = true, max(since, 0)
	case absolute(c.duration(step)-arrival.Sub(c.lastAt)) > maxLeap:
		c.offset = since - c.duration(c.ticks)
		c.report, c.window = senderReport{}, time.Time{}
	default:
		c.ticks += step
	}
	c.last, c.lastAt = ts, arrival
	c.resolve()
	c.time(since, arrival)
	return c.offset + c.duration(c.ticks)
}

// time keeps the least time that a packet took.
func (c *rtpClock) time(since time.Duration, arrival time.Time) {
	took := since - c.duration(c.ticks)
	switch age := arrival.Sub(c.window); {
	case c.window.IsZero():
		c.window, c.fastest = arrival, [2]time.Duration{took, took}
	case age >= transitWindow:
		c.window, c.fastest = arrival, [2]time.Duration{took, c.fastest[0]}
	default:
		c.fastest[0] = min(c.fastest[0], took)
	}
}

// transit is how much later than its PTS the fastest packet came lately.
func (c *rtpClock) transit() time.Duration { return min(c.fastest[0], c.fastest[1]) - c.offset }

// follow gives the PTS of a timestamp, moved towards the audio's clock.
func (c *rtpClock) follow(line *timeline, audio *rtpClock, ts uint32, arrival time.Time) time.Duration {
	pts := c.date(line, ts, arrival)
	if skew := c.skew(audio, pts); absolute(skew) > slewDeadband {
		limit := min(max(pts-c.lastPTS, 0), time.Second) / slewDivisor
		move := max(-limit, min(limit, skew))
		c.offset += move
		pts += move
	}
	c.lastPTS = pts
	return pts
}

// skew is by how much the picture dated pts is too early.
func (c *rtpClock) skew(audio *rtpClock, pts time.Duration) time.Duration {
	if !audio.started {
		return 0
	}
	if c.report.resolved && audio.report.resolved {
		taken := c.report.ntp + c.duration(c.ticks-c.report.ticks)
		want := audio.offset + audio.duration(audio.report.ticks) + taken - audio.report.ntp
		if skew := want - pts; absolute(skew) <= maxSkew {
			return skew
		}
	}
	return c.transit() - audio.transit()
}

// shift moves all dates to come.
func (c *rtpClock) shift(by time.Duration) {
	c.offset += by
	c.lastPTS += by
}

func (c *rtpClock) duration(ticks int64) time.Duration {
	return time.Duration(ticks/c.rate)*time.Second + time.Duration(ticks%c.rate)*time.Second/time.Duration(c.rate)
}

func absolute(d time.Duration) time.Duration { return max(d, -d) }
