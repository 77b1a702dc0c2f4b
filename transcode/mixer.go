package transcode

// mixer changes the number of channels of interleaved samples between mono and stereo. Its
// results are valid until the next call.
type mixer struct {
	from, to int
	buf      []int16
}

// down gives the mean of left and right where stereo goes to a mono track.
func (m *mixer) down(pcm []int16) []int16 {
	if m.from <= m.to {
		return pcm
	}
	m.buf = m.buf[:0]
	for i := 1; i < len(pcm); i += 2 {
		m.buf = append(m.buf, int16((int32(pcm[i-1])+int32(pcm[i]))>>1))
	}
	return m.buf
}

// up puts mono on both sides of a stereo track.
func (m *mixer) up(pcm []int16) []int16 {
	if m.from >= m.to {
		return pcm
	}
	m.buf = m.buf[:0]
	for _, v := range pcm {
		m.buf = append(m.buf, v, v)
	}
	return m.buf
}
