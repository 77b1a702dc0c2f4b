package validate

import (
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestBFramesBySliceType(t *testing.T) {
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	write := func(nalus ...[]byte) error { return v.WriteVideo(&ingest.AccessUnit{NALUs: nalus}) }
	for _, err := range []error{
		write(sps360p, ppsBaseline),
		write(sps360p, ppsBaseline, makeSlice(0x65, 0, sliceI, 0, 0)),
		write(makeSlice(0x41, 0, sliceP, 1, 0)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// The B slice hides behind a P slice of the same picture, as slice_type 6.
	err := write(makeSlice(0x01, 0, sliceP, 2, 0), makeSlice(0x01, 400, sliceB+5, 2, 0))
	wantRejection(t, err, ingest.BFramePresent, "B-frames in the video (slice type B in picture 3); stages need 0. "+
		"OBS: x264 options bframes=0, or Max B-frames 0. ffmpeg: -bf 0")
}

func TestBFramesAnnounced(t *testing.T) {
	header := videoHeader(spsMainB, ppsBaseline)
	err := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}).WriteVideo(header)
	wantRejection(t, err, ingest.BFramePresent, "max_num_reorder_frames 2")
	wantRejection(t, err, ingest.BFramePresent, "Also: H.264 Main profile; stages take")

	// Where the profile may pass, the slices decide.
	rules := DefaultRules()
	rules.Modes[Profile] = ModeWarn
	if err := New(nil, Options{Protocol: ingest.RTMP, Rules: rules}).WriteVideo(header); err != nil {
		t.Error(err)
	}
	// Without the rule, the profile is the fault.
	rules = DefaultRules()
	rules.Modes[BFrames] = ModeOff
	err = New(nil, Options{Protocol: ingest.RTMP, Rules: rules}).WriteVideo(header)
	wantRejection(t, err, ingest.InvalidVideoCodec, "H.264 Main profile")
	// In Baseline the announcement counts for nothing.
	baseline := append([]byte(nil), spsMainB...)
	baseline[2] |= 0x80
	if err := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}).WriteVideo(videoHeader(baseline, ppsBaseline)); err != nil {
		t.Error(err)
	}
}
