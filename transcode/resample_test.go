package transcode

import (
	"math"
	"slices"
	"testing"
)

func TestResamplerSines(t *testing.T) {
	for _, tt := range []struct {
		rate     int
		hertz    float64
		db, gain float64 // least SNR; least gain in dB
	}{
		{44100, 100, 85, -0.01}, {44100, 1000, 85, -0.01}, {44100, 10000, 85, -0.01}, {44100, 16000, 85, -0.01},
		{44100, 18000, 85, -0.05}, {44100, 20000, 85, -0.5},
		{32000, 1000, 85, -0.01}, {22050, 1000, 85, -0.01}, {8000, 1000, 85, -0.01},
	} {
		const amplitude = 20000
		r := newResampler(tt.rate, 1)
		out := r.process(tone(tt.rate, 1, tt.rate/2, tt.hertz, amplitude))
		const skip = 4800
		out = out[skip : skip+9600] // whole periods
		// The best fitting sine at 48 kHz is the signal; what is left is noise.
		var ss, cc float64
		for i, v := range out {
			w := 2 * math.Pi * tt.hertz * float64(i+skip) / outputRate
			ss += float64(v) * math.Sin(w)
			cc += float64(v) * math.Cos(w)
		}
		n := float64(len(out))
		a, b := 2*ss/n, 2*cc/n
		var noise float64
		for i, v := range out {
			w := 2 * math.Pi * tt.hertz * float64(i+skip) / outputRate
			d := float64(v) - a*math.Sin(w) - b*math.Cos(w)
			noise += d * d
		}
		db := 10 * math.Log10((a*a+b*b)/2/(noise/n))
		gain := 20 * math.Log10(math.Hypot(a, b)/amplitude)
		late := math.Atan2(-b, a) / (2 * math.Pi * tt.hertz) // a delay turns sine towards -cosine
		t.Logf("%d Hz at %d: SNR %.1f dB, gain %.3f dB, late by %.2f us", int(tt.hertz), tt.rate, db, gain, late*1e6)
		if db < tt.db || gain < tt.gain || gain > 0.05 || math.Abs(late) > 1e-6 {
			t.Errorf("%v Hz at %d: SNR %.1f dB, gain %.3f dB, late by %.2f us", tt.hertz, tt.rate, db, gain, late*1e6)
		}
	}
}

// What goes in how makes no difference to what comes out.
func TestResamplerPieces(t *testing.T) {
	pcm := tone(44100, 2, 20000, 700, 9000)
	want := slices.Clone(newResampler(44100, 2).process(pcm))
	for _, size := range []int{1, 7, 24, 147, 1024} {
		r := newResampler(44100, 2)
		var got []int16
		for rest := pcm; len(rest) > 0; {
			n := min(2*size, len(rest))
			got = append(got, r.process(rest[:n])...)
			rest = rest[n:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("pieces of %d differ", size)
		}
	}
	if n := len(want) / 2; n < 20000*160/147-28 || n > 20000*160/147 {
		t.Errorf("%d samples out", n)
	}
}

func TestResamplerReset(t *testing.T) {
	pcm := tone(44100, 1, 5000, 700, 9000)
	r := newResampler(44100, 1)
	want := slices.Clone(r.process(pcm))
	r.process(pcm[:1234])
	r.reset()
	if !slices.Equal(r.process(pcm), want) {
		t.Error("something is left after a reset")
	}
}

func BenchmarkResampler(b *testing.B) {
	for _, channels := range []int{1, 2} {
		b.Run([]string{1: "mono", 2: "stereo"}[channels], func(b *testing.B) {
			r := newResampler(44100, channels)
			pcm := tone(44100, channels, unitSamples, 700, 9000)
			b.ReportAllocs()
			for b.Loop() {
				r.process(pcm)
			}
			b.ReportMetric(float64(b.N)*unitSamples/44100/b.Elapsed().Seconds(), "x-realtime")
		})
	}
}
