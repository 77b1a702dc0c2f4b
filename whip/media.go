package whip

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/stagedoor/stagedoor/ingest"
)

// media turns a session's packets into what its Sink takes. It knows no network and no
// clock: times come in with the packets, and feedback goes out by send. One goroutine uses
// it.
type media struct {
	sink    ingest.Sink
	send    func(...rtcp.Packet)
	release func(*packet)

	line    timeline
	audio   *audioTrack
	layers  []*layer
	current *layer // the layer that is on stage; nil before the first picture
	lastPTS time.Duration

	wantKeyframe bool // a viewer's wish
	lastREMB     time.Time
	lost         int // pictures that were dropped, up to the last one that was not
}

func newMedia(sink ingest.Sink, send func(...rtcp.Packet), release func(*packet)) *media {
	return &media{sink: sink, send: send, release: release, audio: newAudioTrack()}
}

// addLayer adds a video stream, before its first packet.
func (m *media) addLayer(l *layer) { m.layers = append(m.layers, l) }

// takeAudio takes a packet of the audio track; tick passes on what it completes.
func (m *media) takeAudio(p *packet) { m.push(&m.audio.order, p) }

// takeVideo takes a packet of a layer; tick passes on what it completes.
func (m *media) takeVideo(l *layer, p *packet) { m.push(&l.order, p) }

func (m *media) push(order *reorder, p *packet) {
	if order.jumped(p) {
		order.restart(p, m.release)
	}
	if !order.push(p) {
		m.release(p)
	}
}

func (m *media) flushAudio(now time.Time) error {
	for {
		p, _ := m.audio.order.pop(now)
		if p == nil {
			return nil
		}
		frame := m.audio.frame(&m.line, p)
		m.release(p)
		if frame == nil {
			continue
		}
		if err := m.sink.WriteAudio(frame); err != nil {
			return err //nolint:wrapcheck // the Sink's error is final, and goes back as it is
		}
	}
}

func (m *media) flushVideo(l *layer, now time.Time) error {
	for {
		p, lost := l.order.pop(now)
		if p == nil {
			return nil
		}
		units, whole := l.packets.push(p, lost)
		m.release(p)
		for _, u := range units {
			if err := m.show(l, u, now); err != nil {
				return err
			}
		}
		if !whole {
			l.lose()
		}
	}
}

// show gives a picture to the Sink if its layer is on stage.
func (m *media) show(l *layer, u unit, now time.Time) error {
	au, idr := l.picture(u)
	pts := l.clock.follow(&m.line, &m.audio.clock, u.ts, u.arrival)
	if au == nil {
		return nil
	}
	if m.current != nil {
		au.Lost = m.current.lost()
	}
	if l != m.current {
		if m.current != nil && (!idr || best(m.layers, now) != l) {
			return nil
		}
		// The layers' clocks may differ a little; time does not run backwards at the switch.
		if late := m.lastPTS + time.Millisecond - pts; m.current != nil && late > 0 {
			l.clock.shift(late)
			pts += late
		}
		m.current = l
	}
	if idr {
		m.wantKeyframe = false
	}
	l.forgetLost()
	m.lost += au.Lost
	au.PTS, m.lastPTS = pts, pts
	return m.sink.WriteVideo(au) //nolint:wrapcheck // the Sink's error is final, and goes back as it is
}

// tick does what is due, and says when to call it again at the latest. It is called after
// every packet and at that time. An error is the Sink's.
func (m *media) tick(now time.Time) (next time.Time, err error) {
	next = now.Add(rembInterval)
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if err := m.flushAudio(now); err != nil {
		return next, err
	}
	earlier(m.audio.order.deadline())
	for _, l := range m.layers {
		if err := m.flushVideo(l, now); err != nil {
			return next, err
		}
		earlier(l.order.deadline())
	}
	target := best(m.layers, now)
	if target == nil {
		target = m.current
	}
	for _, l := range m.layers {
		// The other layers come and go as they can: they cost the publisher nothing more.
		if target != nil && l != target && l != m.current {
			continue
		}
		earlier(m.askPackets(l, now))
		earlier(m.askKeyframe(l, target, now))
	}
	m.tellLimit(now)
	return next, nil
}

// askPackets asks for what is missing of a layer, and says when to look again, zero if never.
func (m *media) askPackets(l *layer, now time.Time) (again time.Time) {
	if !l.resend {
		return time.Time{}
	}
	seqs, again := l.nack.due(&l.order, now)
	if len(seqs) > 0 {
		m.send(nackPacket(l.ssrc, seqs))
	}
	return again
}

// askKeyframe sends a PLI if one is wanted of this layer and the last one is long enough
// ago; otherwise it says when that will be, zero if none is wanted.
func (m *media) askKeyframe(l, target *layer, now time.Time) (again time.Time) {
	switching := target != nil && target != m.current && l == target
	if !l.wantPLI && !switching && (!m.wantKeyframe || l != m.current) {
		return time.Time{}
	}
	if due := l.lastPLI.Add(pliInterval); due.After(now) {
		return due
	}
	l.lastPLI, l.wantPLI = now, false
	if l == m.current {
		m.wantKeyframe = false
	}
	m.send(pli(l.ssrc))
	return time.Time{}
}

func (m *media) tellLimit(now time.Time) {
	if len(m.layers) == 0 || now.Sub(m.lastREMB) < rembInterval {
		return
	}
	m.lastREMB = now
	ssrcs := make([]uint32, 0, len(m.layers))
	for _, l := range m.layers {
		ssrcs = append(ssrcs, l.ssrc)
	}
	m.send(remb(ssrcs))
}
