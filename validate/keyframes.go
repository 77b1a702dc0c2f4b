package validate

import "time"

// The rule "keyframes": an IDR picture every 1 to 2 s, by the clock of pictures. Other
// intervals are only warned of; a stream without any for 10 s is refused, since nobody can
// begin to watch it. A WHIP publisher sends IDR pictures when asked, and is asked here.

const (
	// intervalTolerance: at 29.97 pictures per second, 60 pictures last 2.002 s, and an
	// encoder that was asked needs a moment.
	intervalTolerance = 250 * time.Millisecond
	// shortIntervals in a row are a setting; fewer may be cuts of scene.
	shortIntervals = 5
	// askAhead is how long before the interval's limit a publisher is asked.
	askAhead = 250 * time.Millisecond
	askAgain = time.Second
)

type keyframesRule struct {
	request  func() // nil over RTMP
	whip     bool
	started  bool
	since    time.Duration // from the last IDR to the last picture
	lastIDR  time.Duration // or the first picture
	ask      time.Duration // not to be asked before
	interval time.Duration // between the last two, 0 while not known
	hadIDR   bool
	short    int // intervals in a row
	longest  time.Duration
	recovery bool // since the last IDR: a recovery point
	intra    bool // since the last IDR: a picture of I slices that is no IDR
}

func (r *keyframesRule) check(w words, p *picture) *Finding {
	if !r.started {
		r.started, r.lastIDR = true, p.time
	}
	since := p.time - r.lastIDR
	if p.idr {
		return r.idr(w, p.time, since)
	}
	r.since = since
	r.recovery = r.recovery || p.recovery
	r.intra = r.intra || p.intra && !p.damaged
	if since >= w.limits.NoIDR && (r.request != nil || !r.whip) {
		return w.noIDR(since, r.variant())
	}
	due := !r.hadIDR || since >= w.limits.MaxIDRInterval-askAhead
	if r.request != nil && due && p.time >= r.ask {
		r.ask = p.time + askAgain
		r.request()
	}
	return nil
}

func (r *keyframesRule) idr(w words, t, interval time.Duration) *Finding {
	first, overdue := !r.hadIDR, r.since > w.limits.MaxIDRInterval+intervalTolerance
	r.hadIDR, r.lastIDR, r.since = true, t, 0
	r.recovery, r.intra = false, false
	if first {
		return nil
	}
	r.interval = interval
	r.longest = max(r.longest, interval)
	// Over WHIP, viewers who join ask for pictures too.
	if interval < w.limits.MinIDRInterval-intervalTolerance/2 && !r.whip {
		r.short++
	} else {
		r.short = 0
	}
	switch {
	case overdue: // a break right before the IDR picture is not the encoder's choice
		return w.idrIntervalLong(interval)
	case r.short >= shortIntervals:
		return w.idrIntervalShort(interval)
	}
	return nil
}

// noIDRVariant says what an encoder does instead of sending IDR pictures.
type noIDRVariant int

const (
	noIDRAtAll noIDRVariant = iota
	intraRefresh
	openGOP
)

func (r *keyframesRule) variant() noIDRVariant {
	switch {
	case r.intra:
		return openGOP
	case r.recovery:
		return intraRefresh
	}
	return noIDRAtAll
}
