package validate

import "testing"

func TestParsePPS(t *testing.T) {
	for name, want := range map[string]pps{
		"plain":     {sliceGroups: 1},
		"numbers":   {id: 255, spsID: 31, sliceGroups: 1},
		"CABAC":     {sliceGroups: 1, cabac: true},
		"weighted":  {sliceGroups: 1, weighted: true},
		"redundant": {sliceGroups: 1, redundantPictures: true},
		"FMO":       {sliceGroups: 8},
	} {
		if p, ok := parsePPS(makePPS(want)); !ok || p != want {
			t.Errorf("%s: %+v %v", name, p, ok)
		}
	}
	for name, c := range map[string]struct {
		hex  string // of the name in testdata/matrix.txt
		want pps
	}{
		"preset-veryfast":     {"68ce0fc8", pps{sliceGroups: 1}},
		"hrd-and-timing-sei":  {"68cb8cb2", pps{sliceGroups: 1}},
		"main-b-3-pyramid":    {"68ebe3cb20", pps{sliceGroups: 1, cabac: true, weighted: true}},
		"weighted-prediction": {"68cbc3cb20", pps{sliceGroups: 1, weighted: true}},
	} {
		if p, ok := parsePPS(unhex(c.hex)); !ok || p != c.want {
			t.Errorf("%s: %+v %v", name, p, ok)
		}
	}
	for name, b := range map[string][]byte{
		"empty": {0x68}, "cut": {0x68, 0xce}, "id 256": new(bitWriter).ue(256).ue(0).u(2, 0).ue(0).nalu(0x68),
		"SPS 32": new(bitWriter).ue(0).ue(32).u(2, 0).ue(0).nalu(0x68), "9 slice groups": makePPS(pps{sliceGroups: 9}),
	} {
		if p, ok := parsePPS(b); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzPPS(f *testing.F) {
	f.Add(ppsBaseline)
	f.Add(ppsWeighted)
	f.Add(makePPS(pps{id: 3, spsID: 2, sliceGroups: 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := parsePPS(b); ok && (p.id > 255 || p.spsID > 31 || p.sliceGroups < 1 || p.sliceGroups > 8) {
			t.Errorf("%+v", p)
		}
	})
}
