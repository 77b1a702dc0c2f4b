package validate

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestResolution(t *testing.T) {
	const large, small = ingest.ResolutionExceeded, ingest.InvalidInput
	for _, c := range []struct {
		width, height int
		want          ingest.Code
	}{
		{1280, 720, ""}, {720, 1280, ""}, {1280, 718, ""}, {854, 480, ""}, {284, 160, ""}, {160, 284, ""},
		{160, 160, ""}, {720, 720, ""}, {1280, 160, ""},
		{1920, 1080, large}, {1080, 1920, large}, {1282, 720, large}, {1280, 722, large}, {722, 1280, large},
		{800, 800, large}, {2000, 100, large},
		{214, 120, small}, {158, 280, small}, {640, 158, small},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.width, c.height), func(t *testing.T) {
			v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
			err := v.WriteVideo(videoHeader(makeSPS(c.width, c.height), ppsBaseline))
			wantRejection(t, err, c.want, fmt.Sprintf("%dx%d video; stages take 160p to 720p, at most 1280x720 or 720x1280", c.width, c.height))
		})
	}
}

func TestResolutionChangesOnStage(t *testing.T) {
	for _, c := range []struct {
		name string
		au   *ingest.AccessUnit
	}{
		{"by a new sequence header", videoHeader(makeSPS(1920, 1080), ppsBaseline)},
		{"in-band", &ingest.AccessUnit{NALUs: [][]byte{makeSPS(1920, 1080), ppsBaseline, makeSlice(0x65, 0, sliceI, 0, 0)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := new(recorder)
			v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
			e := newEncoder()
			if err := e.headers(v); err != nil {
				t.Fatal(err)
			}
			e.sps = makeSPS(1280, 720)
			if err := v.WriteVideo(videoHeader(e.sps, ppsBaseline)); err != nil {
				t.Errorf("720p: %v", err)
			}
			before := len(next.video)
			wantRejection(t, v.WriteVideo(c.au), ingest.ResolutionExceeded, "1920x1080")
			if len(next.video) != before {
				t.Error("the refused unit was passed on")
			}
		})
	}
}

// A browser that lowers its resolution is told, and stays.
func TestResolutionLoweredOverWHIP(t *testing.T) {
	var told warnings
	e := newEncoder()
	e.codec, e.sps = opusStereo, makeSPS(214, 120)
	_, err := e.judged(Options{Protocol: ingest.WHIP}, time.Second)
	wantRejection(t, err, ingest.InvalidInput, "214x120")

	e.sps, e.n = makeSPS(640, 360), 0
	v, err := e.judged(Options{Protocol: ingest.WHIP, Warn: told.add}, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	e.sps = makeSPS(214, 120)
	if err := e.run(v, 6*time.Second); err != nil {
		t.Error(err)
	}
	if len(told) != 1 || told[0].Rule != Resolution || told[0].Code != "" {
		t.Errorf("told: %s", told)
	}
}
