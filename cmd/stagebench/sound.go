package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"time"

	aac "github.com/tphakala/go-aac/pcm"
	"github.com/tphakala/go-opus/opus"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
)

// The sound's way through a server cannot be followed by its bytes, as they are transcoded.
// What survives is where it suddenly becomes loud. A clip with beeps shows the sound's
// latency and its place against the pictures.

// onset is a place in a clip where it becomes loud.
type onset struct {
	at    time.Duration // since the round's begin
	sound int           // the audio frame that brings it
}

const (
	rate48k = 48000
	quiet   = rate48k / 5 // samples without a loud one that must precede an onset
)

// edges finds onsets in PCM.
type edges struct {
	loud    int16 // a sample so far from zero is loud
	silence int   // samples since the last loud one
}

// feed takes interleaved samples and gives the index of the first onset's frame, or -1.
func (e *edges) feed(pcm []int16, channels int) int {
	found := -1
	for i := 0; i < len(pcm); i += channels {
		if pcm[i] < e.loud && pcm[i] > -e.loud {
			e.silence++
			continue
		}
		if e.silence >= quiet && found < 0 {
			found = i / channels
		}
		e.silence = 0
	}
	return found
}

// aacOnsets decodes the clip's sound and gives its onsets, and how loud they are at least.
// Two rounds are decoded, so that the second follows the first as it does on the air.
func aacOnsets(c *clip) ([]onset, int16, error) {
	var stream []byte
	var at []uint32
	for range 2 {
		at = at[:0]
		for _, e := range c.events {
			if e.kind == flv.Audio && !e.once {
				stream = binary.BigEndian.AppendUint16(stream, uint16(len(e.body)-2))
				stream = append(stream, e.body[2:]...)
				at = append(at, e.at)
			}
		}
	}
	d, err := aac.NewDecoder(bytes.NewReader(stream), aac.WithRawStream(c.aac))
	if err != nil {
		return nil, 0, errors.Wrap(err, "open AAC")
	}
	info := d.Info()
	raw, err := io.ReadAll(d)
	if err != nil {
		return nil, 0, errors.Wrap(err, "decode AAC")
	}
	pcm := make([]int16, len(raw)/2)
	peak := 0
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		peak = max(peak, int(pcm[i]), -int(pcm[i]))
	}
	const frame = 1024
	e := edges{loud: int16(peak / 2)}
	var onsets []onset
	for i := range 2 * len(at) {
		start, end := i*frame*info.Channels, (i+1)*frame*info.Channels
		if end > len(pcm) {
			break
		}
		if offset := e.feed(pcm[start:end], info.Channels); offset >= 0 && i >= len(at) {
			n := i - len(at)
			onsets = append(onsets, onset{sound: n, at: time.Duration(at[n])*time.Millisecond + time.Duration(offset)*time.Second/time.Duration(info.SampleRate)})
		}
	}
	return onsets, e.loud, nil
}

// ear listens to one viewer's Opus.
type ear struct {
	decoder *opus.Decoder
	pcm     []int16
	edges   edges
}

func newEar(loud int16) (*ear, error) {
	d, err := opus.NewDecoder(rate48k, 2)
	if err != nil {
		return nil, errors.Wrap(err, "open Opus decoder")
	}
	return &ear{decoder: d, pcm: make([]int16, 2*5760), edges: edges{loud: loud}}, nil
}

// hear takes a packet and gives where in it an onset is, in samples at 48 kHz, or -1.
func (e *ear) hear(packet []byte) int {
	n, err := e.decoder.Decode(packet, e.pcm)
	if err != nil {
		return -1
	}
	return e.edges.feed(e.pcm[:2*n], 2)
}
