package validate

// pps holds what the rules need of a picture parameter set (ITU-T H.264, 7.3.2.2).
type pps struct {
	id, spsID         uint32
	cabac             bool   // entropy_coding_mode_flag
	sliceGroups       uint32 // num_slice_groups_minus1 + 1; more than one is FMO
	weighted          bool   // weighted_pred_flag
	redundantPictures bool   // redundant_pic_cnt_present_flag
}

// parsePPS reads a NAL unit of type 8. It allocates nothing. With FMO it stops at the
// number of slice groups, as that alone decides.
func parsePPS(nalu []byte) (p pps, ok bool) {
	if len(nalu) < 2 {
		return p, false
	}
	r := readRBSP(nalu[1:])
	p.id, p.spsID = r.ue(), r.ue()
	p.cabac = r.flag()
	r.flag() // bottom_field_pic_order_in_frame_present_flag
	groups := r.ue()
	if r.bad || p.id > 255 || p.spsID > 31 || groups > 7 {
		return p, false
	}
	p.sliceGroups = groups + 1
	if groups > 0 {
		return p, true
	}
	r.ue() // num_ref_idx_l0_default_active_minus1
	r.ue() // num_ref_idx_l1_default_active_minus1
	p.weighted = r.flag()
	r.bits(2) // weighted_bipred_idc: of B slices, which are refused by themselves
	r.se()    // pic_init_qp_minus26
	r.se()    // pic_init_qs_minus26
	r.se()    // chroma_qp_index_offset
	r.bits(2) // deblocking_filter_control_present_flag, constrained_intra_pred_flag
	p.redundantPictures = r.flag()
	return p, !r.bad
}
