package sfu

import (
	"cmp"
	"slices"
)

// ParticipantStats is what is known of one participant's viewers. Counters only grow while
// the participant is known, and include viewers that have left.
type ParticipantStats struct {
	StageARN      string
	ParticipantID string
	Publishing    bool
	BytesSent     uint64 // RTP payloads, retransmissions included
	Dropped       uint64 // pictures and audio frames that slow viewers were not sent
	Resent        uint64 // packets sent again
	Received      uint64 // packets that viewers said have arrived; 0 without transport-wide feedback
	Lost          uint64 // packets that viewers said have not arrived
	Viewers       []ViewerStats
}

// ViewerStats is what is known of one viewer.
type ViewerStats struct {
	ViewerID     string
	Connected    bool
	BytesSent    uint64
	Dropped      uint64
	Resent       uint64
	Received     uint64
	Lost         uint64
	FractionLost float64 // of the last receiver report, 0 to 1
}

// Stats gives the figures of all participants, ordered by stage and participant.
func (s *SFU) Stats() []ParticipantStats {
	s.mu.Lock()
	all := make([]*participant, 0, len(s.participants))
	for _, p := range s.participants {
		all = append(all, p)
	}
	s.mu.Unlock()
	stats := make([]ParticipantStats, 0, len(all))
	for _, p := range all {
		stats = append(stats, p.stats())
	}
	slices.SortFunc(stats, func(a, b ParticipantStats) int {
		return cmp.Or(cmp.Compare(a.StageARN, b.StageARN), cmp.Compare(a.ParticipantID, b.ParticipantID))
	})
	return stats
}

func (p *participant) stats() ParticipantStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.departed
	out := ParticipantStats{StageARN: p.key.stageARN, ParticipantID: p.key.id, Publishing: p.sink != nil}
	for v := range p.members {
		sum.add(v)
		out.Viewers = append(out.Viewers, v.stats())
	}
	slices.SortFunc(out.Viewers, func(a, b ViewerStats) int { return cmp.Compare(a.ViewerID, b.ViewerID) })
	out.BytesSent, out.Dropped, out.Resent, out.Received, out.Lost = sum.bytes, sum.dropped, sum.resent, sum.received, sum.lost
	return out
}

func (v *viewer) stats() ViewerStats {
	c := &v.counters
	out := ViewerStats{
		ViewerID: v.id, BytesSent: c.bytes.Load(), Dropped: v.queue.lost(), Resent: c.resent.Load(),
		Received: c.received.Load(), Lost: c.lost.Load(), FractionLost: float64(c.fraction.Load()) / 256,
	}
	select {
	case <-v.connected:
		out.Connected = true
	default:
	}
	return out
}

func (t *totals) add(v *viewer) {
	t.bytes += v.counters.bytes.Load()
	t.dropped += v.queue.lost()
	t.resent += v.counters.resent.Load()
	t.received += v.counters.received.Load()
	t.lost += v.counters.lost.Load()
}
