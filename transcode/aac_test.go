package transcode

import (
	"bytes"
	"slices"
	"testing"

	aac "github.com/tphakala/go-aac/pcm"
)

func TestDecoderAgreesWithFFmpeg(t *testing.T) {
	for _, name := range []string{"stereo44100", "stereo48000", "mono44100"} {
		t.Run(name, func(t *testing.T) {
			c := loadClip(t, name)
			d, f, err := newDecoder(c.codec.Config)
			if err != nil {
				t.Fatal(err)
			}
			if f.rate != c.codec.SampleRate || f.channels != c.codec.Channels {
				t.Fatalf("format %+v, want %+v", f, c.codec)
			}
			got := decodeAll(t, d, c.units)
			if len(got) != len(c.pcm) {
				t.Fatalf("%d samples, want %d", len(got), len(c.pcm))
			}
			if db := snr(c.pcm, got); db < 70 {
				t.Errorf("SNR against ffmpeg %.1f dB, want 70", db)
			}
		})
	}
}

func decodeAll(t *testing.T, d decoder, units [][]byte) (out []int16) {
	t.Helper()
	for i, u := range units {
		pcm, err := d.decode(u)
		if err != nil {
			t.Fatalf("unit %d: %v", i, err)
		}
		out = append(out, pcm...)
	}
	return out
}

// A damaged access unit costs itself and one more, and no other.
func TestDecoderRecovers(t *testing.T) {
	c := loadClip(t, "stereo44100")
	for name, bad := range map[string][]byte{
		"empty":     {},
		"garbage":   bytes.Repeat([]byte{0xa5}, 300),
		"truncated": c.units[8][:20],
		"too long":  append(slices.Clone(c.units[8]), make([]byte, maxUnitBytes+1)...), // its length's low 16 bits are good
	} {
		t.Run(name, func(t *testing.T) {
			d, _, err := newDecoder(c.codec.Config)
			if err != nil {
				t.Fatal(err)
			}
			decodeAll(t, d, c.units[:8])
			for range 3 {
				if _, err := d.decode(bad); err == nil {
					t.Fatal("decoded")
				}
			}
			decodeAll(t, d, c.units[9:10])
			got := decodeAll(t, d, c.units[10:])
			// Bands that AAC replaces by noise (PNS) have other noise than before; hence not 70.
			if db := snr(c.pcm[10*2*unitSamples:], got); db < 35 {
				t.Errorf("SNR from the second unit after the damage on: %.1f dB, want 35", db)
			}
		})
	}
}

func TestDecoderSurvivesPanic(t *testing.T) {
	c := loadClip(t, "mono44100")
	d, _, err := newDecoder(c.codec.Config)
	if err != nil {
		t.Fatal(err)
	}
	d.(*aacDecoder).dec = new(aac.Decoder) // panics when it is read from
	if _, err := d.decode(c.units[0]); err == nil {
		t.Fatal("no error")
	}
	if got := decodeAll(t, d, c.units); snr(c.pcm, got) < 70 {
		t.Error("does not decode after a panic")
	}
}

func TestDecoderConfigs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config []byte
		want   format // zero: refused
	}{
		{"LC 44.1 stereo", []byte{0x12, 0x10}, format{44100, 2}},
		{"LC 48 mono", []byte{0x11, 0x88}, format{48000, 1}},
		{"as by ffmpeg", []byte{0x11, 0x90, 0x56, 0xe5, 0x00}, format{48000, 2}},
		{"zero padding", []byte{0x11, 0x90, 0, 0}, format{48000, 2}},
		{"HE-AAC", []byte{0x2b, 0x92, 0x08, 0x00}, format{}},
		{"HE-AAC v2", []byte{0xeb, 0x8a, 0x08, 0x00}, format{}},
		{"SBR extension", []byte{0x13, 0x10, 0x56, 0xe5, 0x9d, 0x48, 0x80}, format{}},
		{"5.1", []byte{0x11, 0xb0}, format{}},
		{"program config element", []byte{0x11, 0x80}, format{}},
		{"960-sample frames", []byte{0x11, 0x94}, format{}},
		{"Main", []byte{0x09, 0x90}, format{}},
		{"short", []byte{0x11}, format{}},
		{"empty", nil, format{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, f, err := newDecoder(slices.Clone(tt.config))
			if (err != nil) != (tt.want == format{}) || f != tt.want {
				t.Errorf("format %+v, error %v; want %+v", f, err, tt.want)
			}
		})
	}
}
