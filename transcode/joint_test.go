package transcode

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	toneHertz     = 310.0
	toneAmplitude = 12000.0
)

// toneAt is what the publisher's microphone hears.
func toneAt(at time.Duration) float64 {
	return toneAmplitude * math.Sin(2*math.Pi*toneHertz*at.Seconds())
}

// toneDecoder decodes made-up access units, which hold nothing but the true time of their
// first sample: it gives the tone of that time. One that is too short is damaged.
type toneDecoder struct{ rate, channels int }

func toneUnit(at time.Duration) []byte { return binary.BigEndian.AppendUint64(nil, uint64(at)) }

func (d toneDecoder) decode(au []byte) ([]int16, error) {
	if len(au) != 8 {
		return nil, errors.New("damaged")
	}
	start := time.Duration(binary.BigEndian.Uint64(au))
	pcm := make([]int16, unitSamples*d.channels)
	for i := range pcm {
		pcm[i] = int16(math.Round(toneAt(start + samplesTime(int64(i/d.channels), d.rate))))
	}
	return pcm, nil
}

// plainEncoder keeps what it is given to encode.
type plainEncoder struct{ pcm [][]int16 }

func (e *plainEncoder) Encode(pcm []int16, buf []byte) (int, error) {
	e.pcm = append(e.pcm, append([]int16(nil), pcm...))
	return copy(buf, []byte{0xfc, byte(len(e.pcm))}), nil
}

// studio is a transcoder with made-up codecs on both sides.
type studio struct {
	t     *testing.T
	sink  *transcoder
	out   recorder
	enc   plainEncoder
	codec *ingest.AudioCodec
}

func newStudio(t *testing.T, channels int) *studio {
	s := &studio{t: t}
	s.sink = New(&s.out, Options{Channels: channels}).(*transcoder)
	return s
}

func (s *studio) configure(rate, channels int) {
	s.t.Helper()
	s.codec = aacCodec(rate, channels)
	write(s.t, s.sink, 0, s.codec, nil)
	s.sink.source.decoder = toneDecoder{rate, channels}
	s.sink.encoder = &s.enc
}

// play writes n access units whose true time begins at from, stamped late by stamp. It gives
// the time after the last one.
func (s *studio) play(from time.Duration, n int, stamp time.Duration) time.Duration {
	s.t.Helper()
	for i := range n {
		at := from + samplesTime(int64(i)*unitSamples, s.codec.SampleRate)
		write(s.t, s.sink, at+stamp, s.codec, toneUnit(at))
	}
	return from + samplesTime(int64(n)*unitSamples, s.codec.SampleRate)
}

// heard is one sample of what viewers hear on the left, with its time by the packets' PTS.
type heard struct {
	at    time.Duration
	value float64
}

func (s *studio) heard() (all []heard) {
	channels := s.sink.options.Channels
	skipped := len(s.enc.pcm) - len(s.out.audio) // before zero
	for k, f := range s.out.audio {
		for i := range packetSamples {
			at := f.PTS + samplesTime(int64(i+lookahead), outputRate)
			all = append(all, heard{at, float64(s.enc.pcm[k+skipped][i*channels])})
		}
	}
	return all
}

// wrong gives the time within which what is heard is not the tone of its time, late by
// offset, and how large its largest step from sample to sample is.
func wrong(all []heard, offset time.Duration) (from, to time.Duration, step float64) {
	from = -1
	for i, h := range all {
		if math.Abs(h.value-toneAt(h.at-offset)) > 750 { // a sample and a half: every joint may cost half a sample
			if from < 0 {
				from = h.at
			}
			to = h.at
		}
		if i > 0 {
			step = max(step, math.Abs(h.value-all[i-1].value))
		}
	}
	return from, to, step
}

// maxStep is somewhat more than the tone makes between two samples; a click makes more.
const maxStep = 1.6 * toneAmplitude * 2 * math.Pi * toneHertz / outputRate

func (s *studio) contiguous() bool {
	for i, f := range s.out.audio[1:] {
		if f.PTS != s.out.audio[i].PTS+packetTime {
			return false
		}
	}
	return true
}

// What happens at a joint: sound is where its timestamp says again right after it, without a
// click, and the packets go on at 20 ms.
func TestJoints(t *testing.T) {
	const ms = time.Millisecond
	unit := samplesTime(unitSamples, 44100)
	for _, tt := range []struct {
		name    string
		joint   func(s *studio, at time.Duration) (end time.Duration)
		silence time.Duration // that is heard, about
	}{
		{"none", func(_ *studio, at time.Duration) time.Duration { return at }, 0},
		{"gap", func(_ *studio, at time.Duration) time.Duration { return at + 150*ms }, 150 * ms},
		{"lost unit", func(s *studio, at time.Duration) time.Duration {
			write(s.t, s.sink, at, s.codec, []byte("bad"))
			return at + unit
		}, unit},
		{"three lost units", func(s *studio, at time.Duration) time.Duration {
			for range 3 {
				write(s.t, s.sink, at, s.codec, []byte("bad"))
				at += unit
			}
			return at
		}, 3 * unit},
		{"lost units after a gap", func(s *studio, at time.Duration) time.Duration {
			write(s.t, s.sink, at+100*ms, s.codec, []byte("bad"))
			return at + 100*ms + unit
		}, 100*ms + unit},
		{"repeated sound", func(s *studio, at time.Duration) time.Duration {
			s.play(at-300*ms, 9, 0) // all of it is for a time already sent
			return at
		}, 0},
		{"same sequence header again", func(s *studio, at time.Duration) time.Duration {
			codec := *s.codec
			s.codec = &codec
			write(s.t, s.sink, at, s.codec, nil)
			return at
		}, 0},
		{"other rate and channels", func(s *studio, at time.Duration) time.Duration {
			s.configure(48000, 2)
			return at
		}, 0},
		{"other rate and back", func(s *studio, at time.Duration) time.Duration {
			s.configure(48000, 2)
			at = s.play(at, 30, 0)
			s.configure(44100, 1)
			return at
		}, 0},
	} {
		for _, channels := range []int{1, 2} {
			t.Run(tt.name, func(t *testing.T) {
				s := newStudio(t, channels)
				s.configure(44100, 1)
				before := s.play(time.Second, 60, 0)
				after := tt.joint(s, before)
				s.play(after, 60, 0)

				all := s.heard()
				for len(all) > 0 && all[0].at < time.Second+6*ms {
					all = all[1:] // the fade-in at the start
				}
				from, to, step := wrong(all, 0)
				t.Logf("not the tone from %v to %v, where the joint is from %v to %v; largest step %.0f of %.0f", from, to, before, after, step, maxStep)
				if step > maxStep {
					t.Errorf("a step of %.0f is a click; the tone's are below %.0f", step, maxStep)
				}
				if !s.contiguous() {
					t.Error("the packets are not 20 ms apart")
				}
				if tt.silence == 0 && from < 0 {
					return
				}
				if from < before-2*ms || to > after+6*ms || to-from < tt.silence-6*ms {
					t.Errorf("not the tone from %v to %v; want from %v to %v and 5 ms at most", from, to, before, after)
				}
			})
		}
	}
}

// Sound goes on without a click after an overlap, some milliseconds off its time.
func TestOverlapIsInaudible(t *testing.T) {
	s := newStudio(t, 1)
	s.configure(44100, 1)
	at := s.play(time.Second, 60, 0)
	s.play(at-300*time.Millisecond, 60, 0)
	if _, _, step := wrong(s.heard()[packetSamples:], 0); step > maxStep {
		t.Errorf("a step of %.0f is a click; the tone's are below %.0f", step, maxStep)
	}
	if !s.contiguous() {
		t.Error("the packets are not 20 ms apart")
	}
}

// A jump of the publisher's clock is taken over to the nanosecond, as the video's is.
func TestJumps(t *testing.T) {
	for _, jump := range []time.Duration{5 * time.Second, -5 * time.Second, 300 * time.Millisecond, time.Hour} {
		s := newStudio(t, 2)
		s.configure(48000, 2)
		at := s.play(time.Minute, 50, 0)
		sent := len(s.out.audio)
		s.play(at, 50, jump)
		step := s.out.audio[sent].PTS - s.out.audio[sent-1].PTS
		if step != packetTime+jump {
			t.Errorf("jump of %v: a step of %v", jump, step)
		}
		after := s.heard()[sent*packetSamples:]
		// Up to a packet from before the jump moves along; then there are 5 ms of fading.
		if from, to, step := wrong(after[packetSamples+fadeSamples:], jump); from >= 0 || step > maxStep {
			t.Errorf("jump of %v: not the tone from %v to %v, step %.0f", jump, from, to, step)
		}
	}
}

// An encoder whose timestamps drift is followed by speed alone: no click, no jump, nothing
// left out. That the sound keeps to its timestamps is TestClockKeepsSync's business.
func TestDriftIsInaudible(t *testing.T) {
	for _, perMille := range []int{-10, -2, 2, 10} {
		s := newStudio(t, 1)
		s.configure(44100, 1)
		for i := range 800 {
			at := samplesTime(int64(i)*unitSamples, 44100)
			stamp := time.Second + at + at*time.Duration(perMille)/1000
			write(t, s.sink, stamp, s.codec, toneUnit(at))
		}
		if bent := s.sink.clock.bent; bent*perMille >= 0 {
			t.Errorf("drift of %d per mille: bend %d at the end", perMille, bent)
		}
		if !s.contiguous() {
			t.Errorf("drift of %d per mille: the packets are not 20 ms apart", perMille)
		}
		all := s.heard()[2*fadeSamples:]
		if _, _, step := wrong(all, 0); step > 1.02*toneAmplitude*2*math.Pi*toneHertz/outputRate+2 {
			t.Errorf("drift of %d per mille: a step of %.0f", perMille, step)
		}
		for len(all) >= packetSamples {
			var sum float64
			for _, h := range all[:packetSamples] {
				sum += h.value * h.value
			}
			all = all[packetSamples:]
			if level := math.Sqrt(2 * sum / packetSamples); math.Abs(level-toneAmplitude) > 0.06*toneAmplitude {
				t.Fatalf("drift of %d per mille: level %.0f", perMille, level)
			}
		}
	}
}

func TestUndecodable(t *testing.T) {
	s := newStudio(t, 2)
	s.configure(48000, 2)
	at := s.play(0, 3, 0)
	bad := func() error {
		f := &ingest.AudioFrame{PTS: at, Codec: s.codec, Data: []byte("bad")}
		at += samplesTime(unitSamples, 48000)
		return s.sink.WriteAudio(f)
	}
	for range maxLost - 1 {
		if err := bad(); err != nil {
			t.Fatal(err)
		}
	}
	at = s.play(at, 1, 0)
	for range maxLost - 1 {
		if err := bad(); err != nil {
			t.Fatal(err)
		}
	}
	wantRejection(t, bad(), ingest.InvalidInput, "50 AAC frames in a row", "AAC-LC", "OBS:", "ffmpeg:")
}

func wantRejection(t *testing.T, err error, code ingest.Code, parts ...string) {
	t.Helper()
	var r *ingest.Rejection
	if !errors.As(err, &r) {
		t.Errorf("error %v, want %s", err, code)
		return
	}
	if r.Code != code {
		t.Errorf("code %s, want %s", r.Code, code)
	}
	for _, p := range parts {
		if !strings.Contains(r.Detail, p) {
			t.Errorf("%q is not in: %s", p, r.Detail)
		}
	}
}

func TestRefusedCodecs(t *testing.T) {
	for _, tt := range []struct {
		codec ingest.AudioCodec
		seen  string
	}{
		{ingest.AudioCodec{Name: ingest.MP3}, "audio is MP3"},
		{ingest.AudioCodec{Name: ingest.AAC}, "empty or cut-off"},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0x2b, 0x92, 0x08, 0}}, "audio is HE-AAC."},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0xeb, 0x8a, 0x08, 0}}, "audio is HE-AAC v2."},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0x09, 0x90}}, "audio is AAC Main."},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0xf9, 0x40, 0, 0}}, "audio is xHE-AAC."},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0x61, 0x90}}, "object type 12"},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0x11, 0xb0}}, "channel configuration 6"},
		{ingest.AudioCodec{Name: ingest.AAC, Config: []byte{0x10, 0x10}}, "sampling frequency index 0"}, // 96 kHz
	} {
		s := New(&recorder{}, Options{})
		err := s.WriteAudio(&ingest.AudioFrame{Codec: &tt.codec})
		wantRejection(t, err, ingest.InvalidAudioCodec, tt.seen, "44.1 or 48 kHz", "OBS:", "-c:a aac")
	}
}

// A sink downstream may keep packets: they must not change after they were written.
func TestPacketsAreImmutable(t *testing.T) {
	c := loadClip(t, "stereo48000")
	var r recorder
	s := New(&r, Options{})
	var sums []uint64
	sum := func(f *ingest.AudioFrame) uint64 {
		h := fnv.New64()
		h.Write(f.Data)
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(f.PTS)))
		return h.Sum64()
	}
	for i := range 200 {
		write(t, s, samplesTime(int64(i)*unitSamples, 48000), c.codec, c.units[i%len(c.units)])
		for len(sums) < len(r.audio) {
			sums = append(sums, sum(r.audio[len(sums)]))
		}
	}
	for i, f := range r.audio {
		if sum(f) != sums[i] {
			t.Fatalf("packet %d changed", i)
		}
		if cap(f.Data) != len(f.Data) {
			t.Fatalf("packet %d has room to append into the next one", i)
		}
	}
}

// One allocation of two bytes for each access unit is go-aac's; packets come from a slab.
func TestAllocations(t *testing.T) {
	for _, name := range []string{"stereo44100", "stereo48000", "mono44100"} {
		c := loadClip(t, name)
		s := New(nowhere{}, Options{})
		frames := benchFrames(c)
		i := 0
		next := func() {
			f := &frames[i%len(frames)]
			f.PTS = samplesTime(int64(i)*unitSamples, c.codec.SampleRate)
			if err := s.WriteAudio(f); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for range 100 {
			next()
		}
		if n := testing.AllocsPerRun(100, next); n > 1 {
			t.Errorf("%s: %v allocations for an access unit, want at most 1", name, n)
		}
	}
}
