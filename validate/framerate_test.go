package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestFrameRate(t *testing.T) {
	const text = "stages take 10 to 60 fps. OBS: Video"
	for _, c := range []struct {
		name string
		fps  float64
		want ingest.Code
	}{
		{"10", 10, ""}, {"film", 24000.0 / 1001, ""}, {"NTSC", 30000.0 / 1001, ""}, {"60", 60, ""},
		{"9", 9, ingest.InvalidInput}, {"5", 5, ingest.InvalidInput}, {"one in 2 s", 0.5, ingest.InvalidInput},
		{"70", 70, ingest.InvalidInput}, {"1000", 1000, ingest.InvalidInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEncoder()
			e.fps, e.idrEvery, e.pictureLen = c.fps, max(int(2*c.fps), 1), 500
			_, err := e.judged(Options{}, 30*time.Second)
			wantRejection(t, err, c.want, text)
		})
	}
}

// pictures sends pictures at these times, and audio beside them.
func pictures(t *testing.T, at func(n int) (time.Duration, bool)) error {
	t.Helper()
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	e := newEncoder()
	if err := e.headers(v); err != nil {
		t.Fatal(err)
	}
	e.noVideo = true
	for n := 0; ; n++ {
		pts, more := at(n)
		if !more {
			return nil
		}
		if err := e.run(v, pts); err != nil {
			return err
		}
		e.videoAt = pts
		if err := v.WriteVideo(e.picture()); err != nil {
			return err
		}
	}
}

func TestFrameRateTolerates(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, at := range map[string]func(n int) (time.Duration, bool){
		"jitter of 15 ms at 10 fps":   func(n int) (time.Duration, bool) { return ms(n*100 + n%2*15), n < 300 },
		"60 fps in bursts of 6":       func(n int) (time.Duration, bool) { return ms(n / 6 * 100), n < 1200 },
		"VFR from 12 to 60 fps":       func(n int) (time.Duration, bool) { return ms(n/2*100 + n%2*17), n < 400 },
		"a break of 4 s":              func(n int) (time.Duration, bool) { return ms(n*33 + n/200*4000), n < 600 },
		"a break of 60 s":             func(n int) (time.Duration, bool) { return ms(n*33 + n/200*60000), n < 600 },
		"half of the pictures lost":   func(n int) (time.Duration, bool) { return ms(n*33 + n/15*500), n < 600 },
		"timestamps begin anew":       func(n int) (time.Duration, bool) { return ms(n % 200 * 33), n < 600 },
		"timestamps jump by 10 hours": func(n int) (time.Duration, bool) { return ms(n*33 + n/200*36_000_000), n < 600 },
	} {
		t.Run(name, func(t *testing.T) {
			if err := pictures(t, at); err != nil {
				t.Error(err)
			}
		})
	}
}

// A browser that slows down is told, and stays; one that never was fast enough does not.
func TestFrameRateLoweredOverWHIP(t *testing.T) {
	var told warnings
	e := newEncoder()
	e.codec = opusStereo
	v, err := e.judged(Options{Protocol: ingest.WHIP, Warn: told.add}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	e.fps, e.idrEvery = 5, 10
	if err := e.run(v, 30*time.Second); err != nil {
		t.Error(err)
	}
	if len(told) != 1 || told[0].Rule != FrameRate {
		t.Errorf("told: %s", told)
	}
	slow := newEncoder()
	slow.codec, slow.fps, slow.idrEvery = opusStereo, 5, 10
	_, err = slow.judged(Options{Protocol: ingest.WHIP}, 30*time.Second)
	wantRejection(t, err, ingest.InvalidInput, "5 fps over 5 s")
}
