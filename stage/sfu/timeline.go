package sfu

import "time"

const (
	// A track may step back by so much, or forth by so much more than the time that really
	// passed, before its publisher's clock is said to have jumped.
	maxStepBack = 250 * time.Millisecond
	maxStepOn   = 2 * time.Second
	// maxApart is how far the two tracks may be from each other. A track that follows the
	// other one so closely has not jumped: frames were dropped on the way.
	maxApart = 5 * time.Second
	// minStep is at least one tick of either RTP clock.
	minStep = 25 * time.Microsecond
)

// timeline turns a publisher's PTS into time on stage. That time runs with the wall clock
// across jumps of the publisher's clock and across publishers that replace each other, never
// goes back in a track, and keeps the tracks together: both follow the same jump by the same
// amount, whichever sees it first.
type timeline struct {
	offset   time.Duration // the newest jump's: stage time = PTS + offset
	anchored bool
	tracks   [kinds]trackTime
}

type trackTime struct {
	seen   bool // has ever had a unit
	going  bool // has had one since the last restart
	offset time.Duration
	stream time.Duration // the last unit's time on stage
	at     time.Duration // when it came
}

// restart says that another publisher takes over, whose PTS has nothing to do with the last
// one's.
func (t *timeline) restart() {
	t.anchored = false
	for k := range t.tracks {
		t.tracks[k].going = false
	}
}

// place gives a unit its time on stage. now is the time since the participant first came.
func (t *timeline) place(k kind, pts, now time.Duration) time.Duration {
	own := &t.tracks[k]
	switch {
	case own.going && t.fits(k, pts+own.offset, now):
	case t.anchored && t.fits(k, pts+t.offset, now):
		own.offset = t.offset
	default:
		t.offset, t.anchored = t.expected(k, now)-pts, true
		own.offset = t.offset
	}
	stream := pts + own.offset
	if own.seen {
		stream = max(stream, own.stream+minStep)
	}
	own.seen, own.going, own.stream, own.at = true, true, stream, now
	return stream
}

// fits says whether the stage time is a plausible one for the track's next unit.
func (t *timeline) fits(k kind, stream, now time.Duration) bool {
	own, other := &t.tracks[k], &t.tracks[1-k]
	if own.going && stream >= own.stream-maxStepBack && stream <= own.stream+now-own.at+maxStepOn {
		return true
	}
	return other.going && stream >= other.stream-maxApart && stream <= other.stream+now-other.at+maxApart &&
		(!own.going || stream >= own.stream-maxStepBack)
}

// expected gives the stage time that a unit would have if the clock had not jumped.
func (t *timeline) expected(k kind, now time.Duration) time.Duration {
	own, other := &t.tracks[k], &t.tracks[1-k]
	switch {
	case own.seen:
		return own.stream + now - own.at
	case other.seen:
		return other.stream + now - other.at
	}
	return now
}
