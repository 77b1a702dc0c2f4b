package validate

const seiRecoveryPoint = 6 // ITU-T H.264, D.1

// hasRecoveryPoint says whether a SEI NAL unit (type 6) holds a recovery point: what
// encoders send in place of IDR pictures with intra refresh or an open GOP.
func hasRecoveryPoint(nalu []byte) bool {
	r := readRBSP(nalu[1:])
	for !r.bad {
		kind, size := seiNumber(&r), seiNumber(&r)
		if r.bad {
			return false
		}
		if kind == seiRecoveryPoint {
			return true
		}
		for ; size > 0 && !r.bad; size-- {
			r.bits(8)
		}
	}
	return false
}

// seiNumber reads a type or size in bytes, of which each 255 is followed by another
// (ITU-T H.264, 7.3.2.3.1).
func seiNumber(r *bitReader) (n int) {
	for !r.bad {
		b := int(r.bits(8))
		n += b
		if b != 255 {
			break
		}
	}
	return n
}
