package sfu

import (
	"testing"
	"time"
)

func picture(idr bool, size int) *unit {
	return &unit{kind: video, idr: idr, data: make([]byte, size), ends: []int{size}}
}

func TestQueueDropsUpToTheNextIDR(t *testing.T) {
	q := newQueue()
	if q.put(picture(false, 10)) {
		t.Error("the first picture was taken though it is no IDR")
	}
	for i := range maxQueuedPictures {
		if !q.put(picture(i == 0, 10)) {
			t.Fatalf("picture %d was dropped", i)
		}
	}
	if q.put(picture(false, 10)) {
		t.Error("the queue takes more than it holds")
	}
	if n := q.pictures(); n != 0 {
		t.Errorf("%d pictures wait after the overflow", n)
	}
	if q.put(picture(false, 10)) {
		t.Error("a picture that cannot be decoded was taken")
	}
	if !q.put(picture(true, 10)) || !q.put(picture(false, 10)) {
		t.Error("the IDR or its successor was dropped")
	}
	if got := q.lost(); got != maxQueuedPictures+3 {
		t.Errorf("%d dropped, want %d", got, maxQueuedPictures+3)
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue()
	if !q.put(picture(true, maxQueuedBytes+1)) {
		t.Error("a single picture must fit, whatever its size")
	}
	if q.put(picture(false, 1)) {
		t.Error("the queue takes more bytes than it may")
	}
}

func TestQueueDropsTheOldestAudio(t *testing.T) {
	q := newQueue()
	for i := range maxQueuedAudio + 5 {
		if !q.put(&unit{kind: audio, stream: time.Duration(i)}) {
			t.Fatal("audio was refused")
		}
	}
	if u := q.take(audio); u.stream != 5 {
		t.Errorf("the oldest is %d, want 5", u.stream)
	}
	if q.lost() != 5 {
		t.Errorf("%d dropped, want 5", q.lost())
	}
}

func TestGOPIsBounded(t *testing.T) {
	at := func(idr bool, stream time.Duration, size int) *unit {
		u := picture(idr, size)
		u.stream = stream
		return u
	}
	var g gop
	g.add(at(false, 0, 10))
	if g.replay().units != nil {
		t.Error("there is a replay without an IDR")
	}
	g.add(at(true, 0, 10))
	g.add(at(false, maxGOPLength, 10))
	if len(g.replay().units) != 2 {
		t.Error("the group is not kept")
	}
	g.add(at(false, maxGOPLength+1, 10))
	if g.replay().units != nil {
		t.Error("a group that is too long is kept")
	}
	g.add(at(true, maxGOPLength+2, maxGOPBytes))
	if len(g.replay().units) != 1 {
		t.Error("the next group is not kept")
	}
	g.add(at(false, maxGOPLength+3, 1))
	if g.replay().units != nil {
		t.Error("a group that is too large is kept")
	}
}

func TestReplayGivesWayToANearIDR(t *testing.T) {
	var g gop
	for i := range 90 {
		u := picture(i%60 == 0, 20000) // 4.8 Mbps: a whole group takes half a second to replay
		u.stream = time.Duration(i) * time.Second / 30
		g.add(u)
		near := i == 0 // no interval is known in the first group
		if replay := g.replay(); i >= 60 && !near {
			left := 2*time.Second - (u.stream - g.lastIDR)
			if wait := left < replay.duration() && replay.units != nil; wait {
				t.Errorf("picture %d: replays for %v though the next IDR is %v away", i, replay.duration(), left)
			}
			if i < 80 && replay.units == nil {
				t.Errorf("picture %d: no replay", i)
			}
		}
	}
}
