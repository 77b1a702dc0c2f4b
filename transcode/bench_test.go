package transcode

import (
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

type nowhere struct{}

func (nowhere) WriteVideo(*ingest.AccessUnit) error { return nil }
func (nowhere) WriteAudio(*ingest.AudioFrame) error { return nil }
func (nowhere) Close(error) error                   { return nil }

// BenchmarkTranscode's operation is one access unit. x-realtime is how many such streams one
// core carries.
func BenchmarkTranscode(b *testing.B) {
	for _, bb := range []struct {
		name, clip string
		channels   int
	}{
		{"44100-stereo", "stereo44100", 2},
		{"48000-stereo", "stereo48000", 2},
		{"44100-mono-on-stereo", "mono44100", 2},
		{"44100-mono-on-mono", "mono44100", 1},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c := loadClip(b, bb.clip)
			s := New(nowhere{}, Options{Channels: bb.channels})
			frames := benchFrames(c)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				f := &frames[i%len(frames)]
				f.PTS = samplesTime(int64(i)*unitSamples, c.codec.SampleRate)
				if err := s.WriteAudio(f); err != nil {
					b.Fatal(err)
				}
				i++
			}
			reportSpeed(b, c.codec.SampleRate)
		})
	}
}

func benchFrames(c clip) []ingest.AudioFrame {
	frames := make([]ingest.AudioFrame, len(c.units))
	for i, u := range c.units {
		frames[i] = ingest.AudioFrame{Codec: c.codec, Data: u}
	}
	return frames
}

func reportSpeed(b *testing.B, rate int) {
	b.ReportMetric(float64(b.N)*unitSamples/float64(rate)/b.Elapsed().Seconds(), "x-realtime")
}

// BenchmarkEncoder's operation is one packet. Its x-realtime calibrates figures that were
// taken on different days and machines.
func BenchmarkEncoder(b *testing.B) {
	c := loadClip(b, "stereo48000")
	for complexity := 1; complexity <= 10; complexity++ {
		b.Run("complexity-"+string(rune('0'+complexity/10))+string(rune('0'+complexity%10)), func(b *testing.B) {
			e, err := newEncoder(Options{Channels: 2, Bitrate: 96000, Complexity: complexity})
			if err != nil {
				b.Fatal(err)
			}
			const stride = 2 * packetSamples
			buf := make([]byte, maxPacketBytes)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				start := i % (len(c.pcm) / stride) * stride
				if _, err := e.Encode(c.pcm[start:start+stride], buf); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)*packetTime.Seconds()/b.Elapsed().Seconds(), "x-realtime")
		})
	}
}

func BenchmarkDecoder(b *testing.B) {
	for _, name := range []string{"stereo44100", "stereo48000", "mono44100"} {
		b.Run(name, func(b *testing.B) {
			c := loadClip(b, name)
			d, _, err := newDecoder(c.codec.Config)
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.decode(c.units[i%len(c.units)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			reportSpeed(b, c.codec.SampleRate)
		})
	}
}
