package sfu

import (
	"testing"
	"time"
)

// step is one unit: of which kind, with what PTS, when, and the stage time that it should get.
type step struct {
	k              kind
	pts, now, want time.Duration
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestTimeline(t *testing.T) {
	const day = 24 * time.Hour
	for name, steps := range map[string][]step{
		"begins now": {{video, 0, ms(500), ms(500)}, {audio, ms(10), ms(500), ms(510)}},
		"one clock, whatever the arrival": {
			{video, 0, 0, 0}, {audio, ms(5), ms(40), ms(5)}, {video, ms(33), ms(90), ms(33)}, {audio, ms(25), ms(91), ms(25)}},
		"a stall keeps the clock": {
			{video, 0, 0, 0}, {audio, 0, 0, 0}, {video, ms(33), ms(5033), ms(33)}, {audio, ms(20), ms(5034), ms(20)}, {video, ms(66), ms(5034), ms(66)}},
		"a pause of the encoder is a pause": {
			{video, 0, 0, 0}, {video, time.Minute, time.Minute, time.Minute}},
		"jump on, both tracks follow by the same": {
			{video, 0, 0, 0}, {audio, ms(7), 0, ms(7)}, {video, day, ms(33), ms(33)}, {audio, day + ms(7), ms(40), ms(40)}},
		"jump back, the audio sees it first": {
			{video, day, 0, 0}, {audio, day, 0, 0}, {audio, 0, ms(20), ms(20)}, {video, day + ms(33), ms(33), ms(33)}, {video, ms(46), ms(66), ms(66)}},
		"audio that lags keeps the old clock until it jumps": {
			{video, 0, 0, 0}, {audio, 0, 0, 0}, {video, day, ms(33), ms(33)}, {audio, ms(20), ms(34), ms(20)}, {audio, day - ms(13), ms(40), ms(20) + minStep}},
		"dropped pictures are no jump": {
			{video, 0, 0, 0}, {audio, 0, 0, 0}, {audio, ms(2000), ms(10), ms(2000)}, {audio, ms(4000), ms(10), ms(4000)}, {video, ms(4000), ms(10), ms(4000)}},
		"a slip back stays in order": {
			{video, 0, 0, 0}, {video, ms(33), ms(33), ms(33)}, {video, ms(20), ms(66), ms(33) + minStep}, {video, ms(99), ms(99), ms(99)}},
		"audio that starts later": {
			{video, 0, 0, 0}, {video, time.Minute, time.Minute, time.Minute}, {audio, time.Minute, time.Minute, time.Minute}},
		"audio that starts elsewhere": {
			{video, 0, 0, 0}, {audio, day, ms(10), ms(10)}},
	} {
		t.Run(name, func(t *testing.T) {
			var line timeline
			for i, s := range steps {
				if got := line.place(s.k, s.pts, s.now); got != s.want {
					t.Errorf("step %d: got %v, want %v", i, got, s.want)
				}
			}
		})
	}
}

func TestTimelineAcrossPublishers(t *testing.T) {
	var line timeline
	line.place(video, ms(900), ms(100))
	line.place(audio, ms(920), ms(100))
	line.restart()
	// The new publisher begins at zero, 3 s later, with its audio 50 ms after its video.
	if got := line.place(video, 0, ms(3100)); got != ms(3100) {
		t.Errorf("video: %v", got)
	}
	if got := line.place(audio, ms(50), ms(3150)); got != ms(3150) {
		t.Errorf("audio: %v", got)
	}
}

func FuzzTimeline(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 250, 128, 7})
	f.Fuzz(func(t *testing.T, moves []byte) {
		var line timeline
		var pts, now time.Duration
		last := [kinds]time.Duration{-1, -1}
		for _, m := range moves {
			now += time.Duration(m>>4) * 5 * time.Millisecond
			switch m & 7 {
			case 0:
				pts += 1 << 40
			case 1:
				pts -= 1 << 41
			case 2:
				line.restart()
			default:
				pts += time.Duration(m>>4) * 5 * time.Millisecond
			}
			k := kind(m >> 3 & 1)
			got := line.place(k, pts, now)
			if got <= last[k] {
				t.Fatalf("stage time went from %v to %v", last[k], got)
			}
			last[k] = got
		}
	})
}
