package transcode

import "sync"

const (
	bendTaps = 24
	bendBeta = 6.0 // flat to 18 kHz; 24 taps have no room for more
)

// bendKernel has a phase for every place between two samples that a bent packet can need.
// All streams share it, and few ever need it.
var bendKernel = sync.OnceValue(func() *kernel { return newKernel(packetSamples, bendTaps, 1, bendBeta) })

// bender plays a few samples more or less than 960 in the time of 960: a change of speed that
// begins and ends exactly on a sample, so that unbent packets before and after it are plain
// copies.
type bender struct {
	channels int
	out      []int16
}

// bend gives 960 interleaved samples of each channel for the 960+by that begin at sample
// start of pcm; pcm has bendTaps/2 more samples on both sides.
func (b *bender) bend(pcm []int16, start, by int) []int16 {
	kernel := bendKernel()
	b.out = grow(b.out, packetSamples*b.channels)
	for i := range packetSamples {
		whole, phase := i*by/packetSamples, i*by%packetSamples
		if phase < 0 {
			whole, phase = whole-1, phase+packetSamples
		}
		first := start + i + whole - (bendTaps/2 - 1)
		row := kernel.row(phase)
		for c := range b.channels {
			var sum float32
			for t, w := range row {
				sum += w * float32(pcm[(first+t)*b.channels+c])
			}
			b.out[i*b.channels+c] = int16(max(-32768, min(sum, 32767)))
		}
	}
	return b.out
}
