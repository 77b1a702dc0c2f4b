package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// part is a stretch of a stream with one bitrate.
type part struct {
	mbps  float64
	until time.Duration
}

func playParts(t *testing.T, parts []part) (told warnings, err error) {
	t.Helper()
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules(), Warn: told.add})
	e := newEncoder()
	if err := e.headers(v); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		e.pictureLen = int(p.mbps * 1e6 / 8 / e.fps)
		if err := e.run(v, p.until); err != nil {
			return told, err
		}
	}
	return told, nil
}

func TestBitrate(t *testing.T) {
	for _, c := range []struct {
		name   string
		parts  []part
		want   ingest.Code
		warned bool
	}{
		{"6 Mbps", []part{{6, 60 * time.Second}}, "", false},
		{"8.3 Mbps and audio", []part{{8.3, 60 * time.Second}}, "", false},
		{"8.5 Mbps and audio, within the tolerance", []part{{8.5, 60 * time.Second}}, "", true},
		{"9 Mbps", []part{{9, 60 * time.Second}}, ingest.BitrateExceeded, true},
		{"10 Mbps", []part{{10, 10 * time.Second}}, ingest.BitrateExceeded, true},
		{"50 Mbps for 2 s", []part{{2, 10 * time.Second}, {50, 12 * time.Second}}, ingest.BitrateExceeded, true},
		{"overshoot of 1 s", []part{{6, 20 * time.Second}, {17, 21 * time.Second}, {6, 40 * time.Second}}, "", true},
		{"a full rate control buffer at the start", []part{{16, time.Second}, {8.2, 60 * time.Second}}, "", true},
		{"overshoots again and again", []part{{30, time.Second}, {2, 8 * time.Second}, {30, 9 * time.Second}, {2, 18 * time.Second}}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, err := playParts(t, c.parts)
			wantRejection(t, err, c.want, "stages take at most 8.5 Mbps, audio and video together")
			if (len(told) > 0) != c.warned {
				t.Errorf("told: %s", told)
			}
		})
	}
}

// The same overshoot is told once a minute of media.
func TestBitrateWarnsSeldom(t *testing.T) {
	var parts []part
	for at := time.Duration(0); at < 2*time.Minute; at += 10 * time.Second {
		parts = append(parts, part{3, at + 9*time.Second}, part{20, at + 10*time.Second})
	}
	told, err := playParts(t, parts)
	if err != nil || len(told) != 2 {
		t.Errorf("%v, told %d times: %s", err, len(told), told)
	}
}
