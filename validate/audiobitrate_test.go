package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// bytesPerFrame gives a frame's length at a bitrate, for frames of 1024 samples.
func bytesPerFrame(kbps int) int { return kbps * 1000 * 1024 / 48000 / 8 }

func TestAudioBitrate(t *testing.T) {
	vary := func(kbps int) func(int) int {
		return func(n int) int { return bytesPerFrame(kbps) + n%2*40 - 20 }
	}
	constant := func(kbps int) func(int) int { return func(int) int { return bytesPerFrame(kbps) } }
	for _, c := range []struct {
		name     string
		protocol ingest.Protocol
		size     func(n int) int
		want     ingest.Code
		warned   bool
	}{
		{"AAC 160", ingest.RTMP, constant(160), "", false},
		{"AAC 160 that varies", ingest.RTMP, vary(160), "", false},
		{"AAC 170 for a target of 160", ingest.RTMP, constant(170), "", false},
		{"AAC 192", ingest.RTMP, constant(192), ingest.BitrateExceeded, false},
		{"AAC 192 that varies", ingest.RTMP, vary(192), ingest.BitrateExceeded, false},
		{"AAC 320 for 3 s", ingest.RTMP, func(n int) int {
			if n > 500 && n < 640 {
				return bytesPerFrame(320)
			}
			return bytesPerFrame(96)
		}, "", false},
		{"Opus 160", ingest.WHIP, constant(160), "", false},
		{"Opus 192, constant", ingest.WHIP, constant(192), ingest.BitrateExceeded, true},
		{"Opus 160 on music, variable", ingest.WHIP, vary(213), "", true},
		{"Opus 400, variable", ingest.WHIP, vary(400), ingest.BitrateExceeded, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told warnings
			v := New(nil, Options{Protocol: c.protocol, Rules: DefaultRules(), Warn: told.add})
			e := newEncoder()
			if c.protocol == ingest.WHIP {
				e.codec = opusStereo
			}
			err := e.headers(v)
			for n := 0; n < 1500 && err == nil; n++ {
				e.frameLen = c.size(n)
				err = e.run(v, e.audioAt+time.Millisecond)
			}
			wantRejection(t, err, c.want, "stages take at most 160 kbps. OBS: Output, Audio Bitrate 160. ffmpeg: -b:a 160k")
			if (len(told) > 0) != c.warned {
				t.Errorf("told: %s", told)
			}
		})
	}
}
