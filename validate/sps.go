package validate

import "strconv"

// sps holds what the rules need of a sequence parameter set (ITU-T H.264, 7.3.2.1.1).
type sps struct {
	id                uint32
	profile, level    uint8 // profile_idc, level_idc
	constraints       uint8 // constraint_set0_flag is the highest bit
	chromaFormat      uint32
	bitDepth          uint32 // the larger of luma and chroma
	frameNumBits      int
	frameNumGaps      bool // gaps_in_frame_num_value_allowed_flag
	interlaced        bool // frame_mbs_only_flag is 0
	width, height     int  // after cropping
	reorderFrames     uint32
	reorderFramesTold bool // the VUI's bitstream restriction is there and readable
}

// The largest picture that is read at all: beyond every level of H.264, and small enough
// for plain arithmetic. Within it, the resolution rule decides.
const maxMacroblocksPerSide = 1024

// parseSPS reads a NAL unit of type 7. It allocates nothing. ok is false if it is damaged
// before the end of the cropping; damage behind that, in the VUI, does not matter.
func parseSPS(nalu []byte) (s sps, ok bool) {
	if len(nalu) < 4 {
		return s, false
	}
	s.profile, s.constraints, s.level = nalu[1], nalu[2], nalu[3]
	r := readRBSP(nalu[4:])
	s.id = r.ue()
	s.chromaFormat, s.bitDepth = 1, 8
	if hasChromaFormat(s.profile) {
		readChromaFormat(&r, &s)
	}
	s.frameNumBits = int(r.ue()) + 4
	if !skipPicOrderCount(&r) {
		return s, false
	}
	r.ue() // max_num_ref_frames
	s.frameNumGaps = r.flag()
	widthMBs, heightUnits := r.ue(), r.ue()
	s.interlaced = !r.flag()
	if s.interlaced {
		r.flag() // mb_adaptive_frame_field_flag
	}
	r.flag() // direct_8x8_inference_flag
	if r.bad || s.id > 31 || s.chromaFormat > 3 || s.bitDepth > 14 || s.frameNumBits > 16 ||
		widthMBs >= maxMacroblocksPerSide || heightUnits >= maxMacroblocksPerSide {
		return s, false
	}
	fields := 1 // map units are pairs of macroblock rows where fields are allowed
	if s.interlaced {
		fields = 2
	}
	s.width, s.height = (int(widthMBs)+1)*16, (int(heightUnits)+1)*16*fields
	if r.flag() && !crop(&r, &s, fields) {
		return s, false
	}
	hasVUI := r.flag()
	if r.bad {
		return s, false
	}
	if hasVUI {
		s.reorderFrames, s.reorderFramesTold = readReorderFrames(&r)
	}
	return s, true
}

func hasChromaFormat(profile uint8) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

func readChromaFormat(r *bitReader, s *sps) {
	s.chromaFormat = r.ue()
	if s.chromaFormat == 3 {
		r.flag() // separate_colour_plane_flag
	}
	luma, chroma := r.ue(), r.ue()
	s.bitDepth = 8 + max(luma, chroma)
	r.flag()      // qpprime_y_zero_transform_bypass_flag
	if r.flag() { // seq_scaling_matrix_present_flag
		lists := 8
		if s.chromaFormat == 3 {
			lists = 12
		}
		for i := range lists {
			if r.flag() {
				skipScalingList(r, i)
			}
		}
	}
}

// skipScalingList is ITU-T H.264, 7.3.2.1.1.1.
func skipScalingList(r *bitReader, list int) {
	size := 16
	if list >= 6 {
		size = 64
	}
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + r.se()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

func skipPicOrderCount(r *bitReader) bool {
	switch r.ue() { // pic_order_cnt_type
	case 0:
		return r.ue() <= 12 // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		r.flag() // delta_pic_order_always_zero_flag
		r.se()   // offset_for_non_ref_pic
		r.se()   // offset_for_top_to_bottom_field
		cycle := r.ue()
		if cycle > 255 {
			return false
		}
		for range cycle {
			r.se()
		}
		return true
	case 2:
		return true
	}
	return false
}

// crop takes the cropping off the size (ITU-T H.264, 7-19 to 7-22). It fails if nothing
// would be left.
func crop(r *bitReader, s *sps, fields int) bool {
	unitX, unitY := 1, fields
	if s.chromaFormat == 1 || s.chromaFormat == 2 {
		unitX = 2
	}
	if s.chromaFormat == 1 {
		unitY = 2 * fields
	}
	left, right, top, bottom := int64(r.ue()), int64(r.ue()), int64(r.ue()), int64(r.ue())
	width := int64(s.width) - int64(unitX)*(left+right)
	height := int64(s.height) - int64(unitY)*(top+bottom)
	if width <= 0 || height <= 0 {
		return false
	}
	s.width, s.height = int(width), int(height)
	return true
}

// baseline says whether a Baseline decoder is promised to cope: constraint_set0_flag, or
// the profile itself (ITU-T H.264, A.2.1).
func (s *sps) baseline() bool { return s.profile == 66 || s.constraints&0x80 != 0 }

// profileName gives the name that encoders use for their setting.
func (s *sps) profileName() string {
	const set1, set3, set4, set5 = 0x40, 0x10, 0x08, 0x04
	switch s.profile {
	case 66:
		if s.constraints&set1 != 0 {
			return "Constrained Baseline"
		}
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		if s.constraints&set4 != 0 && s.constraints&set5 != 0 {
			return "Constrained High"
		}
		return "High"
	case 110:
		if s.constraints&set3 != 0 {
			return "High 10 Intra"
		}
		return "High 10"
	case 122:
		return "High 4:2:2"
	case 244:
		return "High 4:4:4 Predictive"
	case 44:
		return "CAVLC 4:4:4 Intra"
	case 83:
		return "Scalable Baseline"
	case 86:
		return "Scalable High"
	case 118:
		return "Multiview High"
	case 128:
		return "Stereo High"
	}
	return "profile_idc " + strconv.Itoa(int(s.profile))
}
