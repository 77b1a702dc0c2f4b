package whip

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// show writes units as text: their NAL units in hexadecimal.
func show(units []unit) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, "[")
		for i, n := range u.nalus {
			if i > 0 {
				b.WriteString(" ")
			}
			fmt.Fprintf(&b, "%x", n)
		}
		b.WriteString("]")
	}
	return b.String()
}

func TestDepacketize(t *testing.T) {
	// Each packet: "ts payload", with M for the marker and L for a gap before it.
	for name, c := range map[string]struct{ packets, units string }{
		"single":                        {"1M 0901; 2M 6501; 3M 4102", "[0901][6501][4102]"},
		"several NAL units":             {"1 67aa; 1 68bb; 1M 6501", "[67aa 68bb 6501]"},
		"STAP-A":                        {"1 78 0002 67aa 0002 68bb; 1M 6501", "[67aa 68bb 6501]"},
		"STAP-A alone":                  {"1M 78 0002 67aa 0003 680102", "[67aa 680102]"},
		"FU-A":                          {"1 67aa; 1 7c8501; 1 7c0502; 1M 7c4503", "[67aa 65010203]"},
		"FU-A that is whole":            {"1 67aa; 1M 7cc501", "[67aa 6501]"},
		"no marker":                     {"1 67aa; 1 6501; 2 4102; 3 4103", "[67aa 6501][4102]"},
		"padding":                       {"1 67aa; 1; 1M 6501; 1; 2M 4102", "[67aa 6501][4102]"},
		"nothing but padding":           {"1M; 2M; 3M", ""},
		"start in the middle":           {"1M 4101; 2M 4102", "[4102]"},
		"start in a fragment":           {"1M 7c4501; 2M 4102", "[4102]"},
		"gap in a picture":              {"1M 67aa; 2 4101; 2ML 4102; 3M 4103", "[67aa][4103]"},
		"gap between pictures":          {"1M 67aa; 2ML 4101; 3M 4102", "[67aa][4102]"},
		"gap before an SPS":             {"1M 67aa; 2L 67bb; 2M 6501; 3M 4102", "[67aa][67bb 6501][4102]"},
		"gap before an IDR without SPS": {"1M 67aa; 2ML 6501; 3M 4102", "[67aa][4102]"},
		"gap before padding":            {"1M 67aa; 2L; 2M 4101; 3M 4102", "[67aa][4102]"},
		"gap, same timestamp":           {"1 67aa; 1ML 6501; 2M 4102", "[4102]"},
		"gap over the marker":           {"1 67aa; 2L 4101; 2M 4102; 3M 4103", "[4103]"},
		"end of FU-A missing":           {"1M 67aa; 2 7c8101; 2M 4102; 3M 4103", "[67aa][4103]"},
		"start of FU-A missing":         {"1M 67aa; 2 7c0101; 2M 7c4102; 3M 4103", "[67aa][4103]"},
		"FU-A starts twice":             {"1M 67aa; 2 7c8101; 2M 7c8102; 3M 4103", "[67aa][4103]"},
		"FU-A starts anew":              {"1M 67aa; 2 7c8101; 2M 7cc102; 3M 4103", "[67aa][4103]"},
		"FU-A goes on with another":     {"1M 67aa; 2 4101; 2M 7c4102; 3M 4103", "[67aa][4103]"},
		"FU-A never ends":               {"1M 67aa; 2M 7c8101; 3M 4103", "[67aa][4103]"},
		"FU-A too short":                {"1M 67aa; 2M 7c81; 3M 4103", "[67aa][4103]"},
		"FU-A of a FU-A":                {"1M 67aa; 2M 7cdc01; 3M 4103", "[67aa][4103]"},
		"STAP-A cut off":                {"1M 67aa; 2M 78 0003 41aa; 3M 4103", "[67aa][4103]"},
		"STAP-A with half a size":       {"1M 67aa; 2M 78 0001 41 00; 3M 4103", "[67aa][4103]"},
		"STAP-A with an empty NAL unit": {"1M 67aa; 2M 78 0000; 3M 4103", "[67aa][4103]"},
		"STAP-A in a STAP-A":            {"1M 67aa; 2M 78 0001 78; 3M 4103", "[67aa][4103]"},
		"interleaved":                   {"1M 67aa; 2M 79 0000 0001 41; 3M 4103", "[67aa][4103]"},
		"type 0":                        {"1M 67aa; 2M 00; 3M 4103", "[67aa][4103]"},
		"forbidden bit":                 {"1M 67aa; 2M e101; 3M 4103", "[67aa][4103]"},
		"timestamp 0 after a wrap":      {"4294967295M 67aa; 0M 4101", "[67aa][4101]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := depacketizer{unsure: true}
			var units []unit
			for _, text := range strings.Split(c.packets, ";") {
				p, lost := readPacket(t, text)
				if name == "single" || name == "several NAL units" {
					p.arrival = time.Unix(int64(p.ts), 0)
				}
				done, _ := d.push(p, lost)
				units = append(units, done...)
			}
			if got := show(units); got != c.units {
				t.Errorf("got %s, want %s", got, c.units)
			}
		})
	}
}

// Packets are written as for TestDepacketize.
func TestDroppedUnitsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		packets string
		want    int
	}{
		"nothing":                         {"1M 67aa; 2M 4101; 3M 4102", 0},
		"start in the middle":             {"1M 4101; 2M 4102", 1},
		"malformed":                       {"1M 67aa; 2M 00; 3M 4103", 1},
		"middle of a picture":             {"1M 67aa; 2 4101; 2ML 4102; 3M 4103", 1},
		"middle, with more to come":       {"1M 67aa; 2 4101; 2L 4102; 2 4103; 2M 4104; 3M 4105", 1},
		"beginning of a picture":          {"1M 67aa; 2L 4102; 2M 4103; 3M 4104", 1},
		"end of a picture":                {"1M 67aa; 2 4101; 3ML 67bb; 4M 4102", 1},
		"end of one, beginning of next":   {"1M 67aa; 2 4101; 3L 4102; 3M 4103; 4M 4104", 2},
		"a whole picture before an SPS":   {"1M 67aa; 3L 67bb; 3M 6501; 4M 4102", 1},
		"two gaps in a picture":           {"1M 67aa; 2 4101; 2L 4102; 2L 4103; 2M 4104; 3M 4105", 1},
		"two pictures":                    {"1M 67aa; 2 4101; 2ML 4102; 3ML 4103; 4M 4104", 2},
		"gap, and then another after it":  {"1M 67aa; 2ML 4101; 3M 4102; 4ML 4103; 5M 4104", 2},
		"fragment without an end, no gap": {"1M 67aa; 2M 7c8101; 3M 4103", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := depacketizer{unsure: true}
			for _, text := range strings.Split(c.packets, ";") {
				d.push(readPacket(t, text))
			}
			if d.dropped != c.want {
				t.Errorf("%d dropped, want %d", d.dropped, c.want)
			}
		})
	}
}

func readPacket(t *testing.T, text string) (p *packet, lost bool) {
	t.Helper()
	head, payload, _ := strings.Cut(strings.TrimSpace(text), " ")
	p = new(packet)
	p.marker, lost = strings.Contains(head, "M"), strings.Contains(head, "L")
	if _, err := fmt.Sscanf(strings.TrimRight(head, "ML"), "%d", &p.ts); err != nil {
		t.Fatal(text, err)
	}
	if payload = strings.ReplaceAll(payload, " ", ""); payload != "" {
		if _, err := fmt.Sscanf(payload, "%x", &p.payload); err != nil {
			t.Fatal(text, err)
		}
	}
	return p, lost
}

func TestUnitsAreBounded(t *testing.T) {
	d := depacketizer{}
	big := make([]byte, 60000)
	big[0] = 0x41
	for range maxUnitBytes/len(big) + 10 {
		if units, _ := d.push(&packet{ts: 1, payload: big}, false); len(units) > 0 {
			t.Fatal("a unit came out")
		}
	}
	if len(d.data) > maxUnitBytes {
		t.Errorf("%d bytes are kept", len(d.data))
	}
	if units, ok := d.push(&packet{ts: 1, marker: true, payload: big}, false); ok || len(units) > 0 {
		t.Error("the unit that is too large is not dropped")
	}
	for range 2 * maxUnitNALUs {
		d.push(&packet{ts: 2, payload: []byte{0x41}}, false)
	}
	if len(d.starts) > maxUnitNALUs {
		t.Errorf("%d NAL units are kept", len(d.starts))
	}
}

// FuzzDepacketize: any payloads in any order give whole units or none.
func FuzzDepacketize(f *testing.F) {
	for _, p := range demoClip()[:2] {
		var stream []byte
		for _, payload := range rtpPayloads(p.nalus, 200) {
			stream = append(stream, 0, byte(len(payload)))
			stream = append(stream, payload...)
		}
		f.Add(stream)
	}
	f.Add([]byte{0x80, 3, 0x7c, 0x85, 1, 0x40, 5, 0x78, 0, 2, 0x67, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := depacketizer{unsure: true}
		l := newLayer("", 1, true, nil)
		for ts := uint32(0); len(stream) >= 2; {
			flags, size := stream[0], min(int(stream[1]), len(stream)-2)
			if flags&1 != 0 {
				ts++
			}
			p := &packet{ts: ts, marker: flags&0x80 != 0, payload: stream[2 : 2+size]}
			stream = stream[2+size:]
			units, _ := d.push(p, flags&0x40 != 0)
			for _, u := range units {
				checkUnit(t, l, u)
			}
		}
	})
}

func checkUnit(t *testing.T, l *layer, u unit) {
	t.Helper()
	if len(u.nalus) == 0 {
		t.Fatal("an empty unit")
	}
	for _, n := range u.nalus {
		if len(n) == 0 || naluType(n) == 0 || naluType(n) >= naluSTAPA {
			t.Fatalf("a NAL unit %x", n)
		}
	}
	waiting := l.waiting
	au, idr := l.picture(u)
	if au == nil {
		return
	}
	var sps, pps, slice bool
	for _, n := range au.NALUs {
		sps = sps || naluType(n) == naluSPS
		pps = pps || naluType(n) == naluPPS
		if tp := naluType(n); tp >= naluSlice && tp <= naluIDR {
			slice = true
		}
	}
	if idr && (!sps || !pps) {
		t.Fatal("an IDR without its parameter sets")
	}
	if slice && !idr && waiting {
		t.Fatal("a picture that refers to what is missing")
	}
}

func TestParameterSetsPrecedeEveryIDR(t *testing.T) {
	const sps, sps2, pps0, pps1 = "\x67\x42\x00\x1e", "\x67\x42\x00\x1f", "\x68\xce\x01", "\x68\x42\x01" // ids 0 and 1
	for name, c := range map[string]struct {
		offered string
		units   []string // NAL units separated by |
		want    []string // "" for none
	}{
		"in the picture":         {"", []string{sps + "|" + pps0 + "|\x65a"}, []string{sps + "|" + pps0 + "|\x65a"}},
		"once only":              {"", []string{sps + "|" + pps0 + "|\x65a", "\x65b"}, []string{sps + "|" + pps0 + "|\x65a", sps + "|" + pps0 + "|\x65b"}},
		"on their own":           {"", []string{sps + "|" + pps0, "\x65b"}, []string{sps + "|" + pps0, sps + "|" + pps0 + "|\x65b"}},
		"in the offer":           {sps + "|" + pps0, []string{"\x65b"}, []string{sps + "|" + pps0 + "|\x65b"}},
		"never":                  {"", []string{"\x65b", "\x41c"}, []string{"", ""}},
		"no PPS":                 {"", []string{sps + "|\x65b"}, []string{""}},
		"PPS only in the offer":  {sps + "|" + pps0, []string{sps2 + "|\x65b"}, []string{sps2 + "|" + pps0 + "|\x65b"}},
		"SPS only in the offer":  {sps + "|" + pps0, []string{pps0 + "|\x65b"}, []string{sps + "|" + pps0 + "|\x65b"}},
		"two PPS":                {"", []string{sps + "|" + pps0 + "|" + pps1 + "|\x65a", "\x65b"}, []string{sps + "|" + pps0 + "|" + pps1 + "|\x65a", sps + "|" + pps0 + "|" + pps1 + "|\x65b"}},
		"delimiter and filler":   {sps + "|" + pps0, []string{"\x09\xf0|\x65b|\x0c\xff\x80|\x0b"}, []string{sps + "|" + pps0 + "|\x65b"}},
		"SEI stays":              {"", []string{"\x09\xf0|" + sps + "|" + pps0 + "|\x06x|\x65b"}, []string{sps + "|" + pps0 + "|\x06x|\x65b"}},
		"nothing but SEI":        {"", []string{"\x06x"}, []string{""}},
		"pictures before an IDR": {sps + "|" + pps0, []string{"\x41a", "\x65b", "\x41c"}, []string{"", sps + "|" + pps0 + "|\x65b", "\x41c"}},
	} {
		t.Run(name, func(t *testing.T) {
			var offered [][]byte
			if c.offered != "" {
				offered = nalusOf(c.offered)
			}
			l := newLayer("", 1, true, offered)
			for i, text := range c.units {
				au, _ := l.picture(unit{nalus: nalusOf(text)})
				var got []string
				if au != nil {
					for _, n := range au.NALUs {
						got = append(got, string(n))
					}
				}
				if strings.Join(got, "|") != c.want[i] {
					t.Errorf("unit %d: got %q, want %q", i, strings.Join(got, "|"), c.want[i])
				}
			}
		})
	}
}

func nalusOf(text string) (nalus [][]byte) {
	for _, n := range strings.Split(text, "|") {
		nalus = append(nalus, []byte(n))
	}
	return nalus
}

func TestFirstExpGolomb(t *testing.T) {
	for in, want := range map[string]uint{"\x80": 0, "\x40": 1, "\x60": 2, "\x20": 3, "\x01\x00": 127, "\x00\x80\x00": 255} {
		if got := firstExpGolomb([]byte(in)); got != want {
			t.Errorf("%x: %d, want %d", in, got, want)
		}
	}
	for _, in := range []string{"", "\x00", "\x00\x00\x00\x00"} {
		firstExpGolomb([]byte(in)) // must not panic
	}
}
