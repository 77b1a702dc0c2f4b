package whip

import (
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// The largest picture that a stage takes, either way up (guide, media limits). It decides
// between layers only; that a stream keeps to it is for package validate to say.
const (
	maxShortSide = 720
	maxLongSide  = 1280
)

// layerTimeout is after how long without a picture a layer counts as switched off.
const layerTimeout = 2 * time.Second

// size is a picture's, in pixels after cropping.
type size struct{ width, height int }

func (s size) pixels() int { return s.width * s.height }

func (s size) allowed() bool {
	return min(s.width, s.height) <= maxShortSide && max(s.width, s.height) <= maxLongSide
}

// sizeOf reads it from an SPS; it is zero where that cannot be read.
func sizeOf(sps []byte) size {
	var parsed h264.SPS
	if err := parsed.Unmarshal(sps); err != nil {
		return size{}
	}
	return size{parsed.Width(), parsed.Height()}
}

// best gives the simulcast layer that should be on stage: the largest that is allowed, or
// else the smallest, so that the refusal speaks of the least that the publisher can do.
// Layers that are switched off or not known yet do not count; nil if there is none.
func best(layers []*layer, now time.Time) *layer {
	var found *layer
	for _, l := range layers {
		if l.size == (size{}) || now.Sub(l.lastPicture) > layerTimeout {
			continue
		}
		if found == nil || better(l.size, found.size) {
			found = l
		}
	}
	return found
}

func better(a, b size) bool {
	if a.allowed() != b.allowed() {
		return a.allowed()
	}
	return (a.pixels() > b.pixels()) == a.allowed() && a.pixels() != b.pixels()
}
