package validate

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

const healthEvery = time.Second

// healthMeter gathers what ingest.Health tells.
type healthMeter struct {
	health     ingest.Health
	since      time.Duration // beginning of the second being gathered
	videoBits  int
	audioBits  int
	pictures   int
	lastFrame  uint32 // frame_num of the last reference picture
	lastKnown  bool
	dropped    int           // pictures that the door has dropped before the next one
	frameAudio time.Duration // PTS at which the next AAC frame is due
}

// picture counts a picture, and those that are missing before it: a picture that the door
// has dropped mostly leaves a gap in frame_num too.
func (m *healthMeter) picture(p *picture, s *sps) {
	m.videoBits += p.bytes * 8
	m.pictures++
	m.health.LostFrames += max(m.dropped, m.gap(p, s))
	m.dropped = 0
	if p.damaged {
		m.health.LostFrames++
	}
}

// gap is how many pictures frame_num shows to be missing before p (ITU-T H.264, 7.4.3).
func (m *healthMeter) gap(p *picture, s *sps) (missing int) {
	if p.damaged {
		m.lastKnown = false
		return 0
	}
	if s.frameNumBits == 0 || s.frameNumGaps {
		return 0
	}
	numbers := uint32(1) << s.frameNumBits
	gap := (p.frameNum - m.lastFrame) % numbers
	switch {
	case !m.lastKnown || p.idr || gap <= 1:
	case gap <= numbers/2:
		missing = int(gap - 1)
	default: // the encoder began to count anew
		missing = 1
	}
	m.lastFrame = p.frameNum
	// After a picture that is no reference the number does not move on, so it is as good a
	// base as the reference before it, less one.
	if !p.reference {
		m.lastFrame = p.frameNum - 1
	}
	m.lastKnown = true
	return missing
}

// audio counts a frame at media time t, and the AAC frames that are missing before it.
func (m *healthMeter) audio(t time.Duration, f *ingest.AudioFrame) {
	m.audioBits += len(f.Data) * 8
	if f.Codec.Name != ingest.AAC || f.Codec.SampleRate <= 0 {
		return
	}
	span := 1024 * time.Second / time.Duration(f.Codec.SampleRate)
	if late := t - m.frameAudio; m.frameAudio > 0 && late > span*3/4 && late < maxStepAhead {
		m.health.LostFrames += int((late + span/2) / span)
	}
	m.frameAudio = t + span
}

// refresh gives the figures if a second has passed.
func (m *healthMeter) refresh(c *clock, interval time.Duration) (ingest.Health, bool) {
	span := c.now - m.since
	if span < healthEvery {
		return ingest.Health{}, false
	}
	h := &m.health
	h.At = c.now
	h.VideoBitrate = int(float64(m.videoBits) / span.Seconds())
	h.AudioBitrate = int(float64(m.audioBits) / span.Seconds())
	h.FrameRate = float64(m.pictures) / span.Seconds()
	h.IDRInterval = interval
	h.TimestampJumps = c.jumps
	m.since, m.videoBits, m.audioBits, m.pictures = c.now, 0, 0, 0
	return *h, true
}

func (m *healthMeter) warn(f *Finding, now time.Duration) {
	m.health.Warning, m.health.WarningAt = f.Detail(), now
}
