package transcode

import "math"

const (
	fadeSamples = 240 // 5 ms
	// historySamples are kept after they have become packets: for a fade-out that starts
	// only now, and as the filter's past in bend.go.
	historySamples = fadeSamples
)

// fadeIn is the rising half of a raised cosine.
var fadeIn = func() (w [fadeSamples]float32) {
	for i := range w {
		w[i] = float32(0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/fadeSamples))
	}
	return w
}()

// framer collects 48 kHz samples and gives them out as packets' worth. Where the sound is cut
// it fades from one side to the other over 5 ms. It needs no look-ahead for that: what is
// faded out is the sound before the cut, played backwards from there.
type framer struct {
	channels int
	pcm      []int16 // interleaved: historySamples old samples of each channel, then the pending ones
	mirror   []int16 // interleaved: the sound before the cut, backwards
	faded    int     // samples of each channel since the cut, at most fadeSamples
	bender   bender
}

func newFramer(channels int) *framer {
	return &framer{
		channels: channels,
		pcm:      make([]int16, historySamples*channels, 4*packetSamples*channels),
		mirror:   make([]int16, fadeSamples*channels),
		bender:   bender{channels: channels},
	}
}

// pending is the number of samples of each channel that wait to become packets.
func (f *framer) pending() int { return len(f.pcm)/f.channels - historySamples }

// write adds interleaved samples.
func (f *framer) write(pcm []int16) {
	start := len(f.pcm)
	f.pcm = append(f.pcm, pcm...)
	fresh := f.pcm[start:]
	for i := 0; i < len(fresh) && f.faded < fadeSamples; f.faded++ {
		in := fadeIn[f.faded]
		for c := range f.channels {
			old := f.mirror[f.faded*f.channels+c]
			fresh[i] = int16(in*float32(fresh[i]) + (1-in)*float32(old))
			i++
		}
	}
}

// cut says that the next samples do not continue the last ones. To say it again before they
// came changes nothing.
func (f *framer) cut() {
	f.faded = 0
	last := len(f.pcm) - f.channels
	for i := range fadeSamples {
		copy(f.mirror[i*f.channels:(i+1)*f.channels], f.pcm[last-i*f.channels:])
	}
}

// silence cuts, adds n silent samples of each channel, and cuts again.
func (f *framer) silence(n int) {
	f.cut()
	var zeros [2 * packetSamples]int16
	for left := n * f.channels; left > 0; left -= len(zeros) {
		f.write(zeros[:min(left, len(zeros))])
	}
	f.cut()
}

// frame gives the next 960 samples of each channel, interleaved, made of 960+bend pending
// ones, or nil if there are not enough. They are valid until the next call on the framer.
func (f *framer) frame(bend int) []int16 {
	if bend != 0 {
		if f.pending() < packetSamples+bend+bendTaps/2 {
			return nil
		}
		return f.bender.bend(f.pcm, historySamples, bend)
	}
	if f.pending() < packetSamples {
		return nil
	}
	start := historySamples * f.channels
	return f.pcm[start : start+packetSamples*f.channels]
}

// consume turns n pending samples of each channel into history.
func (f *framer) consume(n int) {
	f.pcm = f.pcm[:copy(f.pcm, f.pcm[n*f.channels:])]
}
