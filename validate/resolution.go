package validate

// The rule "resolution": 160p to 720p in either orientation, after cropping. Browsers make
// their pictures smaller where the network or the processor is short: over WHIP, a picture
// that has become too small on stage is only warned of.

func (w words) resolutionOfSPS(s *sps, onStage bool) *Finding {
	short, long := min(s.width, s.height), max(s.width, s.height)
	switch {
	case short > w.limits.MaxShortSide || long > w.limits.MaxLongSide:
		return w.tooLarge(s.width, s.height)
	case short < w.limits.MinShortSide:
		return w.tooSmall(s.width, s.height).warnIf(w.whip && onStage)
	}
	return nil
}
