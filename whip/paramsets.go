package whip

// maxPPS bounds what is kept of a publisher's picture parameter sets.
const maxPPS = 32

// parameterSets keeps a stream's SPS and PPS, and puts them before every IDR picture, as
// package ingest promises. Publishers may send them once only, or in the offer
// (sprop-parameter-sets; RFC 6184, 8.1).
type parameterSets struct {
	sps []byte
	pps []pps
}

type pps struct {
	id   uint
	nalu []byte
}

// keep remembers a NAL unit if it is a parameter set.
func (s *parameterSets) keep(nalu []byte) {
	if len(nalu) < 2 {
		return
	}
	switch naluType(nalu) {
	case naluSPS:
		s.sps = nalu
	case naluPPS:
		id := firstExpGolomb(nalu[1:])
		for i := range s.pps {
			if s.pps[i].id == id {
				s.pps[i].nalu = nalu
				return
			}
		}
		if len(s.pps) < maxPPS {
			s.pps = append(s.pps, pps{id, nalu})
		}
	}
}

// complete gives the NAL units of an IDR picture with an SPS and a PPS at their head, and
// false where they are not known.
func (s *parameterSets) complete(nalus [][]byte) ([][]byte, bool) {
	var hasSPS, hasPPS bool
	for _, n := range nalus {
		hasSPS = hasSPS || naluType(n) == naluSPS
		hasPPS = hasPPS || naluType(n) == naluPPS
	}
	if hasSPS && hasPPS {
		return nalus, true
	}
	if s.sps == nil || len(s.pps) == 0 {
		return nil, false
	}
	out := make([][]byte, 0, 1+len(s.pps)+len(nalus))
	if !hasSPS {
		out = append(out, s.sps)
	}
	if hasSPS { // the picture's own SPS stays in front of the kept PPS
		out, nalus = splitAfterSPS(out, nalus)
	}
	if !hasPPS {
		for _, p := range s.pps {
			out = append(out, p.nalu)
		}
	}
	return append(out, nalus...), true
}

// splitAfterSPS moves the NAL units up to and including the last SPS from nalus to out.
func splitAfterSPS(out, nalus [][]byte) (head, rest [][]byte) {
	last := 0
	for i, n := range nalus {
		if naluType(n) == naluSPS {
			last = i
		}
	}
	return append(out, nalus[:last+1]...), nalus[last+1:]
}

// firstExpGolomb reads the ue(v) at the beginning of b (ITU-T H.264, 9.1), which a PPS
// begins with: its id, at most 255. Anything longer gives some large number.
func firstExpGolomb(b []byte) uint {
	bit := func(i int) uint {
		if i/8 >= len(b) {
			return 1
		}
		return uint(b[i/8]>>(7-i%8)) & 1
	}
	zeros := 0
	for zeros < 16 && bit(zeros) == 0 {
		zeros++
	}
	v := uint(0)
	for i := range zeros + 1 {
		v = v<<1 | bit(zeros+i)
	}
	return v - 1
}
