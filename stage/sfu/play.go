package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// refillEvery is how often a viewer that cannot decode gets the group of pictures again.
	refillEvery = time.Second
	// ahead is how much of a replay may go out at once.
	ahead = 5 * time.Millisecond
)

// player sends one viewer its media. It belongs to the goroutine of play.
type player struct {
	v       *viewer
	senders [kinds]*sender
	clock   clock

	// While catching up, pictures go out at a limited rate, and each carries the time of its
	// sending instead of its own. To the viewer they look like pictures that come as they
	// are taken, only very many; with their true times they would look late, and the viewer
	// would hold back all later pictures by as much.
	catchingUp bool
	replay     replay
	due        time.Time // when the next picture may go out
	timer      *time.Timer

	asked       [maxAsked]uint16
	refilled    time.Time
	reports     int
	nextReports time.Time
}

// play runs while the viewer is connected.
func (v *viewer) play() {
	p := &player{v: v, clock: v.participant.clock, timer: time.AfterFunc(time.Hour, v.queue.poke)}
	defer p.timer.Stop()
	cc := &transportSequence{}
	for k, t := range v.tracks {
		if t != nil {
			p.senders[k] = newSender(t, cc)
		}
	}
	v.participant.attach(v)
	// One channel for all that can happen: waiting for several costs a few per cent of all.
	for range v.queue.wake {
		if v.hasEnded() {
			return
		}
		if err := p.work(); err != nil {
			v.end("sending failed: " + err.Error())
			return
		}
	}
}

// work does all that can be done now. What it sends leaves together.
func (p *player) work() error {
	held := p.v.burst.begin()
	defer held.end()
	for {
		now := time.Now()
		if err := p.serve(now); err != nil {
			return err
		}
		more, err := p.sendNext(now)
		if err != nil || !more {
			return err
		}
		if err := p.report(now); err != nil {
			return err
		}
	}
}

// serve answers what the viewer asked for.
func (p *player) serve(now time.Time) error {
	v := p.v
	v.mu.Lock()
	n := copy(p.asked[:], v.asked[:v.askedN])
	v.askedN = 0
	refill := v.refill
	v.refill = false
	if v.replay.units != nil {
		p.replay, p.catchingUp = v.replay, true
		v.replay = replay{}
	}
	v.mu.Unlock()
	if s := p.senders[video]; s != nil {
		for _, seq := range p.asked[:n] {
			bytes, err := s.resend(seq, now)
			if err != nil {
				return err
			}
			if bytes > 0 {
				v.counters.bytes.Add(uint64(bytes))
				v.counters.resent.Add(1)
			}
		}
	}
	if refill && now.Sub(p.refilled) >= refillEvery {
		p.refilled = now
		v.participant.refill(v)
	}
	return nil
}

// sendNext sends one unit, sound first since it is small. It gives false where there is
// nothing to send, or nothing yet.
func (p *player) sendNext(now time.Time) (bool, error) {
	v := p.v
	if u := v.queue.take(audio); u != nil {
		return true, p.send(u, u.stream)
	}
	if !p.catchingUp {
		u := v.queue.take(video)
		if u == nil {
			return false, nil
		}
		return true, p.send(u, u.stream)
	}
	if wait := p.due.Sub(now); wait > ahead {
		p.timer.Reset(wait)
		return false, nil
	}
	u := p.nextMissed()
	if u == nil {
		return false, nil
	}
	if now.After(p.due) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(len(u.data)) * time.Second / time.Duration(p.replay.rate))
	live := p.replay.live
	return true, p.send(u, max(u.stream, live.stream+now.Sub(live.at)))
}

// nextMissed gives the next picture of the replay, then those that came meanwhile; nil once
// the viewer has caught up.
func (p *player) nextMissed() *unit {
	if len(p.replay.units) > 0 {
		u := p.replay.units[0]
		p.replay.units = p.replay.units[1:]
		return u
	}
	u := p.v.queue.take(video)
	if u == nil {
		p.catchingUp = false
	}
	return u
}

func (p *player) send(u *unit, stream time.Duration) error {
	s := p.senders[u.kind]
	if s == nil {
		return nil
	}
	if !s.started {
		// The first packet of a track and its time belong together.
		p.nextReports, p.reports = time.Time{}, 0
	}
	return s.send(u, stream, &p.v.counters.bytes)
}

// report sends the sender reports of all tracks that have begun, when it is time.
func (p *player) report(now time.Time) error {
	if now.Before(p.nextReports) {
		return nil
	}
	var reports []rtcp.Packet
	stream := p.clock.now(now)
	for _, s := range p.senders {
		if s != nil && s.started {
			reports = append(reports, s.report(p.clock, stream))
		}
	}
	if len(reports) == 0 {
		return nil
	}
	p.reports++
	p.nextReports = now.Add(nextReport)
	if p.reports == 1 {
		p.nextReports = now.Add(secondReport)
	}
	return p.v.writeRTCP(reports)
}
