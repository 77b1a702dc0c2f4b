package transcode

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

// clip is one of testdata's: its access units, its codec, and ffmpeg's decoding of it.
type clip struct {
	codec *ingest.AudioCodec
	units [][]byte
	pcm   []int16 // interleaved
}

func loadClip(t testing.TB, name string) clip {
	t.Helper()
	adts, err := os.ReadFile("testdata/" + name + ".aac")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/" + name + ".s16")
	if err != nil {
		t.Fatal(err)
	}
	var c clip
	for len(adts) >= 7 {
		if c.codec == nil {
			c.codec = codecOfADTS(adts)
		}
		n := int(adts[3]&3)<<11 | int(adts[4])<<3 | int(adts[5])>>5
		c.units = append(c.units, adts[7:n:n])
		adts = adts[n:]
	}
	c.pcm = make([]int16, len(raw)/2)
	for i := range c.pcm {
		c.pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return c
}

// codecOfADTS makes the AudioSpecificConfig that FLV would carry.
func codecOfADTS(h []byte) *ingest.AudioCodec {
	index, channels := h[2]>>2&15, h[2]&1<<2|h[3]>>6
	rate := map[byte]int{3: 48000, 4: 44100}[index]
	return aacCodec(rate, int(channels))
}

func aacCodec(rate, channels int) *ingest.AudioCodec {
	index := map[int]byte{48000: 3, 44100: 4, 32000: 5}[rate]
	return &ingest.AudioCodec{
		Name: ingest.AAC, SampleRate: rate, Channels: channels,
		Config: []byte{2<<3 | index>>1, index<<7 | byte(channels)<<3},
	}
}

// snr gives the ratio of want's power to that of its difference from got, in dB.
func snr(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		signal += float64(w) * float64(w)
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}

// at gives the value of channel c of interleaved samples at a time between samples, by a sinc
// of 128 taps that shares no code with the resampler.
func at(pcm []int16, channels, c int, sample float64) float64 {
	const half = 64
	whole := int(math.Floor(sample))
	var sum float64
	for i := whole - half + 1; i <= whole+half; i++ {
		if i < 0 || i*channels+c >= len(pcm) {
			continue
		}
		x := sample - float64(i)
		w := math.Cos(math.Pi * x / (2 * half))
		sum += float64(pcm[i*channels+c]) * sinc(x) * w * w
	}
	return sum
}

// tone gives n interleaved samples of a sine on each channel.
func tone(rate, channels, n int, hertz, amplitude float64) []int16 {
	pcm := make([]int16, n*channels)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hertz*float64(i/channels)/float64(rate))))
	}
	return pcm
}
