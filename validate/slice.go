package validate

// sliceType is slice_type modulo 5 (ITU-T H.264, table 7-6).
type sliceType uint8

const (
	sliceP sliceType = iota
	sliceB
	sliceI
	sliceSP
	sliceSI
)

func (t sliceType) String() string { return [...]string{"P", "B", "I", "SP", "SI"}[t%5] }

// sliceHeader is the beginning of a slice header (ITU-T H.264, 7.3.3). frameNum follows,
// but its length stands in the SPS: readFrameNum.
type sliceHeader struct {
	firstMB uint32
	kind    sliceType
	ppsID   uint32
}

// parseSlice reads a NAL unit of type 1, 2 or 5 and leaves the reader at frame_num.
func parseSlice(nalu []byte) (h sliceHeader, r bitReader, ok bool) {
	if len(nalu) < 2 {
		return h, r, false
	}
	r = readRBSP(nalu[1:])
	h.firstMB = r.ue()
	kind := r.ue()
	h.ppsID = r.ue()
	if r.bad || kind > 9 || h.ppsID > 255 {
		return h, r, false
	}
	h.kind = sliceType(kind % 5)
	return h, r, true
}
