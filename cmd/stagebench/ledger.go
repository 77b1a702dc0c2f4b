package main

import (
	"sync/atomic"
	"time"
)

// ledger is when one publisher sent what. It keeps the last round only, which is far more
// than any server delays.
type ledger struct {
	clip     *clip
	epoch    time.Time
	pictures []atomic.Int64 // by number in the round: nanoseconds since epoch, when the first byte left
	sounds   []atomic.Int64
	sent     atomic.Int64 // pictures in all
}

func newLedger(c *clip) *ledger {
	return &ledger{clip: c, epoch: time.Now(), pictures: make([]atomic.Int64, c.pictures), sounds: make([]atomic.Int64, c.sounds)}
}

// picture notes that the next picture of the round is about to be sent.
func (l *ledger) picture(number int, now time.Time) {
	l.pictures[number].Store(int64(now.Sub(l.epoch)))
	l.sent.Add(1)
}

func (l *ledger) sound(number int, now time.Time) {
	l.sounds[number].Store(int64(now.Sub(l.epoch)))
}

// sighting is a picture that has arrived, known again.
type sighting struct {
	count  int64         // which picture since the publisher's begin, from 0
	sentAt time.Time     // when its first byte left
	pts    time.Duration // on the publisher's clock
}

// find knows a picture again.
func (l *ledger) find(id pictureID) (sighting, bool) {
	number, known := l.clip.byID[id]
	if !known || number < 0 {
		return sighting{}, false
	}
	newest := l.sent.Load() - 1
	round := int64(l.clip.pictures)
	count := newest - ((newest-int64(number))%round+round)%round
	if count < 0 {
		return sighting{}, false
	}
	return sighting{
		count:  count,
		sentAt: l.epoch.Add(time.Duration(l.pictures[number].Load())),
		pts:    time.Duration(count/round*int64(l.clip.length)+int64(l.clip.times[number])) * time.Millisecond,
	}, true
}

// latestOnset gives when the newest onset left, and its time in the round.
func (l *ledger) latestOnset(before time.Time) (sentAt time.Time, at time.Duration, ok bool) {
	for _, o := range l.clip.onsets {
		nanoseconds := l.sounds[o.sound].Load()
		if left := l.epoch.Add(time.Duration(nanoseconds)); nanoseconds > 0 && left.Before(before) && left.After(sentAt) {
			sentAt, at, ok = left, o.at, true
		}
	}
	return sentAt, at, ok
}
