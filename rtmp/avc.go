package rtmp

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// The NAL unit types of ITU-T H.264, table 7-1, that matter here.
const (
	naluSlice = 1
	naluIDR   = 5
	naluSPS   = 7
	naluPPS   = 8
	naluAUD   = 9
	naluLast  = 23 // RTP gives those above a meaning of its own (RFC 6184, 5.2)
)

// avcStream is the state of one H.264 stream as FLV carries it: how NAL units are delimited
// and which parameter sets are in force.
type avcStream struct {
	lengthSize int // bytes of a NAL unit's length
	sps, pps   [][]byte
	size       int // of all parameter sets
}

func newAVCStream() *avcStream { return &avcStream{lengthSize: 4} }

// configure reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), whose
// parameter sets replace all earlier ones. A damaged record changes nothing: the stream may
// carry its parameter sets in band.
func (s *avcStream) configure(record []byte) (changed, ok bool) {
	if len(record) < 6 || record[0] != 1 {
		return false, false
	}
	next := &avcStream{lengthSize: int(record[4]&3) + 1}
	rest, ok := next.keepAll(record[6:], int(record[5]&0x1f))
	if !ok || len(rest) == 0 {
		return false, false
	}
	if _, ok = next.keepAll(rest[1:], int(rest[0])); !ok {
		return false, false
	}
	changed = next.lengthSize != s.lengthSize || !slices.EqualFunc(next.sps, s.sps, bytes.Equal) ||
		!slices.EqualFunc(next.pps, s.pps, bytes.Equal)
	if changed {
		*s = *next
	}
	return changed, true
}

// keepAll keeps n parameter sets, each with a length of two bytes before it.
func (s *avcStream) keepAll(b []byte, n int) (rest []byte, ok bool) {
	for range n {
		if len(b) < 2 {
			return nil, false
		}
		size := int(binary.BigEndian.Uint16(b))
		if size > len(b)-2 {
			return nil, false
		}
		if size > 0 {
			s.keep(b[2 : 2+size])
		}
		b = b[2+size:]
	}
	return b, true
}

// keep notes a parameter set, in the place of the one with the same id. Anything else is
// left out, and so is what would need more room than sane streams do. It copies, so that a
// few bytes do not hold a whole picture in memory.
func (s *avcStream) keep(nalu []byte) {
	var list *[][]byte
	id := parameterSetID
	switch nalu[0] & 0x1f {
	case naluSPS:
		list, id = &s.sps, sequenceParameterSetID
	case naluPPS:
		list = &s.pps
	default:
		return
	}
	i := slices.IndexFunc(*list, func(old []byte) bool { return id(old) == id(nalu) })
	if i >= 0 && bytes.Equal((*list)[i], nalu) {
		return
	}
	old := 0
	if i >= 0 {
		old = len((*list)[i])
	}
	if s.size-old+len(nalu) > maxParameterSets {
		return
	}
	s.size += len(nalu) - old
	if i >= 0 {
		(*list)[i] = bytes.Clone(nalu)
	} else {
		*list = append(*list, bytes.Clone(nalu))
	}
}

// header gives the parameter sets in force, in a slice of its own.
func (s *avcStream) header() [][]byte { return slices.Concat(s.sps, s.pps) }

// split takes the NAL units of one picture out of b, of which they remain slices. Access
// unit delimiters and units without a meaning in H.264 are left out; before an IDR slice
// the parameter sets are put, those of this picture included. It gives nothing for a
// picture without content, and not ok for a damaged one.
func (s *avcStream) split(b []byte) (nalus [][]byte, ok bool) {
	count, ok := s.count(b)
	if !ok {
		return nil, false
	}
	slice, idr, sets := false, false, false
	nalus = make([][]byte, 0, count+len(s.sps)+len(s.pps)+2)
	for len(b) > 0 {
		var nalu []byte
		nalu, b = s.next(b)
		if len(nalu) == 0 {
			continue
		}
		kind := nalu[0] & 0x1f
		switch {
		case kind == naluSPS || kind == naluPPS:
			s.keep(nalu)
			sets = true
		case kind >= naluSlice && kind <= naluIDR:
			slice = true
			idr = idr || kind == naluIDR
		case kind == 0 || kind == naluAUD || kind > naluLast:
			continue
		}
		nalus = append(nalus, nalu)
	}
	switch {
	case !slice && !sets:
		return nil, true
	case !slice:
		return s.header(), true
	case idr:
		return s.lead(nalus), true
	default:
		return nalus, true
	}
}

// lead puts the parameter sets first.
func (s *avcStream) lead(nalus [][]byte) [][]byte {
	nalus = slices.DeleteFunc(nalus, func(n []byte) bool {
		return n[0]&0x1f == naluSPS || n[0]&0x1f == naluPPS
	})
	n := len(s.sps) + len(s.pps)
	nalus = slices.Grow(nalus, n)[:len(nalus)+n]
	copy(nalus[n:], nalus)
	copy(nalus[copy(nalus, s.sps):], s.pps)
	return nalus
}

// count counts the NAL units and checks that their lengths fit together.
func (s *avcStream) count(b []byte) (n int, ok bool) {
	for ; len(b) > 0; n++ {
		size, head := s.length(b)
		if head == 0 || size > len(b)-head || n == maxMediaUnitNALU {
			return 0, false
		}
		if size > 0 && b[head]&0x80 != 0 { // forbidden_zero_bit: these are no NAL units
			return 0, false
		}
		b = b[head+size:]
	}
	return n, n > 0
}

// next cuts the first NAL unit off b, which count has checked.
func (s *avcStream) next(b []byte) (nalu, rest []byte) {
	size, head := s.length(b)
	end := head + size
	return b[head:end:end], b[end:]
}

// length reads a NAL unit's length; head is how long that itself is, 0 if it is cut off.
func (s *avcStream) length(b []byte) (size, head int) {
	if len(b) < s.lengthSize {
		return 0, 0
	}
	for _, v := range b[:s.lengthSize] {
		size = size<<8 | int(v)
	}
	return size, s.lengthSize
}

// sequenceParameterSetID reads seq_parameter_set_id (H.264, 7.3.2.1.1), which follows three
// bytes of profile and level.
func sequenceParameterSetID(nalu []byte) int { return exponentialGolomb(nalu, 4) }

// parameterSetID reads pic_parameter_set_id (H.264, 7.3.2.2).
func parameterSetID(nalu []byte) int { return exponentialGolomb(nalu, 1) }

// exponentialGolomb reads ue(v) (H.264, 9.1) at a byte, -1 if there is none of up to 8 bits
// of prefix: ids go to 255.
func exponentialGolomb(b []byte, at int) int {
	bit := func(i int) int {
		if at+i/8 >= len(b) {
			return 0
		}
		return int(b[at+i/8]>>(7-i%8)) & 1
	}
	zeros := 0
	for bit(zeros) == 0 {
		if zeros++; zeros > 8 {
			return -1
		}
	}
	value := 0
	for i := range zeros + 1 {
		value = value<<1 | bit(zeros+i)
	}
	return value - 1
}
