package whip

import "time"

// reorderSpan is how many packets the reordering holds at most. At 8.5 Mbps it is over half
// a second, far more than a packet is waited for.
const reorderSpan = 512

// reorder puts the packets of one RTP stream into the order of their sequence numbers. A
// packet that is in order passes at once; behind a gap packets wait until it is filled, or
// until the first of them has waited too long.
type reorder struct {
	wait    time.Duration // how long a missing packet is waited for
	started bool
	next    uint16 // the sequence number that is due
	end     uint16 // one past the highest sequence number that was seen
	held    int
	cut     bool // what came before next was given up, and pop has not said so yet
	ring    [reorderSpan]*packet
}

// push takes a packet. It gives false, and the packet stays the caller's, where it came
// twice or after it was given up.
func (r *reorder) push(p *packet) bool {
	if !r.started {
		r.started, r.next, r.end = true, p.seq, p.seq
	}
	if int16(p.seq-r.next) < 0 || p.seq-r.next >= reorderSpan || r.ring[p.seq%reorderSpan] != nil {
		return false
	}
	r.ring[p.seq%reorderSpan] = p
	r.held++
	if int16(p.seq+1-r.end) > 0 {
		r.end = p.seq + 1
	}
	return true
}

// jumped says whether a packet is so far from what is due that the publisher must have
// started its numbers anew, or that more was lost than can be made good.
func (r *reorder) jumped(p *packet) bool {
	distance := int(int16(p.seq - r.next))
	return r.started && (distance >= reorderSpan || distance < -2*reorderSpan)
}

// restart forgets everything and begins with p. What was held is given back.
func (r *reorder) restart(p *packet, release func(*packet)) {
	for i, held := range r.ring {
		if held != nil {
			release(held)
			r.ring[i] = nil
		}
	}
	r.held, r.next, r.end, r.cut = 0, p.seq, p.seq, true
}

// pop gives the next packet in order, nil where it is not there yet. lost says that packets
// before it were given up.
func (r *reorder) pop(now time.Time) (p *packet, lost bool) {
	if r.held == 0 {
		return nil, false
	}
	if r.ring[r.next%reorderSpan] == nil {
		first := r.first()
		if now.Sub(first.arrival) < r.wait {
			return nil, false
		}
		r.next, r.cut = first.seq, true
	}
	lost, r.cut = r.cut, false
	slot := &r.ring[r.next%reorderSpan]
	p, *slot = *slot, nil
	r.held--
	r.next++
	return p, lost
}

// deadline is when the gap at the head is given up; zero where there is none.
func (r *reorder) deadline() time.Time {
	if r.held == 0 || r.ring[r.next%reorderSpan] != nil {
		return time.Time{}
	}
	return r.first().arrival.Add(r.wait)
}

// first is the held packet with the lowest number. There must be one.
func (r *reorder) first() *packet {
	for seq := r.next; ; seq++ {
		if p := r.ring[seq%reorderSpan]; p != nil {
			return p
		}
	}
}

// missing calls f for every packet that is not there although a later one is.
func (r *reorder) missing(f func(seq uint16)) {
	if r.held == 0 {
		return
	}
	for seq := r.next; seq != r.end; seq++ {
		if r.ring[seq%reorderSpan] == nil {
			f(seq)
		}
	}
}
