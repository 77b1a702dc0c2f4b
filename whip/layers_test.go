package whip

import (
	"testing"
	"time"
)

func TestBestLayer(t *testing.T) {
	now := time.Unix(1000, 0)
	fresh, stale := now.Add(-time.Second), now.Add(-3*time.Second)
	at := func(w, h int, seen time.Time) *layer { return &layer{size: size{w, h}, lastPicture: seen} }
	for name, c := range map[string]struct {
		layers []*layer
		want   int // index; -1: none
	}{
		"none":                   {nil, -1},
		"not known yet":          {[]*layer{at(0, 0, fresh)}, -1},
		"the largest":            {[]*layer{at(320, 180, fresh), at(1280, 720, fresh), at(640, 360, fresh)}, 1},
		"the largest allowed":    {[]*layer{at(1920, 1080, fresh), at(960, 540, fresh), at(480, 270, fresh)}, 1},
		"upright":                {[]*layer{at(720, 1280, fresh), at(360, 640, fresh)}, 0},
		"none allowed":           {[]*layer{at(3840, 2160, fresh), at(1920, 1080, fresh)}, 1},
		"switched off":           {[]*layer{at(1280, 720, stale), at(640, 360, fresh)}, 1},
		"all of them off":        {[]*layer{at(1280, 720, stale)}, -1},
		"the first among equals": {[]*layer{at(640, 360, fresh), at(640, 360, fresh)}, 0},
	} {
		got := best(c.layers, now)
		var want *layer
		if c.want >= 0 {
			want = c.layers[c.want]
		}
		if got != want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestSizeOf(t *testing.T) {
	if got := sizeOf(demoClip()[0].nalus[0]); got != (size{1280, 720}) {
		t.Errorf("the clip is %v", got)
	}
	for _, sps := range []string{"\x67", "\x67\x42", "\x67\xff\xff\xff\xff"} {
		if got := sizeOf([]byte(sps)); got != (size{}) {
			t.Errorf("%x is %v", sps, got)
		}
	}
}
