package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func setsOf(t testing.TB, nalus ...[]byte) *parameterSets {
	sets := new(parameterSets)
	for _, n := range nalus {
		if n[0]&0x1f == naluSPS {
			s, ok := parseSPS(n)
			if !ok {
				t.Fatal("SPS")
			}
			sets.sps[s.id] = s
			continue
		}
		p, ok := parsePPS(n)
		if !ok {
			t.Fatal("PPS")
		}
		sets.pps[p.id] = p
	}
	return sets
}

func TestReadPicture(t *testing.T) {
	sets := setsOf(t, makeSPS(640, 360), ppsBaseline)
	recovery := unhex("0605012a06018480")
	for _, c := range []struct {
		name  string
		nalus [][]byte
		want  picture
	}{
		{"IDR of x264", [][]byte{sps360p, ppsBaseline, idrSlice}, picture{slices: 1, idr: true, intra: true, reference: true, kinds: [5]bool{sliceI: true}}},
		{"P", [][]byte{makeSlice(0x41, 0, sliceP, 5, 0)}, picture{slices: 1, frameNum: 5, reference: true, kinds: [5]bool{sliceP: true}}},
		{"slice_type 5 to 9", [][]byte{makeSlice(0x41, 0, sliceB+5, 5, 0)}, picture{slices: 1, frameNum: 5, reference: true, kinds: [5]bool{sliceB: true}}},
		{"no reference", [][]byte{makeSlice(0x01, 0, sliceP, 7, 0)}, picture{slices: 1, frameNum: 7, kinds: [5]bool{sliceP: true}}},
		{"slices in order", [][]byte{makeSlice(0x41, 0, sliceP, 1, 0), makeSlice(0x41, 400, sliceI, 1, 0)}, picture{slices: 2, frameNum: 1, reference: true, kinds: [5]bool{sliceP: true, sliceI: true}}},
		{"slices out of order", [][]byte{makeSlice(0x41, 400, sliceP, 1, 0), makeSlice(0x41, 0, sliceP, 1, 0)}, picture{slices: 2, frameNum: 1, reference: true, arbitraryOrder: true, kinds: [5]bool{sliceP: true}}},
		{"recovery point behind other SEI", [][]byte{recovery, makeSlice(0x41, 0, sliceP, 1, 0)}, picture{slices: 1, frameNum: 1, reference: true, recovery: true, kinds: [5]bool{sliceP: true}}},
		{"data partitioning", [][]byte{makeSlice(0x42, 0, sliceP, 1, 0), {0x43, 0x80}}, picture{slices: 1, frameNum: 1, reference: true, partitioned: true, kinds: [5]bool{sliceP: true}}},
		{"damaged", [][]byte{{0x41}, {}, {0x06}, {0x06, 0xff}}, picture{slices: 1, intra: true, damaged: true}},
	} {
		got := readPicture(&ingest.AccessUnit{NALUs: c.nalus}, sets)
		got.bytes = 0
		if got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

// FuzzSlice reads any bytes as one access unit of up to three NAL units.
func FuzzSlice(f *testing.F) {
	f.Add(idrSlice, pSlice, []byte{0x09, 0x10})
	f.Add(makeSlice(0x41, 77, sliceB, 3, 40), []byte{}, unhex("0605022a2a06018480"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		sets := setsOf(t, makeSPS(640, 360), ppsBaseline)
		au := &ingest.AccessUnit{NALUs: [][]byte{a, b, c}}
		p := readPicture(au, sets)
		if (p.slices > 0) != hasSlice(au) || p.ppsID > 255 || p.frameNum > 15 {
			t.Errorf("%+v", p)
		}
	})
}

// FuzzValidator sends any bytes through every rule.
func FuzzValidator(f *testing.F) {
	f.Add(sps360p, ppsBaseline, idrSlice, aacLC48.Config, int64(0))
	f.Add(spsMainB, ppsWeighted, pSlice, unhex("1188"), int64(-1<<62))
	f.Fuzz(func(t *testing.T, sps, pps, slice, config []byte, at int64) {
		v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules(), Collect: true})
		codec := &ingest.AudioCodec{Name: ingest.AAC, SampleRate: 48000, Channels: 2, Config: config}
		for i := range int64(3) {
			au := &ingest.AccessUnit{PTS: time.Duration(at * i), NALUs: [][]byte{sps, pps, slice}}
			if err := v.WriteVideo(au); err != nil {
				t.Fatal(err)
			}
			if err := v.WriteAudio(&ingest.AudioFrame{PTS: time.Duration(-at * i), Codec: codec, Data: slice}); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range v.Report() {
			if len(r.Detail()) > maxDetail {
				t.Errorf("%d characters: %s", len(r.Detail()), r.Detail())
			}
		}
	})
}
