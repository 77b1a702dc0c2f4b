package validate

// The rule "tracks": over RTMP, audio and video must both come within 5 s of media time.
// One that stops later is only warned of: the other one is still worth watching. Over WHIP
// a publisher may send either; that its offer has H.264 is for the door to see.

func (w words) tracksOf(c *clock, h *hold) *Finding {
	if w.whip || c.now < w.limits.MissingTrack {
		return nil
	}
	switch {
	case !h.video || !c.tracks[videoTrack].seen:
		return w.noTrack(videoTrack, c.now)
	case !h.audio || !c.tracks[audioTrack].seen:
		return w.noTrack(audioTrack, c.now)
	}
	return w.silentTrack(c)
}

func (w words) silentTrack(c *clock) *Finding {
	for _, k := range [...]track{videoTrack, audioTrack} {
		if silence := c.now - c.tracks[k].last; silence >= w.limits.MissingTrack {
			return w.trackStopped(k, silence)
		}
	}
	return nil
}
