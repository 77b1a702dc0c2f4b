package transcode

import "testing"

// A bent packet is the sound between its ends, evenly stretched.
func TestBend(t *testing.T) {
	for _, hertz := range []float64{100, 1000, 5000, 12000, 16000} {
		for _, by := range []int{-maxBend, -1, 1, maxBend} {
			const start = 100
			pcm := tone(outputRate, 2, start+packetSamples+maxBend+bendTaps, hertz, 20000)
			b := bender{channels: 2}
			got := b.bend(pcm, start, by)
			want := make([]int16, len(got))
			for i := range want {
				want[i] = int16(at(pcm, 2, i%2, start+float64(i/2)*float64(packetSamples+by)/packetSamples))
			}
			// at needs 64 samples on both sides.
			db := snr(want[:len(want)-200], got[:len(got)-200])
			t.Logf("%v Hz, %d samples: SNR %.1f dB", hertz, by, db)
			if db < 50 {
				t.Errorf("%v Hz, %d samples: SNR %.1f dB, want 50", hertz, by, db)
			}
		}
	}
}
