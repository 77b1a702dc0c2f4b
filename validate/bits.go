package validate

// bitReader reads big-endian bit fields. Reading past the end, or an Exp-Golomb number of
// more than 32 bits, sets bad and gives zeros from then on, so that a parser asks once, at
// its end.
type bitReader struct {
	data  []byte
	pos   int  // next byte
	cur   byte // byte being read
	left  int  // bits of cur not read yet
	zeros int  // zero bytes in a row before pos
	rbsp  bool // drop emulation prevention bytes (ITU-T H.264, 7.4.1)
	bad   bool
}

// readRBSP reads a NAL unit's payload, and removes emulation prevention bytes only as far
// as it is read.
func readRBSP(payload []byte) bitReader { return bitReader{data: payload, rbsp: true} }

func readRaw(data []byte) bitReader { return bitReader{data: data} }

func (r *bitReader) nextByte() bool {
	if r.rbsp && r.zeros >= 2 && r.pos < len(r.data) && r.data[r.pos] == 3 {
		r.pos++
		r.zeros = 0
	}
	if r.pos >= len(r.data) {
		r.bad = true
		return false
	}
	r.cur, r.left = r.data[r.pos], 8
	r.pos++
	if r.cur == 0 {
		r.zeros++
	} else {
		r.zeros = 0
	}
	return true
}

func (r *bitReader) bit() uint32 {
	if r.bad || (r.left == 0 && !r.nextByte()) {
		return 0
	}
	r.left--
	return uint32(r.cur>>r.left) & 1
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

// bits reads n bits, n at most 32.
func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// ue reads an unsigned Exp-Golomb number (ITU-T H.264, 9.1).
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		zeros++
		if r.bad || zeros > 31 {
			r.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// se reads a signed Exp-Golomb number (ITU-T H.264, 9.1.1).
func (r *bitReader) se() int32 {
	k := r.ue()
	if k&1 == 1 {
		return int32(k/2 + 1)
	}
	return -int32(k / 2)
}

// remaining gives the number of unread bits, of raw data only.
func (r *bitReader) remaining() int { return (len(r.data)-r.pos)*8 + r.left }
