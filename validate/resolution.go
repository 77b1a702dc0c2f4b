package validate

// The rule "resolution": 160p to 720p in either orientation, after cropping.

func (w words) resolutionOfSPS(s *sps) *Finding {
	short, long := min(s.width, s.height), max(s.width, s.height)
	switch {
	case short > w.limits.MaxShortSide || long > w.limits.MaxLongSide:
		return w.tooLarge(s.width, s.height)
	case short < w.limits.MinShortSide:
		return w.tooSmall(s.width, s.height)
	}
	return nil
}
