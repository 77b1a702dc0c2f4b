package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestKeyframes(t *testing.T) {
	for _, c := range []struct {
		name   string
		every  int // pictures, at 30 fps
		want   ingest.Code
		warned string
	}{
		{"1 s", 30, "", ""}, {"2 s", 60, "", ""}, {"2.2 s", 66, "", ""},
		{"4 s", 120, "", "4 s apart"}, {"8.3 s, ffmpeg's default", 250, "", "8.3 s apart"},
		{"0.5 s", 15, "", "0.5 s apart"}, {"every picture", 1, "", "0 s apart"},
		{"never", 0, ingest.InvalidInput, ""}, {"11 s", 330, ingest.InvalidInput, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told warnings
			e := newEncoder()
			e.idrEvery = c.every
			_, err := e.judged(Options{Warn: told.add}, 20*time.Second)
			wantRejection(t, err, c.want, "No keyframe (IDR) for 10 s; stages need one every 1 s to 2 s. OBS: Output, Keyframe Interval 2 s")
			if (len(told) == 1) != (c.warned != "") || len(told) > 1 {
				t.Errorf("told: %s", told)
			}
		})
	}
}

// What encoders do instead is named.
func TestKeyframesMissing(t *testing.T) {
	recovery := unhex("06" + "06" + "01" + "c4" + "80")
	for _, c := range []struct {
		name, text string
		nalus      func(n int) [][]byte
	}{
		{"intra refresh", "but intra refresh; stages need", func(n int) [][]byte {
			au := [][]byte{makeSlice(0x41, 0, sliceP, uint32(n), 100)}
			if n%30 == 0 {
				au = append([][]byte{recovery}, au...)
			}
			return au
		}},
		{"open GOP", "only I-frames that are none (open GOP); stages need", func(n int) [][]byte {
			if n%30 == 0 {
				return [][]byte{recovery, makeSlice(0x41, 0, sliceI, uint32(n), 100)}
			}
			return [][]byte{makeSlice(0x41, 0, sliceP, uint32(n), 100)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := new(recorder)
			v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
			e := newEncoder()
			if err := e.headers(v); err != nil {
				t.Fatal(err)
			}
			e.noVideo = true
			var err error
			for n := 0; n < 400 && err == nil; n++ {
				pts := time.Duration(n) * time.Second / 30
				if err = e.run(v, pts); err == nil {
					err = v.WriteVideo(&ingest.AccessUnit{PTS: pts, NALUs: c.nalus(n)})
				}
			}
			wantRejection(t, err, ingest.InvalidInput, c.text)
			if len(next.video) != 1 {
				t.Errorf("%d video units were passed on, of which none is an IDR picture", len(next.video)-1)
			}
		})
	}
}

func TestKeyframesAskedOverWHIP(t *testing.T) {
	play := func(answer bool) (asked int, told warnings, err error) {
		e := newEncoder()
		e.codec, e.idrEvery = opusStereo, 0
		v := New(nil, Options{
			Protocol: ingest.WHIP, Rules: DefaultRules(), Warn: told.add,
			RequestKeyframe: func() {
				asked++
				if answer {
					e.n = 0
				}
			},
		})
		return asked, told, e.run(v, 20*time.Second)
	}
	asked, told, err := play(true)
	if err != nil || asked < 9 || asked > 12 || len(told) > 0 {
		t.Errorf("answered: asked %d times, %v, told: %s", asked, err, told)
	}
	asked, _, err = play(false)
	wantRejection(t, err, ingest.InvalidInput, "No keyframe (IDR) for 10 s")
	if asked < 8 || asked > 10 {
		t.Errorf("not answered: asked %d times in 10 s", asked)
	}
	e := newEncoder()
	e.codec, e.idrEvery = opusStereo, 0
	if err := e.run(New(nil, Options{Protocol: ingest.WHIP, Rules: DefaultRules()}), 20*time.Second); err != nil {
		t.Errorf("cannot be asked: %v", err)
	}
}

// A publisher whose first IDR picture was lost is asked at once.
func TestKeyframesAskedAtTheBeginning(t *testing.T) {
	asked := 0
	v := New(nil, Options{Protocol: ingest.WHIP, Rules: DefaultRules(), RequestKeyframe: func() { asked++ }})
	e := newEncoder()
	e.n = 1
	for range 10 {
		if err := v.WriteVideo(e.picture()); err != nil {
			t.Fatal(err)
		}
		e.videoAt += 33 * time.Millisecond
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
