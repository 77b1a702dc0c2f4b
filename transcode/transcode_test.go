package transcode

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tphakala/go-opus/opus"

	"github.com/stagedoor/stagedoor/ingest"
)

// recorder is the sink behind the transcoder.
type recorder struct {
	video  []*ingest.AccessUnit
	audio  []*ingest.AudioFrame // with Data
	heads  []*ingest.AudioFrame // without
	fail   error
	closed []error
}

func (r *recorder) WriteVideo(u *ingest.AccessUnit) error {
	r.video = append(r.video, u)
	return r.fail
}

func (r *recorder) WriteAudio(f *ingest.AudioFrame) error {
	if len(f.Data) == 0 {
		r.heads = append(r.heads, f)
	} else {
		r.audio = append(r.audio, f)
	}
	return r.fail
}

func (r *recorder) Close(reason error) error {
	r.closed = append(r.closed, reason)
	return nil
}

// rtmpTime is what an FLV encoder stamps on access unit i: whole milliseconds.
func rtmpTime(i, rate int) time.Duration {
	return (time.Duration(i) * unitSamples * time.Second / time.Duration(rate)).Truncate(time.Millisecond)
}

func write(t testing.TB, s ingest.Sink, pts time.Duration, c *ingest.AudioCodec, data []byte) {
	t.Helper()
	if err := s.WriteAudio(&ingest.AudioFrame{PTS: pts, Codec: c, Data: data}); err != nil {
		t.Fatalf("at %v: %v", pts, err)
	}
}

// decodeOpus gives what a viewer hears, from the first packet's PTS on; the packets must be
// 20 ms apart.
func decodeOpus(t *testing.T, frames []*ingest.AudioFrame, channels int) []int16 {
	t.Helper()
	d, err := opus.NewDecoder(outputRate, channels)
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	pcm := make([]int16, packetSamples*channels)
	for i, f := range frames {
		if i > 0 && f.PTS != frames[i-1].PTS+packetTime {
			t.Fatalf("packet %d at %v follows %v", i, f.PTS, frames[i-1].PTS)
		}
		n, err := d.Decode(f.Data, pcm)
		if err != nil || n != packetSamples {
			t.Fatalf("packet %d: %d samples, %v", i, n, err)
		}
		out = append(out, pcm...)
	}
	return out
}

// Who plays the packets at their PTS hears what ffmpeg decodes, at the time of the AAC.
func TestSoundAndTime(t *testing.T) {
	for _, tt := range []struct {
		clip     string
		channels int
		db       float64
	}{
		{"stereo44100", 2, 15}, {"stereo48000", 2, 15}, {"mono44100", 2, 15}, {"mono44100", 1, 15}, {"stereo48000", 1, 15},
	} {
		t.Run(tt.clip, func(t *testing.T) {
			c := loadClip(t, tt.clip)
			var r recorder
			s := New(&r, Options{Channels: tt.channels})
			const start = 5 * time.Second
			write(t, s, start, c.codec, nil)
			for i, u := range c.units {
				write(t, s, start+rtmpTime(i, c.codec.SampleRate), c.codec, u)
			}
			if len(r.heads) != 1 {
				t.Fatalf("%d announcements", len(r.heads))
			}
			if o := r.heads[0].Codec; o.Name != ingest.Opus || o.SampleRate != 48000 || o.Channels != tt.channels {
				t.Fatalf("announced %+v", o)
			}
			if want := len(c.pcm) / c.codec.Channels * 50 / c.codec.SampleRate; len(r.audio) < want-1 {
				t.Fatalf("%d packets, want %d", len(r.audio), want)
			}
			got := decodeOpus(t, r.audio, tt.channels)
			for ch := range tt.channels {
				early := (start - r.audio[0].PTS).Seconds() // of the first packet against the AAC
				var best, bestAt float64
				for late := -3.0; late <= 3; late++ { // samples
					var want, have []int16
					for i := 4800; i < len(got)/tt.channels-4800; i += 7 {
						where := (float64(i)-late)/outputRate - early
						want = append(want, int16(source48(c, ch, tt.channels, where)))
						have = append(have, got[i*tt.channels+ch])
					}
					if db := snr(want, have); db > best {
						best, bestAt = db, late
					}
				}
				t.Logf("channel %d: SNR %.1f dB at %v samples", ch, best, bestAt)
				if bestAt != 0 || best < tt.db {
					t.Errorf("channel %d: SNR %.1f dB, late by %v samples; want %v dB at 0", ch, best, bestAt, tt.db)
				}
			}
		})
	}
}

// source48 gives the clip's value at a time, on channel ch of a track.
func source48(c clip, ch, trackChannels int, seconds float64) float64 {
	where, n := seconds*float64(c.codec.SampleRate), c.codec.Channels
	switch {
	case n == 2 && trackChannels == 1:
		return (at(c.pcm, 2, 0, where) + at(c.pcm, 2, 1, where)) / 2
	case n == 1:
		return at(c.pcm, 1, 0, where)
	}
	return at(c.pcm, n, ch, where)
}

// The encoder's final range must be an independent decoder's: a stream that merely decodes
// without an error may still be noise. (The end-to-end suite asks libopus as well.)
func TestFinalRange(t *testing.T) {
	for _, channels := range []int{1, 2} {
		c := loadClip(t, "stereo48000")
		var r recorder
		s := New(&r, Options{Channels: channels}).(*transcoder)
		d, err := opus.NewDecoder(outputRate, channels)
		if err != nil {
			t.Fatal(err)
		}
		e := &checkedEncoder{t: t, decoder: d, channels: channels}
		write(t, s, 0, c.codec, nil)
		e.encoder = s.encoder.(*opus.Encoder)
		s.encoder = e
		for i, u := range c.units {
			write(t, s, rtmpTime(i, 48000), c.codec, u)
		}
		if e.packets < 36 {
			t.Errorf("%d packets checked", e.packets)
		}
	}
}

type checkedEncoder struct {
	t        *testing.T
	encoder  *opus.Encoder
	decoder  *opus.Decoder
	channels int
	packets  int
}

func (e *checkedEncoder) Encode(pcm []int16, buf []byte) (int, error) {
	n, err := e.encoder.Encode(pcm, buf)
	if err != nil {
		return n, err
	}
	if _, err := e.decoder.Decode(buf[:n], make([]int16, packetSamples*e.channels)); err != nil {
		e.t.Error(err)
	}
	if e.encoder.FinalRange() != e.decoder.FinalRange() {
		e.t.Errorf("packet %d: final range %08x, decoder %08x", e.packets, e.encoder.FinalRange(), e.decoder.FinalRange())
	}
	e.packets++
	return n, nil
}

func TestLookahead(t *testing.T) {
	e, err := newEncoder(Options{Channels: 2, Complexity: 5})
	if err != nil {
		t.Fatal(err)
	}
	if n := e.(*opus.Encoder).Lookahead(); n != lookahead {
		t.Errorf("the encoder's lookahead is %d samples, the clock counts on %d", n, lookahead)
	}
}

func TestPassesThrough(t *testing.T) {
	var r recorder
	s := New(&r, Options{})
	u := &ingest.AccessUnit{PTS: time.Second}
	head := &ingest.AudioFrame{Codec: &ingest.AudioCodec{Name: ingest.Opus}}
	f := &ingest.AudioFrame{Codec: head.Codec, Data: []byte{0xfc}}
	end := errors.New("end")
	if err := errors.Join(s.WriteVideo(u), s.WriteAudio(head), s.WriteAudio(f), s.Close(end)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.video, []*ingest.AccessUnit{u}) || !slices.Equal(r.heads, []*ingest.AudioFrame{head}) ||
		!slices.Equal(r.audio, []*ingest.AudioFrame{f}) || !slices.Equal(r.closed, []error{end}) {
		t.Errorf("passed on %+v", r)
	}
	r.fail = errors.New("full")
	if err := s.WriteVideo(u); err != r.fail {
		t.Errorf("error %v", err)
	}
	c := loadClip(t, "mono44100")
	if err := s.WriteAudio(&ingest.AudioFrame{Codec: c.codec}); err != r.fail {
		t.Errorf("error %v", err)
	}
}

// A frame of data may come without a sequence header before it.
func TestAnnouncesOnce(t *testing.T) {
	c := loadClip(t, "mono44100")
	var r recorder
	s := New(&r, Options{})
	again := *c.codec
	for i, u := range c.units {
		codec := c.codec
		if i%2 == 1 {
			codec = &again
		}
		write(t, s, rtmpTime(i, 44100), codec, u)
	}
	if len(r.heads) != 1 || len(r.audio) < 30 {
		t.Errorf("%d announcements, %d packets", len(r.heads), len(r.audio))
	}
	if math.Abs(float64(r.audio[0].PTS-13500*time.Microsecond)) > 1e3 {
		t.Errorf("first packet at %v: the one before zero is to be left out", r.audio[0].PTS)
	}
}
