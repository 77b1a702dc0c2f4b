package validate

// The rule "B-frames": none, by slice_type.

func (w words) bframesOfPicture(p *picture) *Finding {
	if p.kinds[sliceB] {
		return w.bframe(p.number)
	}
	return nil
}

// bframesOfSPS tells of B-frames that the header announces. It is asked only where the
// profile is refused anyway, and then comes first: B-frames are what must be turned off,
// and with the profile refused no B slice would ever be seen. In a Baseline stream the
// slices decide, as some encoders announce reordering and never do it.
func (w words) bframesOfSPS(s *sps) *Finding {
	if s.reorderFramesTold && s.reorderFrames > 0 {
		return w.bframesAnnounced(s.reorderFrames)
	}
	return nil
}
