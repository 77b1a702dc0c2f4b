package rtmp

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

var (
	otherSPS  = append([]byte{0x67, 0x42, 0xc0, 0x1f}, testSPS[4:]...) // level 3.1, same id
	secondSPS = []byte{0x67, 0x42, 0xc0, 0x1e, 0x5b, 0x10}             // id 1
	otherPPS  = []byte{0x68, 0xce, 0x3c, 0x80}                         // id 0
	secondPPS = []byte{0x68, 0x5a, 0x83, 0xcb}                         // id 1
	testSEI   = []byte{0x06, 0x05, 0x01, 0xaa, 0x80}
	testAUD   = []byte{0x09, 0xf0}
)

func newVideoReader() *videoReader { return &videoReader{clock: &clock{}, avc: newAVCStream()} }

// enhanced makes the body of an E-RTMP video message.
func enhanced(kind byte, fourCC string, body ...byte) []byte {
	return append(append([]byte{0x80 | 0x10 | kind}, fourCC...), body...)
}

type videoStep struct {
	timestamp uint32
	body      []byte
	want      [][]byte // nil: no access unit
	pts       time.Duration
}

func TestVideo(t *testing.T) {
	const ms = time.Millisecond
	hd := [][]byte{testSPS, testPPS}
	idr := [][]byte{testSPS, testPPS, testIDR}
	tests := []struct {
		name  string
		steps []videoStep
	}{
		{"sequence header, IDR, P", []videoStep{
			{0, testHeader, hd, 0},
			{17_000_000, avcPicture(4, testIDR), idr, 0},
			{17_000_033, avcPicture(4, testP), [][]byte{testP}, 33 * ms},
		}},
		{"composition time", []videoStep{
			{0, testHeader, hd, 0},
			{0, append([]byte{0x17, 1, 0, 0, 40}, avcPicture(4, testIDR)[5:]...), idr, 40 * ms},
			{20, append([]byte{0x27, 1, 0xff, 0xff, 0xf6}, avcPicture(4, testP)[5:]...), [][]byte{testP}, 10 * ms},
		}},
		{"lengths of 1 byte", []videoStep{
			{0, avcHeader(1, testSPS, testPPS), hd, 0},
			{0, avcPicture(1, testIDR, testP), [][]byte{testSPS, testPPS, testIDR, testP}, 0},
		}},
		{"lengths of 2 bytes", []videoStep{
			{0, avcHeader(2, testSPS, testPPS), hd, 0},
			{0, avcPicture(2, testIDR), idr, 0},
		}},
		{"lengths of 3 bytes", []videoStep{
			{0, avcHeader(3, testSPS, testPPS), hd, 0},
			{0, avcPicture(3, testIDR), idr, 0},
		}},
		{"several parameter sets", []videoStep{
			{0, slices.Concat(testHeader[:10], []byte{0xe2, 0, byte(len(testSPS))}, testSPS, []byte{0, byte(len(secondSPS))}, secondSPS,
				[]byte{2, 0, byte(len(testPPS))}, testPPS, []byte{0, byte(len(secondPPS))}, secondPPS), [][]byte{testSPS, secondSPS, testPPS, secondPPS}, 0},
			{0, avcPicture(4, testIDR), [][]byte{testSPS, secondSPS, testPPS, secondPPS, testIDR}, 0},
		}},
		{"what follows the parameter sets of high profile", []videoStep{
			{0, append(slices.Clone(testHeader), 0xfd, 0xf8, 0xf8, 0), hd, 0},
		}},
		{"delimiters go, SEI stays, unknown types go", []videoStep{
			{0, testHeader, hd, 0},
			{0, avcPicture(4, testAUD, testSEI, testIDR), [][]byte{testSPS, testPPS, testSEI, testIDR}, 0},
			{1, avcPicture(4, testAUD, testSEI, []byte{0x18, 1}, []byte{0x1c, 1}, []byte{0}, nil, testP), [][]byte{testSEI, testP}, ms},
		}},
		{"in-band parameter sets come first and are not doubled", []videoStep{
			{0, testHeader, hd, 0},
			{0, avcPicture(4, testAUD, testSEI, testSPS, testPPS, testIDR), [][]byte{testSPS, testPPS, testSEI, testIDR}, 0},
		}},
		{"in-band parameter sets replace those of the header", []videoStep{
			{0, testHeader, hd, 0},
			{0, avcPicture(4, otherSPS, otherPPS, testIDR), [][]byte{otherSPS, otherPPS, testIDR}, 0},
			{1, avcPicture(4, testIDR), [][]byte{otherSPS, otherPPS, testIDR}, ms},
		}},
		{"in-band PPS with a P picture stays with it and counts from then on", []videoStep{
			{0, testHeader, hd, 0},
			{0, avcPicture(4, otherPPS, testP), [][]byte{otherPPS, testP}, 0},
			{1, avcPicture(4, testIDR), [][]byte{testSPS, otherPPS, testIDR}, ms},
		}},
		{"no sequence header, parameter sets in band", []videoStep{
			{0, avcPicture(4, testSPS, testPPS, testIDR), idr, 0},
			{1, avcPicture(4, testIDR), idr, ms},
		}},
		{"wrong sequence header, parameter sets in band", []videoStep{
			{0, []byte{0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xff, 0xe1, 0, 200, 1}, nil, 0},
			{0, avcPicture(4, testSPS, testPPS, testIDR), idr, 0},
		}},
		{"sequence header without parameter sets", []videoStep{
			{0, []byte{0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xff, 0xe0, 0}, nil, 0},
			{0, avcPicture(4, testSPS, testPPS, testIDR), idr, 0},
		}},
		{"parameter sets in a message of their own", []videoStep{
			{0, avcPicture(4, testSPS, testPPS), hd, 0},
			{1, avcPicture(4, testIDR), idr, ms},
		}},
		{"repeated sequence header", []videoStep{
			{0, testHeader, hd, 0},
			{0, testHeader, nil, 0},
		}},
		{"resolution change", []videoStep{
			{0, testHeader, hd, 0},
			{1000, avcPicture(4, testIDR), idr, 0},
			{2000, avcPicture(4, testP), [][]byte{testP}, 1000 * ms},
			{0, avcHeader(2, otherSPS, otherPPS), [][]byte{otherSPS, otherPPS}, 1000 * ms},
			{2033, avcPicture(2, testIDR), [][]byte{otherSPS, otherPPS, testIDR}, 1033 * ms},
		}},
		{"damaged pictures are left out", []videoStep{
			{0, testHeader, hd, 0},
			{0, avcPicture(4, testIDR), idr, 0},
			{1, append(avcPicture(4, testP), 0, 0, 0, 9, 0x41), nil, 0},      // a length beyond the end
			{2, append(avcPicture(4, testP), 0, 0), nil, 0},                  // a length that is cut off
			{3, []byte{0x27, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1}, nil, 0}, // a negative one, so to speak
			{4, avcPicture(4, []byte{0xc1, 1}), nil, 0},                      // forbidden_zero_bit
			{5, []byte{0x27, 1, 0, 0, 0}, nil, 0},
			{6, []byte{0x27, 1}, nil, 0},
			{7, nil, nil, 0},
			{8, avcPicture(4, testP), [][]byte{testP}, 8 * ms},
		}},
		{"nothing to show", []videoStep{
			{0, avcPicture(4, testSEI), nil, 0},
			{0, avcPicture(4, testAUD), nil, 0},
			{0, []byte{0x17, 2, 0, 0, 0}, nil, 0}, // end of sequence
			{0, []byte{0x57, 0}, nil, 0},          // seek command
			{0, []byte{0xd1, 0}, nil, 0},          // the same, enhanced
		}},
		{"enhanced avc1", []videoStep{
			{0, enhanced(0, "avc1", testHeader[5:]...), hd, 0},
			{0, enhanced(1, "avc1", append([]byte{0, 0, 7}, avcPicture(4, testIDR)[5:]...)...), idr, 7 * ms},
			{33, enhanced(3, "avc1", avcPicture(4, testP)[5:]...), [][]byte{testP}, 33 * ms},
			{33, enhanced(2, "avc1"), nil, 0},
			{33, enhanced(4, "avc1", 2, 0, 1, 'x'), nil, 0},
			{66, append([]byte{0x97, 2, 1, 2, 3, 0x03}, append([]byte("avc1"), avcPicture(4, testP)[5:]...)...), [][]byte{testP}, 66 * ms}, // ModEx
		}},
		{"enhanced and cut off", []videoStep{
			{0, []byte{0x91}, nil, 0},
			{0, []byte{0x91, 'a', 'v', 'c'}, nil, 0},
			{0, []byte{0x91, 'a', 'v', 'c', '1', 0, 0}, nil, 0},
			{0, []byte{0x97}, nil, 0},
			{0, []byte{0x97, 5, 1}, nil, 0},
			{0, []byte{0x97, 255, 1}, nil, 0},
			{0, []byte{0x97, 255, 0xff, 0xff, 1}, nil, 0},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := newVideoReader()
			for i, step := range test.steps {
				unit, err := v.read(step.timestamp, bytes.Clone(step.body))
				switch {
				case err != nil:
					t.Fatalf("step %d: %v", i, err)
				case step.want == nil && unit != nil:
					t.Errorf("step %d: a unit %x", i, unit.NALUs)
				case step.want != nil && unit == nil:
					t.Errorf("step %d: no unit", i)
				case unit != nil && (unit.PTS != step.pts || !slices.EqualFunc(unit.NALUs, step.want, bytes.Equal)):
					t.Errorf("step %d: %x at %v, want %x at %v", i, unit.NALUs, unit.PTS, step.want, step.pts)
				}
			}
		})
	}
}

// TestVideoLost: what may have been a picture is told with the next one.
func TestVideoLost(t *testing.T) {
	damaged := []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 9}
	for name, c := range map[string]struct {
		between [][]byte
		want    int
	}{
		"nothing":              {nil, 0},
		"two pictures":         {[][]byte{damaged, damaged}, 2},
		"a message cut off":    {[][]byte{{0x27, 1}}, 1},
		"a sequence header":    {[][]byte{{0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xff, 0xe1, 0, 200, 1}}, 0},
		"a picture of nothing": {[][]byte{avcPicture(4, testAUD)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVideoReader()
			_, _ = v.read(0, testHeader)
			_, _ = v.read(0, avcPicture(4, testIDR))
			for _, body := range c.between {
				if unit, err := v.read(1, body); unit != nil || err != nil {
					t.Fatal(unit, err)
				}
			}
			for _, want := range []int{c.want, 0} {
				unit, err := v.read(2, avcPicture(4, testP))
				if err != nil {
					t.Fatal(err)
				}
				if unit.Lost != want {
					t.Errorf("%d lost, want %d", unit.Lost, want)
				}
			}
		})
	}
}

// TestVideoUnitsStay: units that were given out do not change with what comes later.
func TestVideoUnitsStay(t *testing.T) {
	v := newVideoReader()
	header, _ := v.read(0, testHeader)
	first, _ := v.read(0, avcPicture(4, testIDR))
	_, _ = v.read(1, avcPicture(4, otherSPS, secondSPS, otherPPS, testIDR))
	_, _ = v.read(1, avcHeader(4, secondSPS, secondPPS))
	if !slices.EqualFunc(header.NALUs, [][]byte{testSPS, testPPS}, bytes.Equal) ||
		!slices.EqualFunc(first.NALUs, [][]byte{testSPS, testPPS, testIDR}, bytes.Equal) {
		t.Errorf("%x, %x", header.NALUs, first.NALUs)
	}
}

// TestVideoBounds: no message makes the reader hold more than it may.
func TestVideoBounds(t *testing.T) {
	v := newVideoReader()
	if unit, _ := v.read(0, avcPicture(1, slices.Repeat([][]byte{testP[:1]}, maxMediaUnitNALU+1)...)); unit != nil {
		t.Error("lengths of one byte read as four made a picture")
	}
	if unit, _ := v.read(0, avcPicture(4, slices.Repeat([][]byte{testP}, maxMediaUnitNALU+1)...)); unit != nil {
		t.Error("a picture of too many NAL units")
	}
	if unit, _ := v.read(0, avcPicture(4, slices.Repeat([][]byte{testP}, maxMediaUnitNALU)...)); unit == nil {
		t.Error("a picture of many NAL units was left out")
	}
	for i := range 1000 {
		pps := append([]byte{0x68, 0x80}, make([]byte, 500)...)
		pps[1], pps[2] = byte(i>>4), byte(i<<4)
		_, _ = v.read(0, avcPicture(4, pps, testP))
	}
	size := 0
	for _, set := range v.avc.header() {
		size += len(set)
	}
	if size > maxParameterSets || size != v.avc.size || size < maxParameterSets/4 {
		t.Errorf("parameter sets of %d bytes, counted %d", size, v.avc.size)
	}
}

func TestVideoRefusals(t *testing.T) {
	tests := map[string][]byte{
		"HEVC (H.265)":    {0x1c, 0, 0, 0, 0},
		"AV1":             {0x1d, 0, 0, 0, 0},
		"Sorenson H.263":  {0x22, 1},
		"VP6":             {0x14, 1},
		"Screen Video":    {0x13},
		"codec 10":        {0x1a},
		"is HEVC":         enhanced(0, "hvc1", 1),
		"is AV1":          enhanced(0, "av01", 1),
		"is VP9":          enhanced(1, "vp09", 1),
		"is VP8":          enhanced(1, "vp08", 1),
		"VVC":             enhanced(1, "vvc1", 1),
		`"a\x00\xffz"`:    enhanced(1, "a\x00\xffz"),
		"Multitrack":      {0x96, 0x00, 'a', 'v', 'c', '1'},
		"video is HEVC (": {0x97, 0, 1, 0x00, 'h', 'v', 'c', '1'}, // behind ModEx
	}
	for want, body := range tests {
		_, err := newVideoReader().read(0, body)
		var r *ingest.Rejection
		if !errors.As(err, &r) || r.Code != ingest.InvalidVideoCodec {
			t.Errorf("%x: %v", body, err)
			continue
		}
		for _, part := range []string{want, "stages take", "OBS: ", "ffmpeg: "} {
			if !strings.Contains(r.Detail, part) {
				t.Errorf("%x: %q lacks %q", body, r.Detail, part)
			}
		}
	}
}

// TestVideoHopeless: damage is told to who never sent anything else, and to nobody else.
func TestVideoHopeless(t *testing.T) {
	v := newVideoReader()
	damaged := []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 9}
	for range hopeless - 1 {
		if _, err := v.read(0, damaged); err != nil {
			t.Fatal("too early:", err)
		}
	}
	_, err := v.read(0, damaged)
	var r *ingest.Rejection
	if !errors.As(err, &r) || r.Code != ingest.InvalidInput || !strings.Contains(r.Detail, "damaged") {
		t.Error(err)
	}
	v = newVideoReader()
	_, _ = v.read(0, avcPicture(4, testP))
	for range 2 * hopeless {
		if _, err := v.read(0, damaged); err != nil {
			t.Fatal(err)
		}
	}
}
