package validate

import (
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestProfile(t *testing.T) {
	setsFlag0 := func(sps []byte) []byte {
		c := append([]byte(nil), sps...)
		c[2] |= 0x80
		return c
	}
	for _, c := range []struct {
		name, text string // no text: it passes
		sps, pps   []byte
	}{
		{"Constrained Baseline", "", sps360p, ppsBaseline},
		{"Main with constraint_set0_flag", "", setsFlag0(spsMain), ppsBaseline},
		{"Main", "H.264 Main profile", spsMain, ppsBaseline},
		{"High 10", "H.264 High 10 profile", spsHigh10, ppsBaseline},
		{"High 10 that claims the flag", "more than 8 bits", setsFlag0(spsHigh10), ppsBaseline},
		{"interlaced", "Interlaced video", setsFlag0(spsInterlace), ppsBaseline},
		{"FMO", "flexible macroblock ordering (FMO)", sps360p, makePPS(pps{sliceGroups: 2})},
		{"CABAC", "CABAC", sps360p, makePPS(pps{sliceGroups: 1, cabac: true})},
		{"weighted prediction", "weighted prediction", sps360p, makePPS(pps{sliceGroups: 1, weighted: true})},
		{"redundant slices", "redundant slices", sps360p, makePPS(pps{sliceGroups: 1, redundantPictures: true})},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}).WriteVideo(videoHeader(c.sps, c.pps))
			want := ingest.InvalidVideoCodec
			if c.text == "" {
				want = ""
			}
			wantRejection(t, err, want, c.text)
		})
	}
}

func TestProfileOfPictures(t *testing.T) {
	for _, c := range []struct {
		name, text string
		nalus      [][]byte
	}{
		{"ASO", "arbitrary slice order (ASO)", [][]byte{makeSlice(0x65, 400, sliceI, 0, 0), makeSlice(0x65, 0, sliceI, 0, 0)}},
		{"data partitioning", "data partitioning", [][]byte{makeSlice(0x42, 0, sliceP, 0, 0)}},
		{"SP", "switching slices", [][]byte{makeSlice(0x41, 0, sliceSP, 0, 0)}},
		{"slices in order", "", [][]byte{makeSlice(0x65, 0, sliceI, 0, 0), makeSlice(0x65, 400, sliceI, 0, 0)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
			if err := v.WriteVideo(videoHeader(sps360p, ppsBaseline)); err != nil {
				t.Fatal(err)
			}
			want := ingest.InvalidVideoCodec
			if c.text == "" {
				want = ""
			}
			wantRejection(t, v.WriteVideo(&ingest.AccessUnit{NALUs: c.nalus}), want, c.text)
		})
	}
}

// A header that cannot be read is the rule "video codec".
func TestDamagedHeaders(t *testing.T) {
	for _, c := range []struct{ sps, pps []byte }{{sps360p[:6], ppsBaseline}, {sps360p, ppsBaseline[:1]}} {
		err := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}).WriteVideo(videoHeader(c.sps, c.pps))
		wantRejection(t, err, ingest.InvalidVideoCodec, "cannot be read")
	}
}
