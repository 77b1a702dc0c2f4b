package validate

// The rule "profile": Baseline, in the part of it that browsers decode: profile_idc 66 or
// constraint_set0_flag, 8 bits 4:2:0, no interlace, and no tool of other profiles in spite
// of the flag. FMO, ASO, redundant slices and data partitioning are Baseline or Extended by
// the letter, and no browser plays them.

func (w words) profileOfSPS(s *sps) *Finding {
	switch {
	case !s.baseline():
		return w.profile("H.264 " + s.profileName() + " profile")
	case s.chromaFormat != 1:
		return w.profile("H.264 with a chroma format that is not 4:2:0")
	case s.bitDepth != 8:
		return w.profile("H.264 with more than 8 bits a sample")
	case s.interlaced:
		return w.interlaced()
	}
	return nil
}

func (w words) profileOfPPS(p *pps) *Finding {
	switch {
	case p.sliceGroups > 1:
		return w.profile("H.264 with flexible macroblock ordering (FMO)")
	case p.cabac:
		return w.profile("H.264 with CABAC")
	case p.weighted:
		return w.profile("H.264 with weighted prediction")
	case p.redundantPictures:
		return w.profile("H.264 with redundant slices")
	}
	return nil
}

func (w words) profileOfPicture(p *picture) *Finding {
	switch {
	case p.arbitraryOrder:
		return w.profile("H.264 with arbitrary slice order (ASO)")
	case p.partitioned:
		return w.profile("H.264 with data partitioning")
	case p.kinds[sliceSP], p.kinds[sliceSI]:
		return w.profile("H.264 with switching slices (SP or SI)")
	}
	return nil
}
