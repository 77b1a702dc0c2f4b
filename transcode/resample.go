package transcode

import (
	"sync"

	"github.com/tphakala/simd/f32"
)

const (
	// At 44.1 kHz: flat to 19 kHz, -0.5 dB at 20 kHz, and 85 dB down where what was at 20
	// kHz would fold to.
	resampleTaps   = 48
	resampleCutoff = 0.97
	resampleBeta   = 9.0
)

// cdKernel is for 44.1 kHz, the one rate besides 48 kHz that stages take; all streams share
// it, as it is 30 kB that should stay in the cache.
var cdKernel = sync.OnceValue(func() *kernel { return newKernel(160, resampleTaps, resampleCutoff, resampleBeta) })

// resampler brings one stream to 48 kHz: a polyphase filter of 48 taps, for 44.1 kHz with 160
// phases in steps of 147. The first sample that it puts out is at the time of the first that
// it took in; it holds back the newest 24 samples until more come.
type resampler struct {
	kernel   *kernel
	up, down int // 48000 and the input's rate without their common factor
	channels int

	in    [2][]float32 // of each channel: samples that are still needed, oldest first
	at    int          // the next output's place in in, in units of 1/up sample
	outs  [2][]float32
	plain [2][]int16
	out   []int16
}

// newResampler takes rates below 48 kHz: above, the filter would let through what folds back.
func newResampler(rate, channels int) *resampler {
	divisor := gcd(outputRate, rate)
	r := &resampler{up: outputRate / divisor, down: rate / divisor, channels: channels}
	if rate == 44100 {
		r.kernel = cdKernel()
	} else {
		r.kernel = newKernel(r.up, resampleTaps, resampleCutoff, resampleBeta)
	}
	r.reset()
	return r
}

// reset forgets what was taken in: the next sample is again preceded by silence.
func (r *resampler) reset() {
	for c := range r.channels {
		r.in[c] = append(r.in[c][:0], make([]float32, resampleTaps/2-1)...)
	}
	r.at = (resampleTaps/2 - 1) * r.up
}

// process takes interleaved samples and gives those at 48 kHz that they complete, interleaved
// and valid until the next call.
func (r *resampler) process(pcm []int16) []int16 {
	r.take(pcm)
	n := 0 // outputs whose last tap is within the input
	if room := (len(r.in[0])-resampleTaps/2)*r.up - r.at; room > 0 {
		n = (room + r.down - 1) / r.down
	}
	for c := range r.channels {
		r.outs[c] = grow(r.outs[c], n)
		r.plain[c] = grow(r.plain[c], n)
		r.filter(r.outs[c], r.in[c])
		f32.Float32ToInt16Scale(r.plain[c], r.outs[c], 1)
	}
	r.at += n * r.down
	if used := r.at/r.up - (resampleTaps/2 - 1); used > 0 {
		for c := range r.channels {
			r.in[c] = r.in[c][:copy(r.in[c], r.in[c][used:])]
		}
		r.at -= used * r.up
	}
	if r.channels == 1 {
		return r.plain[0]
	}
	r.out = grow(r.out, 2*n)
	for i, v := range r.plain[0] {
		r.out[2*i], r.out[2*i+1] = v, r.plain[1][i]
	}
	return r.out
}

// take appends interleaved samples to the inputs of their channels.
func (r *resampler) take(pcm []int16) {
	for c := range r.channels {
		for i := c; i < len(pcm); i += r.channels {
			r.in[c] = append(r.in[c], float32(pcm[i]))
		}
	}
}

func (r *resampler) filter(out, in []float32) {
	first, phase := r.at/r.up-(resampleTaps/2-1), r.at%r.up
	for i := range out {
		out[i] = f32.DotProductUnsafe(in[first:first+resampleTaps], r.kernel.row(phase))
		if phase += r.down; phase >= r.up { // once at most, as down < up
			phase -= r.up
			first++
		}
	}
}

// grow gives a slice of n elements, of s's memory where it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
