package sfu

import (
	"slices"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	// keyframeEvery is how often a publisher is asked for an IDR at most.
	keyframeEvery = time.Second
	// maxReplay is how long a replay may take where an IDR can be had by asking.
	maxReplay = 150 * time.Millisecond
)

// key names a participant.
type key struct{ stageARN, id string }

// participant is a publisher and those who watch it. It outlives the publisher's connection
// by the grace period.
type participant struct {
	key   key
	clock clock

	mu              sync.Mutex
	sink            *sink // the connection that publishes; nil: none
	requestKeyframe func()
	requested       time.Time
	timeline        timeline
	gop             gop
	over            bool // it has ended for good
	members         map[*viewer]struct{}
	attached        []*viewer // the members that are connected
	departed        totals
}

// totals sums up the viewers that have gone.
type totals struct{ bytes, dropped, resent, received, lost uint64 }

func newParticipant(k key) *participant {
	return &participant{key: k, clock: clock{start: time.Now()}, members: make(map[*viewer]struct{})}
}

// join lets a connection publish in place of any former one. The viewers stay; their next
// picture is an IDR.
func (p *participant) join(s *sink, requestKeyframe func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sink, p.requestKeyframe, p.requested = s, requestKeyframe, time.Time{}
	p.gop.reset()
	p.timeline.restart()
	for _, v := range p.attached {
		v.queue.restart(true)
	}
}

// leave says that a connection has ended. It gives false if another one has taken over.
func (p *participant) leave(s *sink) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sink != s {
		return false
	}
	p.sink, p.requestKeyframe = nil, nil
	p.gop.reset()
	return true
}

// publishing says whether there is a connection.
func (p *participant) publishing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sink != nil
}

// publish gives a unit to all viewers. It does not block.
func (p *participant) publish(s *sink, u *unit, pts time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sink != s {
		return ingest.Rejectf(ingest.Disconnected, "The participant was disconnected, or another connection publishes as the same participant.")
	}
	u.at = time.Now()
	u.stream = p.timeline.place(u.kind, pts, p.clock.now(u.at))
	if u.kind == video {
		p.gop.add(u)
	}
	starved := false
	for _, v := range p.attached {
		if v.tracks[u.kind] != nil && !v.queue.put(u) {
			starved = true
		}
	}
	if starved {
		p.askKeyframe(u.at)
	}
	return nil
}

// askKeyframe asks the publisher for an IDR, where that is possible and it was not asked just
// now.
func (p *participant) askKeyframe(now time.Time) {
	if p.requestKeyframe != nil && now.Sub(p.requested) >= keyframeEvery {
		p.requested = now
		p.requestKeyframe()
	}
}

// add makes a viewer a member. It gives false if there is nobody to watch any more.
func (p *participant) add(v *viewer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.members[v] = struct{}{}
	return true
}

// attach starts a connected viewer's media.
func (p *participant) attach(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, member := p.members[v]; !member {
		return // it has ended meanwhile
	}
	p.attached = append(p.attached, v)
	p.start(v)
}

// refill helps a viewer that cannot decode: by a new IDR where the publisher can be asked, else
// by the current group of pictures once more.
func (p *participant) refill(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.requestKeyframe != nil {
		p.askKeyframe(time.Now())
		return
	}
	p.start(v)
}

// start gives a viewer the pictures that it has missed, or lets it wait for the next IDR.
func (p *participant) start(v *viewer) {
	if v.tracks[video] == nil {
		return
	}
	r := p.gop.replay()
	if p.requestKeyframe != nil && r.duration() > maxReplay {
		r = replay{}
	}
	if r.units == nil {
		p.askKeyframe(time.Now())
	}
	v.mu.Lock()
	v.replay = r
	v.mu.Unlock()
	v.queue.restart(r.units == nil)
}

// remove takes a viewer that has ended out.
func (p *participant) remove(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, member := p.members[v]; !member {
		return
	}
	delete(p.members, v)
	p.attached = slices.DeleteFunc(p.attached, func(other *viewer) bool { return other == v })
	p.departed.add(v)
}

// finish ends the participant for good, and its viewers, which it gives.
func (p *participant) finish(reason string) []*viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over, p.sink, p.requestKeyframe = true, nil, nil
	p.gop.reset()
	var members []*viewer
	for v := range p.members {
		members = append(members, v)
		v.end(reason)
	}
	return members
}
