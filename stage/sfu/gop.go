package sfu

import "time"

// The current group of pictures is kept up to these bounds; past them it is forgotten, and
// newcomers wait for the next IDR.
const (
	maxGOPLength = 10 * time.Second
	maxGOPBytes  = 12 << 20
	maxGOPUnits  = 1024
)

// catchUpRate is how fast a group of pictures is replayed to a newcomer, in bytes per second,
// unless four times the stream's own rate is more.
const catchUpRate = 20_000_000 / 8

// gop is the current group of pictures: the last IDR and everything since.
type gop struct {
	units    []*unit // empty: not known, or past the bounds
	bytes    int
	lastIDR  time.Duration // on stage time
	interval time.Duration // between the last two IDRs; 0: not known
	seenIDR  bool
}

// reset forgets everything, as another publisher takes over.
func (g *gop) reset() { *g = gop{} }

// add takes the next picture.
func (g *gop) add(u *unit) {
	if u.idr {
		if g.seenIDR {
			g.interval = u.stream - g.lastIDR
		}
		g.seenIDR, g.lastIDR = true, u.stream
		// Viewers hold slices of the old group, so it is left to them.
		g.units, g.bytes = make([]*unit, 0, max(16, cap(g.units)/2)), 0
	} else if len(g.units) == 0 {
		return
	}
	g.units = append(g.units, u)
	g.bytes += len(u.data)
	if g.bytes > maxGOPBytes || len(g.units) > maxGOPUnits || u.stream-g.lastIDR > maxGOPLength {
		g.units, g.bytes = nil, 0
	}
}

// replay gives what a newcomer should be sent before the live pictures. It is empty where
// there is nothing, or where the next IDR is due before the replay would be over.
func (g *gop) replay() replay {
	n := len(g.units)
	if n == 0 {
		return replay{}
	}
	r := replay{units: g.units[:n:n], bytes: g.bytes, rate: catchUpRate, live: g.units[n-1]}
	age := r.live.stream - g.lastIDR
	if age > 0 {
		r.rate = max(r.rate, 4*int(int64(g.bytes)*int64(time.Second)/int64(age)))
	}
	if age < g.interval && g.interval-age < r.duration() {
		return replay{}
	}
	return r
}

// replay is the part of the current group of pictures that a newcomer has missed. It shares
// the units, which may only be read.
type replay struct {
	units []*unit
	bytes int
	rate  int   // bytes per second
	live  *unit // the newest one
}

// duration is how long it takes to send.
func (r replay) duration() time.Duration {
	if r.rate == 0 {
		return 0
	}
	return time.Duration(int64(r.bytes) * int64(time.Second) / int64(r.rate))
}
