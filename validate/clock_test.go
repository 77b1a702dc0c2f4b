package validate

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	type unit struct {
		track     track
		pts, want time.Duration
	}
	for _, c := range []struct {
		name  string
		units []unit
		jumps int
	}{
		{"begins at 0", []unit{{videoTrack, 7 * s, 0}, {audioTrack, 7*s + 20*ms, 20 * ms}, {videoTrack, 8 * s, s}}, 0},
		{"audio a little before", []unit{{videoTrack, 0, 0}, {audioTrack, -30 * ms, -30 * ms}, {audioTrack, 0, 0}}, 0},
		{"jitter back", []unit{{videoTrack, 0, 0}, {videoTrack, 40 * ms, 40 * ms}, {videoTrack, 30 * ms, 30 * ms}}, 0},
		{"jump back", []unit{{videoTrack, 9 * s, 0}, {videoTrack, 9*s + 33*ms, 33 * ms}, {videoTrack, 0, 66 * ms}, {videoTrack, 33 * ms, 99 * ms}}, 1},
		{"jump back by 2 s", []unit{{videoTrack, 0, 0}, {videoTrack, 4 * s, 4 * s}, {videoTrack, 2 * s, 5 * s}}, 1},
		{"jump ahead", []unit{{videoTrack, 0, 0}, {videoTrack, 33 * ms, 33 * ms}, {videoTrack, 9000 * s, 66 * ms}, {videoTrack, 9000*s + 33*ms, 99 * ms}}, 1},
		{"both tracks jump, that is one jump", []unit{
			{videoTrack, 0, 0}, {audioTrack, 0, 0}, {videoTrack, 33 * ms, 33 * ms}, {audioTrack, 21 * ms, 21 * ms},
			{videoTrack, 900 * s, 66 * ms}, {audioTrack, 42 * ms, 42 * ms}, {audioTrack, 900 * s, 63 * ms},
		}, 1},
		{"a track returns on another clock", []unit{
			{videoTrack, 50 * s, 0}, {videoTrack, 50*s + 40*ms, 40 * ms}, {audioTrack, 53 * s, 3 * s}, {videoTrack, 0, 3 * s},
		}, 1},
		{"one track falls silent", []unit{{videoTrack, 0, 0}, {audioTrack, 4 * s, 4 * s}, {audioTrack, 8 * s, 8 * s}, {videoTrack, 8 * s, 8 * s}}, 0},
		{"the ends of time", []unit{{videoTrack, 0, 0}, {videoTrack, 1 << 62, 0}, {videoTrack, -1 << 62, 0}, {audioTrack, 1 << 62, 0}}, 1},
	} {
		var k clock
		for i, u := range c.units {
			if got := k.tick(u.track, u.pts); got != u.want {
				t.Errorf("%s: unit %d at %v, want %v", c.name, i, got, u.want)
			}
		}
		if k.jumps != c.jumps {
			t.Errorf("%s: %d jumps, want %d", c.name, k.jumps, c.jumps)
		}
	}
}

// With B-frames, pictures are decoded in another order than they are shown in: the clock of
// pictures must not run faster for it.
func TestClockOfPicturesWithBFrames(t *testing.T) {
	var k clock
	for _, n := range []time.Duration{0, 3, 1, 2, 6, 4, 5, 9, 7, 8} {
		k.tick(videoTrack, n*33*time.Millisecond)
	}
	if want := 9 * 33 * time.Millisecond; k.picture != want {
		t.Errorf("10 pictures took %v, want %v", k.picture, want)
	}
}
