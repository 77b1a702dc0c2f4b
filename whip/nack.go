package whip

import "time"

const (
	// nackGrace lets packets that were merely overtaken come in before they are asked for.
	nackGrace = 8 * time.Millisecond
	// nackRetry is when a packet is asked for again. It is shorter than many round trips,
	// because a packet that comes twice costs less than one that never does.
	nackRetry = 35 * time.Millisecond
	nackTries = 4
	// nackWait is how long a missing packet is waited for where the publisher sends packets
	// again; orderWait where it does not, and packets can only have been overtaken.
	nackWait  = 150 * time.Millisecond
	orderWait = 40 * time.Millisecond
)

// nack decides when which packets of one RTP stream are asked for again (RFC 4585, 6.2.1).
type nack struct {
	asked [reorderSpan]request
}

type request struct {
	seq   uint16
	tries int // 0: not known to be missing
	next  time.Time
}

// due gives the packets to ask for now, and when to look again (zero: never).
func (n *nack) due(r *reorder, now time.Time) (seqs []uint16, again time.Time) {
	r.missing(func(seq uint16) {
		a := &n.asked[seq%reorderSpan]
		if a.tries == 0 || a.seq != seq {
			*a = request{seq: seq, tries: 1, next: now.Add(nackGrace)}
		}
		if a.tries > nackTries {
			return
		}
		if !a.next.After(now) {
			seqs = append(seqs, seq)
			a.tries++
			a.next = now.Add(nackRetry)
		}
		if a.tries <= nackTries && (again.IsZero() || a.next.Before(again)) {
			again = a.next
		}
	})
	return seqs, again
}
