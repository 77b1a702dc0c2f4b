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
