package whip

import (
	"bytes"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

const videoClockRate = 90000

// layer is one video stream of a publisher: the only one, or one of its simulcast layers.
type layer struct {
	rid    string
	ssrc   uint32
	resend bool // the publisher sends packets again

	order   reorder
	nack    nack
	packets depacketizer
	sets    parameterSets
	clock   rtpClock

	// waiting means that something was lost, or nothing was seen yet: pictures are held
	// back until the next IDR, because they refer to what is not there.
	waiting     bool
	heldBack    int // pictures that were whole, but for that
	size        size
	lastPicture time.Time
	lastPLI     time.Time
	wantPLI     bool
}

// newLayer makes a layer; sets are the offer's parameter sets.
func newLayer(rid string, ssrc uint32, resend bool, sets [][]byte) *layer {
	l := &layer{rid: rid, ssrc: ssrc, resend: resend, waiting: true, clock: rtpClock{rate: videoClockRate}}
	l.order.wait = orderWait
	if resend {
		l.order.wait = nackWait
	}
	l.packets.unsure = true
	for _, n := range sets {
		l.sets.keep(n)
	}
	return l
}

// picture makes an access unit of what came out of the packets. It gives nil where there is
// nothing to show: the unit waits for an IDR, or holds nothing but delimiters.
func (l *layer) picture(u unit) (au *ingest.AccessUnit, idr bool) {
	nalus, slices := u.nalus[:0], false
	for _, n := range u.nalus {
		switch t := naluType(n); {
		case t >= naluDelimiter && t <= naluFiller: // delimiter, end of sequence, end of stream, filler
			continue
		case t == naluSPS || t == naluPPS:
			l.remember(n)
		case t >= naluSlice && t <= naluIDR:
			slices = true
			idr = idr || t == naluIDR
		}
		nalus = append(nalus, n)
	}
	switch {
	case idr:
		complete, ok := l.sets.complete(nalus)
		if !ok {
			l.heldBack++
			l.lose()
			return nil, false
		}
		l.waiting, l.wantPLI = false, false
		nalus = complete
	case slices && l.waiting:
		l.heldBack++
		l.lose()
		return nil, false
	case !slices && !hasParameterSet(nalus):
		return nil, false
	}
	l.lastPicture = u.arrival
	return &ingest.AccessUnit{NALUs: nalus}, idr
}

// lost is how many pictures were dropped since it was last forgotten.
func (l *layer) lost() int { return l.packets.dropped + l.heldBack }

func (l *layer) forgetLost() { l.packets.dropped, l.heldBack = 0, 0 }

// lose holds everything back until the next IDR, and asks for it.
func (l *layer) lose() { l.waiting, l.wantPLI = true, true }

func (l *layer) remember(set []byte) {
	if naluType(set) == naluSPS && !bytes.Equal(set, l.sets.sps) {
		l.size = sizeOf(set)
	}
	l.sets.keep(set)
}

func hasParameterSet(nalus [][]byte) bool {
	for _, n := range nalus {
		if t := naluType(n); t == naluSPS || t == naluPPS {
			return true
		}
	}
	return false
}
