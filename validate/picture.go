package validate

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// NAL unit types (ITU-T H.264, table 7-1).
const (
	naluSlice      = 1
	naluPartitionA = 2
	naluPartitionC = 4
	naluIDR        = 5
	naluSEI        = 6
	naluSPS        = 7
	naluPPS        = 8
)

// picture is what one access unit says of itself, as far as the rules ask.
type picture struct {
	number   int           // from 1
	time     time.Duration // on the clock of pictures
	bytes    int
	slices   int
	idr      bool
	intra    bool // all slices are I
	recovery bool // a SEI with a recovery point
	kinds    [5]bool
	damaged  bool // a slice header could not be read
	// What Baseline decoders for the web do not take.
	partitioned    bool
	arbitraryOrder bool
	// Of the first slice.
	frameNum  uint32
	ppsID     uint32
	reference bool
}

// parameterSets remembers the headers by their number, as slices refer to them.
type parameterSets struct {
	sps            [32]sps
	pps            [256]pps
	anySPS, anyPPS bool
}

// complete says whether pictures can be decoded: both kinds have come.
func (s *parameterSets) complete() bool { return s.anySPS && s.anyPPS }

// readPicture reads the slice headers and SEI of an access unit. It allocates nothing.
func readPicture(au *ingest.AccessUnit, sets *parameterSets) (p picture) {
	p.intra = true
	var lastMB uint32
	for _, nalu := range au.NALUs {
		p.bytes += len(nalu)
		if len(nalu) == 0 {
			continue
		}
		switch kind := nalu[0] & 0x1f; kind {
		case naluSEI:
			p.recovery = p.recovery || hasRecoveryPoint(nalu)
		case naluSlice, naluPartitionA, naluIDR:
			p.slices++
			p.partitioned = p.partitioned || kind == naluPartitionA
			h, r, ok := parseSlice(nalu)
			if !ok {
				p.damaged = true
				continue
			}
			p.idr = p.idr || kind == naluIDR
			p.kinds[h.kind] = true
			p.intra = p.intra && h.kind == sliceI
			p.arbitraryOrder = p.arbitraryOrder || h.firstMB < lastMB
			lastMB = h.firstMB
			if p.slices == 1 {
				p.ppsID = h.ppsID
				p.reference = nalu[0]&0x60 != 0
				p.frameNum = r.bits(sets.active(h.ppsID).frameNumBits)
			}
		case naluPartitionA + 1, naluPartitionC:
			p.partitioned = true
		}
	}
	return p
}

// active gives the sequence parameter set that a slice with this ppsID uses.
func (s *parameterSets) active(ppsID uint32) *sps { return &s.sps[s.pps[ppsID].spsID] }

// hasSlice says whether the unit is a picture and not only a header.
func hasSlice(au *ingest.AccessUnit) bool {
	for _, nalu := range au.NALUs {
		if len(nalu) == 0 {
			continue
		}
		switch nalu[0] & 0x1f {
		case naluSlice, naluPartitionA, naluIDR:
			return true
		}
	}
	return false
}
