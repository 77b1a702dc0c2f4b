package validate

import (
	"math"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestHealth(t *testing.T) {
	var told []ingest.Health
	e := newEncoder()
	e.idrEvery = 120
	_, err := e.judged(Options{Health: func(h ingest.Health) { told = append(told, h) }}, 10500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(told) < 9 || len(told) > 11 {
		t.Fatalf("told %d times in 10.5 s", len(told))
	}
	h := told[len(told)-1]
	if math.Abs(float64(h.VideoBitrate)-2000*8*30) > 20000 || math.Abs(float64(h.AudioBitrate)-340*8*46.9) > 4000 || math.Abs(h.FrameRate-30) > 1 {
		t.Errorf("%d and %d bits per second, %v fps", h.VideoBitrate, h.AudioBitrate, h.FrameRate)
	}
	h.At, h.WarningAt = h.At.Round(time.Second), h.WarningAt.Round(time.Second)
	h.IDRInterval = h.IDRInterval.Round(time.Millisecond)
	h.VideoBitrate, h.AudioBitrate, h.FrameRate = 0, 0, 0
	want := ingest.Health{
		At: 10 * time.Second, IDRInterval: 4 * time.Second, Width: 640, Height: 360,
		Profile: "Constrained Baseline", AudioFormat: "AAC-LC 48 kHz stereo",
		Warning:   "Keyframes (IDR) 4 s apart: viewers wait for the picture; stages need one every 1 s to 2 s. " + keyframesChange,
		WarningAt: 4 * time.Second,
	}
	if h != want {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
}

// writeAfter writes a picture before which some are missing by its frame_num, and some were
// dropped as the door says.
func writeAfter(t *testing.T, v *Validator, e *encoder, missing uint32, dropped int) {
	t.Helper()
	e.frameNum += missing
	au := e.picture()
	au.Lost = dropped
	if err := v.WriteVideo(au); err != nil {
		t.Error(err)
	}
}

func TestHealthCountsLosses(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*testing.T, *Validator, *encoder)
		want int
	}{
		{"nothing", func(*testing.T, *Validator, *encoder) {}, 0},
		{"three pictures", func(_ *testing.T, _ *Validator, e *encoder) { e.frameNum += 3 }, 3},
		{"a damaged slice", func(t *testing.T, v *Validator, e *encoder) {
			if err := v.WriteVideo(&ingest.AccessUnit{PTS: e.videoAt, NALUs: [][]byte{{0x41}}}); err != nil {
				t.Error(err)
			}
		}, 1},
		{"dropped by the door", func(t *testing.T, v *Validator, e *encoder) { writeAfter(t, v, e, 0, 4) }, 4},
		{"dropped by the door, which shows", func(t *testing.T, v *Validator, e *encoder) { writeAfter(t, v, e, 3, 3) }, 3},
		{"dropped by the door, and more on the way", func(t *testing.T, v *Validator, e *encoder) { writeAfter(t, v, e, 3, 1) }, 3},
		{"dropped by the door before a header", func(t *testing.T, v *Validator, e *encoder) {
			header := videoHeader(e.sps, ppsBaseline)
			header.PTS, header.Lost = e.videoAt, 2
			if err := v.WriteVideo(header); err != nil {
				t.Error(err)
			}
		}, 2},
		{"two audio frames", func(_ *testing.T, _ *Validator, e *encoder) { e.audioAt += 2 * 1024 * time.Second / 48000 }, 2},
		{"pictures that are no reference", func(t *testing.T, v *Validator, e *encoder) {
			for n := range 4 {
				au := &ingest.AccessUnit{PTS: e.videoAt, NALUs: [][]byte{makeSlice(0x01, 0, sliceP, e.frameNum+1, 50)}}
				if err := v.WriteVideo(au); err != nil {
					t.Error(n, err)
				}
			}
		}, 0},
		{"a picture behind one that is no reference", func(t *testing.T, v *Validator, e *encoder) {
			au := &ingest.AccessUnit{PTS: e.videoAt, NALUs: [][]byte{makeSlice(0x01, 0, sliceP, e.frameNum+1, 50)}}
			if err := v.WriteVideo(au); err != nil {
				t.Error(err)
			}
			e.frameNum++
		}, 1},
		{"frame_num begins anew", func(_ *testing.T, _ *Validator, e *encoder) { e.frameNum += 11 }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEncoder()
			v, err := e.judged(Options{}, 1500*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			c.do(t, v, e)
			if err := e.run(v, 3*time.Second); err != nil {
				t.Fatal(err)
			}
			if got := v.health.health.LostFrames; got != c.want {
				t.Errorf("%d lost, want %d", got, c.want)
			}
		})
	}
}
