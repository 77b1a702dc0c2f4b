package transcode

import "math"

// kernel is a low-pass filter, cut into phases for interpolation between samples: row p gives
// the value p/phases of a sample after the middle, which is between taps taps/2-1 and taps/2.
type kernel struct {
	phases, taps int
	rows         []float32
}

// newKernel makes a sinc under a Kaiser window. Its -6 dB point is at cutoff, a fraction of
// half the input rate; beta trades the stop band (larger is deeper) against the width of the
// transition. Every row has a gain of exactly one at 0 Hz.
func newKernel(phases, taps int, cutoff, beta float64) *kernel {
	k := &kernel{phases: phases, taps: taps, rows: make([]float32, phases*taps)}
	half := float64(taps) / 2
	row := make([]float64, taps)
	for p := range phases {
		var sum float64
		for i := range row {
			at := float64(i) - (half - 1) - float64(p)/float64(phases)
			row[i] = sinc(cutoff*at) * bessel0(beta*math.Sqrt(max(0, 1-at*at/(half*half))))
			sum += row[i]
		}
		for i, v := range row {
			k.rows[p*taps+i] = float32(v / sum)
		}
	}
	return k
}

func (k *kernel) row(phase int) []float32 {
	return k.rows[phase*k.taps : (phase+1)*k.taps]
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind, order 0, by its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-12; n++ {
		term *= (x / 2) * (x / 2) / (n * n)
		sum += term
	}
	return sum
}
