package sfu

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/whepclient"
)

func TestPicturesAndSoundArriveWhole(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	p.picture(5000)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	// The replay of what there is comes first.
	if got := receive(t, v.pictures, "picture"); !got.IDR() || !equalNALUs(got.NALUs, p.sent[0].NALUs) {
		t.Fatalf("the first picture is not the IDR that was there")
	}
	for i := 1; i < 100; i++ {
		au := p.picture([]int{200, 900, 1184, 1185, 1186, 3000, 50000}[i%7])
		p.sound(au.PTS)
		got := receive(t, v.pictures, "picture")
		if !got.Whole || !equalNALUs(got.NALUs, au.NALUs) {
			t.Fatalf("picture %d came changed", i)
		}
		if sound := receive(t, v.sounds, "sound"); len(sound.Data) != 240 {
			t.Fatalf("sound %d has %d bytes", i, len(sound.Data))
		}
	}
	stats := s.Stats()
	if len(stats) != 1 || len(stats[0].Viewers) != 1 || !stats[0].Viewers[0].Connected || stats[0].BytesSent == 0 {
		t.Errorf("the statistics are %+v", stats)
	}
	if err := v.subscription.Close(); err != nil {
		t.Error(err)
	}
	if reason := receive(t, v.ended, "end"); reason != "the viewer left" {
		t.Errorf("ended: %s", reason)
	}
	receive(t, v.Client.Ended(), "end of the viewer's connection")
	if n := s.Stats()[0].BytesSent; n < stats[0].BytesSent {
		t.Errorf("bytes sent went from %d to %d", stats[0].BytesSent, n)
	}
}

func TestFirstPictureNeedsNoWait(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	for range 45 {
		p.picture(10000)
	}
	// The publisher pauses; only the kept group of pictures can reach the viewer.
	started := time.Now()
	v := watch(t, s, whepclient.Options{})
	for i := 30; i < 45; i++ {
		if got := receive(t, v.pictures, "picture"); !equalNALUs(got.NALUs, p.sent[i].NALUs) {
			t.Fatalf("picture %d is another one", i)
		}
		if i == 30 {
			t.Logf("first picture after %v", time.Since(started))
		}
	}
}
