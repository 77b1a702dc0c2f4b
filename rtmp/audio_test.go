package rtmp

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestAudioAAC(t *testing.T) {
	tests := []struct {
		what           string
		config         []byte
		rate, channels int
	}{
		{"48 kHz stereo", []byte{0x11, 0x90}, 48000, 2},
		{"44.1 kHz mono (OBS)", []byte{0x12, 0x08}, 44100, 1},
		{"with backward compatible extension (ffmpeg)", []byte{0x11, 0x90, 0x56, 0xe5, 0x00}, 48000, 2},
		{"5.1", []byte{0x11, 0xb0}, 48000, 6},
		{"7.1", []byte{0x11, 0xb8}, 48000, 8},
		{"channels in a program config element", []byte{0x11, 0x80}, 48000, 0},
		{"explicit rate", []byte{0x17, 0x80, 0x5d, 0xc0, 0x10}, 48000, 2},
		{"unreadable", []byte{0xff}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			a := &audioReader{clock: &clock{}}
			header := append([]byte{0xaf, 0}, test.config...)
			frames, err := a.read(0, header)
			if err != nil || len(frames) != 1 {
				t.Fatal(frames, err)
			}
			c := frames[0].Codec
			if c.Name != ingest.AAC || c.SampleRate != test.rate || c.Channels != test.channels ||
				!bytes.Equal(c.Config, test.config) || frames[0].Data != nil {
				t.Errorf("%+v", c)
			}
			frames, err = a.read(1000, []byte{0xaf, 1, 0x21})
			if err != nil || len(frames) != 1 || frames[0].Codec != c || frames[0].PTS != 0 || !bytes.Equal(frames[0].Data, []byte{0x21}) {
				t.Errorf("%+v, %v", frames, err)
			}
			if frames, err = a.read(0, header); err != nil || len(frames) != 0 {
				t.Errorf("a repeated header gave %+v, %v", frames, err)
			}
			frames, err = a.read(1021, []byte{0xaf, 1, 0x22})
			if err != nil || len(frames) != 1 || frames[0].Codec != c || frames[0].PTS != 21*time.Millisecond {
				t.Errorf("%+v, %v", frames, err)
			}
			frames, err = a.read(0, []byte{0xaf, 0, 0x13, 0x10})
			if err != nil || len(frames) != 1 || frames[0].Codec == c || frames[0].PTS != 21*time.Millisecond {
				t.Errorf("a new header gave %+v, %v", frames, err)
			}
		})
	}
}

// TestAudioOtherCodecs: validate refuses them, by the name that they get here.
func TestAudioOtherCodecs(t *testing.T) {
	tests := []struct {
		name ingest.AudioCodecName
		body []byte
	}{
		{ingest.MP3, []byte{0x2f, 1}},
		{ingest.MP3, []byte{0xee, 1}},
		{ingest.PCM, []byte{0x3e, 1}},
		{ingest.ADPCM, []byte{0x1e, 1}},
		{ingest.Nellymoser, []byte{0x6e, 1}},
		{ingest.G711, []byte{0x7e, 1}},
		{ingest.Speex, []byte{0xb2, 1}},
		{ingest.Opus, []byte{0xdf, 1}},
		{"FLV sound format 15", []byte{0xff, 1}},
		{ingest.Opus, []byte("\x91Opus\x01")},
		{ingest.AC3, []byte("\x91ac-3\x01")},
		{ingest.EAC3, []byte("\x91ec-3\x01")},
		{ingest.FLAC, []byte("\x91fLaC\x01")},
		{ingest.MP3, []byte("\x91.mp3\x01")},
		{`codec "ab\x00c"`, []byte("\x91ab\x00c\x01")},
	}
	for _, test := range tests {
		a := &audioReader{clock: &clock{}}
		frames, err := a.read(5, test.body)
		if err != nil || len(frames) != 2 || frames[0].Codec.Name != test.name || frames[0].Data != nil ||
			frames[1].Codec != frames[0].Codec || len(frames[1].Data) != 1 {
			t.Errorf("%x: %+v, %v", test.body, frames, err)
			continue
		}
		if again, err := a.read(6, test.body); err != nil || len(again) != 1 || again[0].Codec != frames[0].Codec {
			t.Errorf("%x again: %+v, %v", test.body, again, err)
		}
	}
}

func TestAudioEnhancedAAC(t *testing.T) {
	a := &audioReader{clock: &clock{}}
	frames, err := a.read(0, []byte("\x90mp4a\x11\x90"))
	if err != nil || len(frames) != 1 || frames[0].Codec.Name != ingest.AAC || frames[0].Codec.SampleRate != 48000 {
		t.Fatalf("%+v, %v", frames, err)
	}
	if frames, err = a.read(0, []byte("\x97\x00\x01\x01mp4a\x21")); err != nil || len(frames) != 1 || !bytes.Equal(frames[0].Data, []byte{0x21}) {
		t.Errorf("behind ModEx: %+v, %v", frames, err)
	}
	_, err = a.read(0, []byte("\x95\x01mp4a"))
	var r *ingest.Rejection
	if !errors.As(err, &r) || r.Code != ingest.InvalidAudioCodec || !strings.Contains(r.Detail, "Multitrack") {
		t.Error(err)
	}
}

func TestAudioDamaged(t *testing.T) {
	damaged := [][]byte{nil, {0xaf}, {0xaf, 0}, {0xaf, 1, 0x21}, {0x91}, []byte("\x91Opu"), {0x97}, append([]byte{0xaf, 0}, make([]byte, maxAudioConfig+1)...)}
	for _, body := range damaged {
		a := &audioReader{clock: &clock{}}
		if frames, err := a.read(0, body); err != nil || len(frames) != 0 || a.damaged != 1 {
			t.Errorf("%x: %+v, %v, damaged %d", body, frames, err, a.damaged)
		}
	}
	for _, body := range [][]byte{{0xaf, 1}, {0xaf, 2}} { // nothing wrong, nothing in it
		a := &audioReader{clock: &clock{}}
		if frames, err := a.read(0, body); err != nil || len(frames) != 0 || a.damaged != 0 {
			t.Errorf("%x: %+v, %v, damaged %d", body, frames, err, a.damaged)
		}
	}
	a := &audioReader{clock: &clock{}}
	for range hopeless - 1 {
		if _, err := a.read(0, []byte{0xaf, 1, 0x21}); err != nil {
			t.Fatal("too early:", err)
		}
	}
	_, err := a.read(0, []byte{0xaf, 1, 0x21})
	var r *ingest.Rejection
	if !errors.As(err, &r) || r.Code != ingest.InvalidInput || !strings.Contains(r.Detail, "sequence header") {
		t.Error(err)
	}
}
