package validate

import "testing"

func TestParseSPS(t *testing.T) {
	for _, c := range []struct {
		name, hex     string // the name in testdata/matrix.txt
		width, height int
		profile       string
		baseline      bool
		reorder       uint32
		told          bool
	}{
		{"preset-veryfast", "6742c01eda0280bfe5c044000003000400000300f03c58ba80", 640, 360, "Constrained Baseline", true, 0, true},
		{"portrait-720x1280", "6742c01fda02d0286c0440000003004000000f03c60ca8", 720, 1280, "Constrained Baseline", true, 0, true},
		{"cropped-1280x718", "6742c01fda014016feb0110000030001000003003c0f1832a0", 1280, 718, "Constrained Baseline", true, 0, true},
		{"full-vui", "6742c01ed900a02ff97ff0010000fa7010101a50000003001000000303c0f162e480", 640, 360, "Constrained Baseline", true, 0, true},
		{"hrd-and-timing-sei", "6742c01ed900a02ff970110000030001000003003c604000f424001e84e4a300f8b17240", 640, 360, "Constrained Baseline", true, 0, true},
		{"main-b-3-pyramid", "674d400dec80a0cfcf8088000003000800000301e078a14cb0", 320, 180, "Main", false, 2, true},
		{"interlaced-tff", "67640015acd941433f260220000003002000000783e28532c0", 320, 180, "High", false, 2, true},
		{"high10", "676e000da6cb202833f3e022000003000200000300781e285490", 320, 180, "High 10", false, 0, true},
		{"high422", "677a000dbcb202833f1b8088000003000800000301e078a15240", 320, 180, "High 4:2:2", false, 0, true},
		{"high444", "67f4000d9196405067e370110000030001000003003c0f142a48", 320, 180, "High 4:4:4 Predictive", false, 0, true},
	} {
		s, ok := parseSPS(unhex(c.hex))
		if !ok || s.width != c.width || s.height != c.height || s.profileName() != c.profile ||
			s.baseline() != c.baseline || s.reorderFrames != c.reorder || s.reorderFramesTold != c.told {
			t.Errorf("%s: %+v %v (%s)", c.name, s, ok, s.profileName())
		}
	}
}

func TestParseSPSRefuses(t *testing.T) {
	whole := unhex("6742c01eda0280bfe5c044000003000400000300f03c58ba80")
	for n := range 9 {
		if s, ok := parseSPS(whole[:n]); ok {
			t.Errorf("%d bytes of it: %+v", n, s)
		}
	}
	if _, ok := parseSPS(whole[:14]); !ok {
		t.Error("cut in the VUI: that does not matter")
	}
	base := func() *bitWriter { return new(bitWriter).ue(0).ue(0) } // id, log2_max_frame_num
	for name, w := range map[string]*bitWriter{
		"id 32":                    new(bitWriter).ue(32).ue(0).ue(2).ue(1).u(1, 0).ue(9).ue(9).u(4, 0xc),
		"frame_num of 17 bits":     new(bitWriter).ue(0).ue(13).ue(2).ue(1).u(1, 0).ue(9).ue(9).u(4, 0xc),
		"pic_order_cnt_type 3":     base().ue(3).ue(1).u(1, 0).ue(9).ue(9).u(4, 0xc),
		"reference cycle of 256":   base().ue(1).u(1, 0).ue(0).ue(0).ue(256),
		"macroblocks beyond sense": base().ue(2).ue(1).u(1, 0).ue(0xfffffffe-1).ue(9).u(4, 0xc),
		"nothing left by cropping": base().ue(2).ue(1).u(1, 0).ue(0).ue(0).u(3, 7).ue(4).ue(4).ue(0).ue(0).u(1, 0),
		"cropping beyond 32 bits":  base().ue(2).ue(1).u(1, 0).ue(0).ue(0).u(3, 7).ue(0xfffffffe).ue(0xfffffffe).ue(0).ue(0).u(1, 0),
		"Exp-Golomb of 33 bits":    new(bitWriter).u(32, 0).u(32, 1<<31).u(1, 0).ue(0).ue(2).ue(1).u(1, 0).ue(9).ue(9).u(4, 0xc),
		"endless Exp-Golomb":       new(bitWriter).u(32, 0).u(32, 0).u(32, 0).u(32, 0),
	} {
		if s, ok := parseSPS(w.nalu(0x67, 66, 0xc0, 31)); ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestParseSPSPictureOrderCounts(t *testing.T) {
	for name, w := range map[string]*bitWriter{
		"type 0": new(bitWriter).ue(0).ue(0).ue(0).ue(4),
		"type 1": new(bitWriter).ue(0).ue(0).ue(1).u(1, 0).ue(3).ue(4).ue(2).ue(7).ue(8),
		"type 2": new(bitWriter).ue(0).ue(0).ue(2),
	} {
		s, ok := parseSPS(w.ue(1).u(1, 1).ue(39).ue(22).u(2, 3).u(2, 0).nalu(0x67, 66, 0, 31))
		if !ok || s.width != 640 || s.height != 368 || !s.frameNumGaps || s.profileName() != "Baseline" {
			t.Errorf("%s: %+v %v", name, s, ok)
		}
	}
}

func FuzzSPS(f *testing.F) {
	f.Add(sps360p)
	f.Add(spsHigh10)
	f.Add(spsInterlace)
	f.Add(makeSPS(1280, 718))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := parseSPS(b)
		if ok && (s.width <= 0 || s.height <= 0 || s.id > 31 || s.frameNumBits < 4 || s.frameNumBits > 16) {
			t.Errorf("%+v", s)
		}
		_ = s.profileName()
	})
}
