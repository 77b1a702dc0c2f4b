package whip

import (
	"testing"
	"time"
)

// twoTracks plays a publisher's audio and video into their clocks.
type twoTracks struct {
	line         timeline
	audio, video rtpClock
	start        time.Time // arrival of what was captured at 0
}

func newTwoTracks() *twoTracks {
	return &twoTracks{audio: rtpClock{rate: 48000}, video: rtpClock{rate: 90000}, start: time.Unix(1000, 0)}
}

const (
	firstAudio = uint32(0xffff0000) // both wrap soon
	firstVideo = uint32(0xfffffff0)
	ntpBase    = uint64(3900000000) << 32
)

func ntpAt(d time.Duration) uint64 {
	return ntpBase + uint64(d/time.Second)<<32 + uint64(d%time.Second)<<32/uint64(time.Second)
}

func (tt *twoTracks) soundAt(captured, late time.Duration) time.Duration {
	return tt.audio.date(&tt.line, firstAudio+uint32(captured*48000/time.Second), tt.start.Add(captured+late))
}

func (tt *twoTracks) pictureAt(captured, late time.Duration) time.Duration {
	return tt.video.follow(&tt.line, &tt.audio, firstVideo+uint32(captured*90000/time.Second), tt.start.Add(captured+late))
}

func (tt *twoTracks) reports(at time.Duration) {
	tt.audio.observe(ntpAt(at), firstAudio+uint32(at*48000/time.Second))
	tt.video.observe(ntpAt(at), firstVideo+uint32(at*90000/time.Second))
}

// Video that arrives 150 ms late at first is put right by the reports, without a jump.
func TestReportsPutSoundAndPictureTogether(t *testing.T) {
	for name, late := range map[string]struct{ audio, video time.Duration }{
		"video late": {0, 150 * time.Millisecond},
		"audio late": {200 * time.Millisecond, 0},
		"together":   {50 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			tt := newTwoTracks()
			last := time.Duration(-1)
			var skew time.Duration
			for at := time.Duration(0); at < time.Minute; at += 20 * time.Millisecond {
				sound := tt.soundAt(at, late.audio)
				picture := tt.pictureAt(at, late.video)
				skew = picture - sound
				if step := picture - last; last >= 0 && (step < 18*time.Millisecond || step > 22*time.Millisecond) {
					t.Fatalf("at %v the picture's time goes on by %v", at, step)
				}
				last = picture
				if at == time.Second {
					tt.reports(at)
				}
				if at > 10*time.Second && absolute(skew) > 40*time.Millisecond {
					t.Fatalf("at %v they are %v apart", at, skew)
				}
			}
			if absolute(skew) > 6*time.Millisecond {
				t.Errorf("they end %v apart", skew)
			}
		})
	}
}

// Clocks of a publisher's devices drift apart; the reports say so, or else the arrivals.
func TestDriftIsFollowed(t *testing.T) {
	for name, reports := range map[string]bool{"with reports": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			tt := newTwoTracks()
			var skew time.Duration
			for at := time.Duration(0); at < 30*time.Minute; at += 20 * time.Millisecond {
				video := at + at/10000 // 100 ppm fast
				arrival := tt.start.Add(at)
				sound := tt.soundAt(at, 0)
				picture := tt.video.follow(&tt.line, &tt.audio, firstVideo+uint32(video*90000/time.Second), arrival)
				if skew = picture - sound; absolute(skew) > 20*time.Millisecond {
					t.Fatalf("after %v they are %v apart", at, skew)
				}
				if reports && at%time.Second == 0 {
					tt.audio.observe(ntpAt(at), firstAudio+uint32(at*48000/time.Second))
					tt.video.observe(ntpAt(at), firstVideo+uint32(video*90000/time.Second))
				}
			}
		})
	}
}

func TestFirstUnitIsAtZero(t *testing.T) {
	tt := newTwoTracks()
	if got := tt.pictureAt(0, 0); got != 0 {
		t.Errorf("the first picture is at %v", got)
	}
	if got := tt.soundAt(time.Second, 30*time.Millisecond); got != time.Second+30*time.Millisecond {
		t.Errorf("the first sound is at %v", got)
	}
	if got := tt.soundAt(time.Second+20*time.Millisecond, 500*time.Millisecond); got != time.Second+50*time.Millisecond {
		t.Errorf("the second sound, which came late, is at %v", got)
	}
}

func TestNothingIsBeforeZero(t *testing.T) {
	tt := newTwoTracks()
	tt.soundAt(0, 10*time.Millisecond)
	if got := tt.pictureAt(0, 5*time.Millisecond); got != 0 {
		t.Errorf("a picture whose first packet came before the sound is at %v", got)
	}
}

func TestClockStartsAnew(t *testing.T) {
	c := rtpClock{rate: 90000}
	var line timeline
	start := time.Unix(1000, 0)
	c.date(&line, 5000, start)
	c.observe(ntpAt(0), 5000)
	if got := c.date(&line, 4000000000, start.Add(40*time.Millisecond)); got != 40*time.Millisecond {
		t.Errorf("after the leap: %v", got)
	}
	if c.report.known {
		t.Error("the report from before the leap is believed")
	}
	// A long pause is no leap if the timestamps say the same.
	if got := c.date(&line, 4000000000+60*90000, start.Add(time.Minute+40*time.Millisecond)); got != time.Minute+40*time.Millisecond {
		t.Errorf("after the pause: %v", got)
	}
}

func TestReportsOfNonsenseAreNotBelieved(t *testing.T) {
	tt := newTwoTracks()
	for at := time.Duration(0); at < 20*time.Second; at += 20 * time.Millisecond {
		sound, picture := tt.soundAt(at, 0), tt.pictureAt(at, 0)
		if skew := picture - sound; absolute(skew) > 20*time.Millisecond {
			t.Fatalf("at %v they are %v apart", at, skew)
		}
		tt.audio.observe(ntpAt(at), firstAudio+uint32(at*48000/time.Second))
		tt.video.observe(ntpAt(at+time.Hour), firstVideo)
		tt.video.observe(0, 12345) // no clock
	}
}

// FuzzClock: whatever reports and timestamps say, no date is far from the arrival, and the
// pictures' time never runs back by more than the publisher's own.
func FuzzClock(f *testing.F) {
	f.Add(uint64(1), uint32(2), uint32(3), uint32(4), int64(1000))
	f.Add(ntpAt(time.Hour), uint32(0xffffffff), uint32(0), uint32(1<<31), int64(1e9))
	f.Fuzz(func(t *testing.T, ntp uint64, report, ts1, ts2 uint32, elapsed int64) {
		tt := newTwoTracks()
		now := tt.start
		step := time.Duration(elapsed).Abs() % time.Minute
		for _, ts := range []uint32{ts1, ts2, ts1 ^ ts2} {
			now = now.Add(step)
			tt.audio.date(&tt.line, ts+report, now)
			tt.audio.observe(ntp, report)
			tt.video.observe(ntp^uint64(ts), ts1)
			pts := tt.video.follow(&tt.line, &tt.audio, ts, now)
			if since := tt.line.since(now); absolute(pts-since) > 30*time.Second {
				t.Fatalf("dated %v at %v", pts, since)
			}
		}
	})
}
