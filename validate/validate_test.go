package validate

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// The committed clips, each of which breaks one rule or none.
func TestClips(t *testing.T) {
	for name, want := range map[string]ingest.Code{
		"demo": "", "flashbeep": "", "pattern": "",
		"1080p": ingest.ResolutionExceeded, "main": ingest.InvalidVideoCodec, "high": ingest.InvalidVideoCodec,
		"bframes": ingest.BFramePresent, "bframes-in-baseline": ingest.BFramePresent,
		"mp3": ingest.InvalidAudioCodec,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("../testdata/" + name + ".flv")
			if err != nil {
				t.Fatal(err)
			}
			err = playFLV(b, New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}))
			if got := codeOf(err); got != want {
				t.Errorf("got %v, want code %q", err, want)
			}
		})
	}
}

func TestClosePassesOnce(t *testing.T) {
	reason := errors.New("over")
	next := &recorder{fail: errors.New("foreign")}
	v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	if err := v.Close(reason); err != next.fail {
		t.Errorf("got %v", err)
	}
	if err := v.Close(nil); err != nil {
		t.Errorf("again: %v", err)
	}
	if len(next.closed) != 1 || next.closed[0] != reason {
		t.Errorf("closed with %v", next.closed)
	}
}

// An error of the next sink comes back as it is, wherever it arises.
func TestErrorsOfNext(t *testing.T) {
	for n, fail := range []func(*encoder, ingest.Sink) error{
		func(e *encoder, v ingest.Sink) error { return e.headers(v) },
		func(e *encoder, v ingest.Sink) error { return v.WriteVideo(e.picture()) },
		func(e *encoder, v ingest.Sink) error {
			return v.WriteAudio(&ingest.AudioFrame{Codec: e.codec, Data: []byte{1}})
		},
		func(e *encoder, v ingest.Sink) error { return v.WriteAudio(&ingest.AudioFrame{Codec: e.codec}) },
		func(e *encoder, v ingest.Sink) error { return v.WriteVideo(videoHeader(e.sps, ppsBaseline)) },
	} {
		e, next := newEncoder(), new(recorder)
		v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
		if n > 0 {
			if err := e.headers(v); err != nil {
				t.Fatal(err)
			}
		}
		next.fail = errors.New("foreign")
		if err := fail(e, v); err != next.fail {
			t.Errorf("%d: got %v", n, err)
		}
	}
}

// Units are passed on as they are.
func TestPassesUnitsOn(t *testing.T) {
	e, next := newEncoder(), new(recorder)
	v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	if err := e.headers(v); err != nil {
		t.Fatal(err)
	}
	au, frame := e.picture(), &ingest.AudioFrame{Codec: e.codec, Data: []byte{1}}
	if err := v.WriteVideo(au); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteAudio(frame); err != nil {
		t.Fatal(err)
	}
	if next.video[len(next.video)-1] != au || next.audio[len(next.audio)-1] != frame {
		t.Error("another unit was passed on")
	}
}

// BenchmarkSecond judges one second of 720p30 at 6 Mbps with AAC, of which one picture is an
// IDR in two: nothing is allocated.
func BenchmarkSecond(b *testing.B) {
	e := newEncoder()
	e.pictureLen = 25000
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: rulesWith(map[Rule]Mode{Duration: ModeOff}), Health: func(ingest.Health) {}})
	if err := e.headers(v); err != nil {
		b.Fatal(err)
	}
	var video []*ingest.AccessUnit
	for range 60 {
		video = append(video, e.picture())
	}
	audio := ingest.AudioFrame{Codec: e.codec, Data: make([]byte, 340)}
	b.ReportAllocs()
	var now time.Duration
	for n := 0; b.Loop(); n++ {
		for i := range 30 {
			au := video[(n*30+i)%60]
			au.PTS = now
			if err := v.WriteVideo(au); err != nil {
				b.Fatal(err)
			}
			for range 2 {
				audio.PTS = now
				if err := v.WriteAudio(&audio); err != nil {
					b.Fatal(err)
				}
			}
			now += time.Second / 30
		}
	}
}

// What hardware encoders send beside x264's habits: an access unit delimiter, filler, SEI,
// several PPS, another SPS number, and a new SPS that says the same size.
func TestHardwareEncoderHabits(t *testing.T) {
	var told warnings
	next := new(recorder)
	v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules(), Warn: told.add})
	aud, filler, sei := []byte{0x09, 0x10}, []byte{0x0c, 0xff, 0xff, 0x80}, unhex("0605022a2a80")
	firstPPS, secondPPS := makePPS(pps{sliceGroups: 1}), makePPS(pps{id: 1, sliceGroups: 1})
	slice := func(header byte, kind sliceType, frameNum uint32) []byte { // with pps_id 1
		return new(bitWriter).ue(0).ue(uint32(kind)).ue(1).u(4, frameNum%16).u(32, 0).nalu(header)
	}
	audio := newEncoder()
	audio.noVideo = true
	if err := audio.headers(v); err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		pts := time.Duration(n) * time.Second / 30
		au := &ingest.AccessUnit{PTS: pts, NALUs: [][]byte{aud, slice(0x41, sliceP, uint32(n%60)), filler}}
		if n%60 == 0 {
			sps := sps360p // log2_max_frame_num is 4 bits in both
			if n%120 == 0 {
				sps = makeSPS(640, 360)
			}
			au.NALUs = [][]byte{aud, sps, firstPPS, secondPPS, sei, slice(0x65, sliceI, 0), filler}
		}
		if err := v.WriteVideo(au); err != nil {
			t.Fatal(err)
		}
		if err := audio.run(v, pts); err != nil {
			t.Fatal(err)
		}
	}
	if v.health.health.LostFrames != 0 || len(told) > 0 || len(next.video) != 301 {
		t.Errorf("%d lost, %d units on stage, told: %s", v.health.health.LostFrames, len(next.video), told)
	}
}
