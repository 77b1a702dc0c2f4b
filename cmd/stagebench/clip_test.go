package main

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"github.com/stagedoor/stagedoor/internal/flv"
)

func demo(t *testing.T) *clip {
	t.Helper()
	c, err := loadClip("")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClipKnowsItsPictures(t *testing.T) {
	c := demo(t)
	if c.pictures != 240 || c.sounds != 375 || c.length != 8000 || c.repeats != 0 {
		t.Fatalf("%d pictures, %d audio frames, %d ms, %d repeats", c.pictures, c.sounds, c.length, c.repeats)
	}
	if n := c.measured(500); n != 500 {
		t.Errorf("%d of 500 pictures are measured", n)
	}
}

func TestRepeatedPicturesAreNotMeasured(t *testing.T) {
	c := demo(t)
	body := c.events[slices.IndexFunc(c.events, func(e event) bool { return e.number == 7 && e.kind == flv.Video })].body
	c.remember(9, body) // 7 and 9 are alike now
	for id, number := range c.byID {
		if number == 9 {
			delete(c.byID, id) // as picture 9 itself was replaced
		}
	}
	c.countKnown()
	if n := c.measured(240); n != 238 || c.repeats != 2 {
		t.Errorf("%d of 240 pictures are measured, %d repeats", n, c.repeats)
	}
}

// TestPicturesAreKnownFromPackets cuts every picture into packets as a server would, some
// with another importance in the header byte.
func TestPicturesAreKnownFromPackets(t *testing.T) {
	c := demo(t)
	l := newLedger(c)
	var p pictures
	var payloader codecs.H264Payloader
	seq := uint16(65500)
	sent := time.Now()
	for _, e := range c.events {
		if e.kind != flv.Video || e.number < 0 {
			continue
		}
		l.picture(e.number, sent)
		units := avcUnits(e.body[5:])
		if e.number == 0 {
			units = append(parameterSets(c.avc), units...)
		}
		var payloads [][]byte
		for _, n := range units {
			n = slices.Clone(n)
			n[0] = n[0]&0x9f | byte(e.number%4)<<5
			payloads = append(payloads, payloader.Payload(300+uint16(e.number), n)...)
		}
		complete := false
		for i, payload := range payloads {
			seq++
			complete = p.push(&rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: e.at * 90, Marker: i == len(payloads)-1}, Payload: payload})
		}
		seen, known := l.find(p.id)
		if !complete || !known || seen.count != int64(e.number) || p.idr != (e.body[0]>>4 == 1) {
			t.Fatalf("picture %d: complete %v, known %v, count %d, IDR %v", e.number, complete, known, seen.count, p.idr)
		}
	}
	if p.missing != 0 {
		t.Errorf("%d packets are said to be missing", p.missing)
	}
}

// TestSecondRound sends the first pictures again: they are new ones.
func TestSecondRound(t *testing.T) {
	c := demo(t)
	l := newLedger(c)
	for i := range c.pictures + 5 {
		l.picture(i%c.pictures, time.Now())
	}
	for id, number := range c.byID {
		want := int64(number)
		if number < 5 {
			want += int64(c.pictures)
		}
		if seen, known := l.find(id); !known || seen.count != want {
			t.Errorf("picture %d is taken for number %d", number, seen.count)
		}
	}
}

func TestEdges(t *testing.T) {
	e := edges{loud: 1000}
	pcm := make([]int16, 2*rate48k)
	pcm[2*20000] = -2000
	pcm[2*20100] = 2000 // no silence before it
	if found := e.feed(pcm, 2); found != 20000 {
		t.Errorf("the onset is found at %d", found)
	}
	if found := e.feed([]int16{3000, 0}, 2); found != 0 {
		t.Errorf("the second onset is found at %d", found)
	}
	if found := e.feed([]int16{3000, 0}, 2); found != -1 {
		t.Errorf("what goes on is found as an onset at %d", found)
	}
}
