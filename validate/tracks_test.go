package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestTracks(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol ingest.Protocol
		change   func(*encoder)
		want     ingest.Code
		text     string
	}{
		{"both", ingest.RTMP, func(*encoder) {}, "", ""},
		{"no audio", ingest.RTMP, func(e *encoder) { e.noAudio = true }, ingest.InvalidInput, "No audio for 5 s; stages need audio and video over RTMP. OBS: "},
		{"no video", ingest.RTMP, func(e *encoder) { e.noVideo = true }, ingest.InvalidInput, "No video for 5 s; stages need audio and video over RTMP. OBS: "},
		{"no audio over RTMPS", ingest.RTMPS, func(e *encoder) { e.noAudio = true }, ingest.InvalidInput, "No audio"},
		{"no audio over WHIP", ingest.WHIP, func(e *encoder) { e.noAudio = true }, "", ""},
		{"no video over WHIP", ingest.WHIP, func(e *encoder) { e.noVideo = true }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEncoder()
			if c.protocol == ingest.WHIP {
				e.codec = opusStereo
			}
			c.change(e)
			v, err := e.judged(Options{Protocol: c.protocol}, 8*time.Second)
			wantRejection(t, err, c.want, c.text)
			if err != nil && (v.clock.now < 5*time.Second || v.clock.now > 5100*time.Millisecond) {
				t.Errorf("at %v", v.clock.now)
			}
		})
	}
}

// A header alone is no track.
func TestTracksHeaderWithoutMedia(t *testing.T) {
	e := newEncoder()
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	if err := e.headers(v); err != nil {
		t.Fatal(err)
	}
	e.noAudio = true
	wantRejection(t, e.run(v, 8*time.Second), ingest.InvalidInput, "No audio")
}

// A track that stops on stage is told of.
func TestTracksStopped(t *testing.T) {
	for _, text := range []string{"Audio stopped 5 s ago", "Video stopped 5 s ago"} {
		var told warnings
		e := newEncoder()
		v, err := e.judged(Options{Warn: told.add}, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		e.noAudio, e.noVideo = text[0] == 'A', text[0] == 'V'
		if err := e.run(v, 20*time.Second); err != nil {
			t.Error(err)
		}
		if len(told) != 1 || told[0].Seen != text {
			t.Errorf("want %q, told: %s", text, told)
		}
	}
}
