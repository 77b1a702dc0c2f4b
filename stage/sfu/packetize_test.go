package sfu

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
)

// depacketize puts the payloads together again with somebody else's code.
func depacketize(t testing.TB, data []byte, ends []int) []byte {
	t.Helper()
	var h264 codecs.H264Packet
	var out []byte
	u := &unit{data: data, ends: ends}
	for i := range ends {
		if len(u.payload(i)) > maxPayload {
			t.Fatalf("payload %d has %d bytes", i, len(u.payload(i)))
		}
		b, err := h264.Unmarshal(u.payload(i))
		if err != nil {
			t.Fatalf("payload %d: %v", i, err)
		}
		out = append(out, b...)
	}
	return out
}

func annexB(nalus [][]byte) []byte {
	var out []byte
	for _, n := range nalus {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

func nalu(header byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7)
	}
	b[0] = header
	return b
}

func TestPacketize(t *testing.T) {
	sps, pps, sei := nalu(0x67, 20), nalu(0x68, 4), nalu(0x06, 30)
	for name, c := range map[string]struct {
		nalus, want [][]byte
		packets     int
		slice, idr  bool
	}{
		"nothing":                  {nil, nil, 0, false, false},
		"sequence header only":     {[][]byte{sps, pps}, [][]byte{sps, pps}, 1, false, false},
		"small slice":              {[][]byte{nalu(0x41, 100)}, [][]byte{nalu(0x41, 100)}, 1, true, false},
		"one byte":                 {[][]byte{{0x41}}, [][]byte{{0x41}}, 1, true, false},
		"as large as fits":         {[][]byte{nalu(0x41, maxPayload)}, [][]byte{nalu(0x41, maxPayload)}, 1, true, false},
		"one too large":            {[][]byte{nalu(0x41, maxPayload+1)}, [][]byte{nalu(0x41, maxPayload+1)}, 2, true, false},
		"IDR with its sets":        {[][]byte{sps, pps, sei, nalu(0x65, 5000)}, [][]byte{sps, pps, sei, nalu(0x65, 5000)}, 6, true, true},
		"several slices together":  {[][]byte{nalu(0x41, 500), nalu(0x41, 500)}, [][]byte{nalu(0x41, 500), nalu(0x41, 500)}, 1, true, false},
		"slices too large for one": {[][]byte{nalu(0x41, 800), nalu(0x41, 800)}, [][]byte{nalu(0x41, 800), nalu(0x41, 800)}, 2, true, false},
		"small after large":        {[][]byte{nalu(0x41, 3000), sei}, [][]byte{nalu(0x41, 3000), sei}, 4, true, false},
		"what has no place in RTP": {[][]byte{{0x09, 0xf0}, {}, nalu(0x0c, 50), nalu(0x78, 50), nalu(0x7c, 50), {0x00}, nalu(0x41, 50)},
			[][]byte{nalu(0x41, 50)}, 1, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			data, ends, slice, idr := packetize(c.nalus)
			if got := depacketize(t, data, ends); !bytes.Equal(got, annexB(c.want)) {
				t.Errorf("the NAL units came out changed")
			}
			if len(ends) != c.packets || slice != c.slice || idr != c.idr {
				t.Errorf("got %d packets, slice %v, idr %v; want %d, %v, %v", len(ends), slice, idr, c.packets, c.slice, c.idr)
			}
		})
	}
}

func TestFragmentsAreEven(t *testing.T) {
	_, ends, _, _ := packetize([][]byte{nalu(0x41, 10*maxPayload)})
	first := ends[0]
	for i := 1; i < len(ends)-1; i++ {
		if ends[i]-ends[i-1] != first {
			t.Errorf("fragment %d has %d bytes, the first %d", i, ends[i]-ends[i-1], first)
		}
	}
	if last := ends[len(ends)-1] - ends[len(ends)-2]; first-last > len(ends) {
		t.Errorf("the last fragment has %d bytes, the first %d", last, first)
	}
}

func TestSTAPAHeader(t *testing.T) {
	data, _, _, _ := packetize([][]byte{{0x27, 1}, {0x48, 2}})
	if data[0] != 0x58 { // NRI 2 of the second over 1 of the first
		t.Errorf("the header is %#x", data[0])
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		k    kind
		d    time.Duration
		want uint32
	}{
		{video, time.Second, 90000}, {audio, time.Second, 48000}, {audio, 20 * time.Millisecond, 960},
		{video, 24 * time.Hour, 7776000000 & 0xffffffff}, {video, 100 * 24 * time.Hour, 777600000000 & 0xffffffff},
		{video, -time.Second, 0xffffffff - 90000 + 1},
	} {
		if got := c.k.ticks(c.d); got != c.want {
			t.Errorf("%v of kind %d: got %d, want %d", c.d, c.k, got, c.want)
		}
	}
}

func FuzzPacketize(f *testing.F) {
	f.Add([]byte{0x67, 1, 2, 3}, []byte{0x65, 1, 2, 3}, 3000)
	f.Add([]byte{}, []byte{0x7c, 0xff}, 0)
	f.Fuzz(func(t *testing.T, a, b []byte, more int) {
		big := append([]byte{0x41}, make([]byte, max(0, more%100000))...)
		nalus := [][]byte{a, b, big}
		var want [][]byte
		for _, n := range nalus {
			if len(n) > 0 && n[0]&0x80 == 0 && n[0]&0x1f != 0 && n[0]&0x1f != naluDelimiter && n[0]&0x1f != naluFiller && n[0]&0x1f < naluSTAPA {
				want = append(want, n)
			}
		}
		data, ends, _, _ := packetize(nalus)
		u := &unit{data: data, ends: ends}
		for i := range ends {
			if n := len(u.payload(i)); n == 0 || n > maxPayload {
				t.Fatalf("payload %d has %d bytes", i, n)
			}
		}
		// pion's depacketiser does not take one-byte payloads, nor NAL units shorter than two.
		for _, n := range want {
			if len(n) < 2 {
				return
			}
		}
		if got := depacketize(t, data, ends); !bytes.Equal(got, annexB(want)) {
			t.Fatal("the NAL units came out changed")
		}
	})
}
