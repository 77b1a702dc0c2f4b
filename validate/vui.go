package validate

// readReorderFrames reads the VUI up to max_num_reorder_frames, by which an encoder
// announces B-frames in its header (ITU-T H.264, E.1.1). told is false if it does not say
// or if the VUI is damaged.
func readReorderFrames(r *bitReader) (frames uint32, told bool) {
	if r.flag() { // aspect_ratio_info_present_flag
		if r.bits(8) == 255 { // Extended_SAR
			r.bits(32)
		}
	}
	if r.flag() { // overscan_info_present_flag
		r.flag()
	}
	if r.flag() { // video_signal_type_present_flag
		r.bits(4)     // video_format, video_full_range_flag
		if r.flag() { // colour_description_present_flag
			r.bits(24)
		}
	}
	if r.flag() { // chroma_loc_info_present_flag
		r.ue()
		r.ue()
	}
	if r.flag() { // timing_info_present_flag
		r.bits(32)
		r.bits(32)
		r.flag()
	}
	nal := r.flag() && skipHRD(r)
	vcl := r.flag() && skipHRD(r)
	if nal || vcl {
		r.flag() // low_delay_hrd_flag
	}
	r.flag()       // pic_struct_present_flag
	if !r.flag() { // bitstream_restriction_flag
		return 0, false
	}
	r.flag() // motion_vectors_over_pic_boundaries_flag
	for range 4 {
		r.ue() // max_bytes_per_pic_denom, max_bits_per_mb_denom, two log2_max_mv_lengths
	}
	frames = r.ue()
	return frames, !r.bad && frames <= 16
}

// skipHRD is ITU-T H.264, E.1.2. It gives true, for the caller's condition.
func skipHRD(r *bitReader) bool {
	count := r.ue() + 1
	if count > 32 {
		r.bad = true
		return true
	}
	r.bits(8) // bit_rate_scale, cpb_size_scale
	for range count {
		r.ue()
		r.ue()
		r.flag()
	}
	r.bits(20) // three delay lengths and time_offset_length
	return true
}
