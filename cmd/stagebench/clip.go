package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/testdata"
)

// clip is what the publishers send, over and over: an FLV file of H.264 and AAC.
type clip struct {
	events   []event  // in sending order
	length   uint32   // of one round, in milliseconds
	pictures int      // in one round
	times    []uint32 // of the pictures, in milliseconds since the round's begin
	sounds   int      // audio frames in one round
	byID     map[pictureID]int
	repeats  int     // pictures that look like another one, and are therefore not measured
	known    []int64 // how many of the round's pictures before each number are measured
	onsets   []onset
	loud     int16  // what onsets are measured against
	aac      []byte // AudioSpecificConfig
	avc      []byte // AVCDecoderConfigurationRecord
}

// event is one message of a round.
type event struct {
	kind   byte   // an FLV tag type
	at     uint32 // milliseconds since the round's begin
	body   []byte // of the FLV tag; of an Opus packet on its way to WHIP
	once   bool   // sent in the first round only: metadata and sequence headers
	number int    // which picture or audio frame of the round; -1: none
}

// loadClip reads a file, or the clip of "stagedoor demo" where the name is empty.
func loadClip(name string) (*clip, error) {
	data := []byte(testdata.DemoFLV)
	if name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			return nil, errors.Wrap(err, "--clip")
		}
	}
	c, err := parseClip(data)
	return c, errors.WithMessage(err, "--clip")
}

func parseClip(data []byte) (*clip, error) {
	r, err := flv.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := &clip{byID: make(map[pictureID]int)}
	var first, last uint32
	for {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errors.Wrap(err, "read FLV")
		}
		e := event{kind: tag.Type, at: tag.Timestamp, body: bytes.Clone(tag.Data), number: -1, once: true}
		switch {
		case len(e.body) < 2:
			continue
		case e.kind == flv.Video && e.body[0]&0x0f == 7 && e.body[1] == 0 && len(e.body) > 5:
			c.avc = e.body[5:]
		case e.kind == flv.Video && e.body[0]&0x0f == 7 && e.body[1] == 1:
			if c.pictures == 0 {
				first = e.at
			}
			last = e.at
			e.number, e.once = c.pictures, false
			c.pictures++
			c.times = append(c.times, e.at)
			c.remember(e.number, e.body)
		case e.kind == flv.Video:
			continue // such as an end of sequence, which is no end here
		case e.kind == flv.Audio && e.body[0]>>4 == 10 && e.body[1] == 0:
			c.aac = e.body[2:]
		case e.kind == flv.Audio && e.body[0]>>4 == 10:
			e.number, e.once = c.sounds, false
			c.sounds++
		case e.kind == flv.Audio:
			return nil, errors.New("the sound must be AAC")
		}
		c.events = append(c.events, e)
	}
	if c.pictures < 2 || c.avc == nil {
		return nil, errors.New("it must have H.264 video of at least two pictures")
	}
	c.length = uint32((uint64(last-first)*uint64(c.pictures) + uint64(c.pictures-1)/2) / uint64(c.pictures-1))
	c.countKnown()
	if c.aac != nil {
		if c.onsets, c.loud, err = aacOnsets(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// remember notes how to know a picture again. One that looks like another one cannot be told
// from it, and neither is measured.
func (c *clip) remember(number int, body []byte) {
	var id pictureID
	for _, n := range avcUnits(body[5:]) {
		if isSlice(n[0] & 0x1f) {
			id.add(n[1:])
		}
	}
	other, taken := c.byID[id]
	if !taken {
		c.byID[id] = number
		return
	}
	if other >= 0 {
		c.repeats++
	}
	c.repeats++
	c.byID[id] = -1
}

func (c *clip) countKnown() {
	measured := make([]int64, c.pictures)
	for _, number := range c.byID {
		if number >= 0 {
			measured[number] = 1
		}
	}
	c.known = make([]int64, c.pictures+1)
	for i, n := range measured {
		c.known[i+1] = c.known[i] + n
	}
}

// measured gives how many of the first pictures that a publisher sends can be known again.
func (c *clip) measured(first int64) int64 {
	round := int64(c.pictures)
	return first/round*c.known[round] + c.known[first%round]
}

// avcUnits splits length-prefixed NAL units (ISO/IEC 14496-15, 5.3; lengths of four bytes, as
// every encoder here writes them).
func avcUnits(b []byte) (units [][]byte) {
	for len(b) > 4 {
		n := binary.BigEndian.Uint32(b)
		if n == 0 || uint64(n) > uint64(len(b)-4) {
			return units
		}
		units = append(units, b[4:4+n])
		b = b[4+n:]
	}
	return units
}

// bitrate gives the video's in bits per second.
func (c *clip) bitrate() int {
	sum := 0
	for _, e := range c.events {
		if e.kind == flv.Video && !e.once {
			sum += len(e.body)
		}
	}
	return int(int64(sum) * 8000 / int64(c.length))
}
