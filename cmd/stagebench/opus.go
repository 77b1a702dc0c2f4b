package main

import (
	"slices"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/transcode"
)

// withOpus gives the same clip with its sound as Opus, which is what WHIP takes. Three rounds
// are encoded and the second is kept, so that the end fits the beginning.
func (c *clip) withOpus() (*clip, error) {
	if c.aac == nil {
		return c, nil
	}
	packets := &collector{}
	encoder := transcode.New(packets, transcode.Options{})
	codec := &ingest.AudioCodec{Name: ingest.AAC, SampleRate: c.soundRate(), Channels: 2, Config: c.aac}
	for round := range 3 {
		for _, e := range c.events {
			if e.kind != flv.Audio || e.once {
				continue
			}
			at := time.Duration(uint32(round)*c.length+e.at) * time.Millisecond
			if err := encoder.WriteAudio(&ingest.AudioFrame{PTS: at, Codec: codec, Data: e.body[2:]}); err != nil {
				return nil, errors.WithMessage(err, "encode the clip's sound")
			}
		}
	}
	out := *c
	out.events = slices.DeleteFunc(slices.Clone(c.events), func(e event) bool { return e.kind != flv.Video })
	out.sounds, out.onsets = 0, nil
	listener, err := newEar(c.loud)
	if err != nil {
		return nil, err
	}
	length := time.Duration(c.length) * time.Millisecond
	for _, f := range packets.frames {
		offset := listener.hear(f.Data)
		if f.PTS < length || f.PTS >= 2*length {
			continue
		}
		at := f.PTS - length
		if offset >= 0 {
			out.onsets = append(out.onsets, onset{at: at + time.Duration(offset)*time.Second/rate48k, sound: out.sounds})
		}
		out.events = append(out.events, event{kind: flv.Audio, at: uint32(at / time.Millisecond), body: f.Data, number: out.sounds})
		out.sounds++
	}
	slices.SortStableFunc(out.events, func(a, b event) int { return int(a.at) - int(b.at) })
	return &out, nil
}

// soundRate gives the sample rate of the AudioSpecificConfig in Hz (ISO/IEC 14496-3, 1.6.2.1).
func (c *clip) soundRate() int {
	rates := []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	if index := int(c.aac[0]&7<<1 | c.aac[1]>>7); index < len(rates) {
		return rates[index]
	}
	return rate48k
}

// collector is the end of the encoder.
type collector struct{ frames []ingest.AudioFrame }

func (c *collector) WriteVideo(*ingest.AccessUnit) error { return nil }
func (c *collector) Close(error) error                   { return nil }
func (c *collector) WriteAudio(f *ingest.AudioFrame) error {
	if len(f.Data) > 0 {
		c.frames = append(c.frames, *f)
	}
	return nil
}
