package sfu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pion/rtcp"
)

type notes struct {
	missing        []uint16
	brokenN        int
	fraction       int
	received, gone int
}

func (n *notes) lost(seq uint16)                { n.missing = append(n.missing, seq) }
func (n *notes) broken()                        { n.brokenN++ }
func (n *notes) receiverReport(fraction byte)   { n.fraction = int(fraction) }
func (n *notes) arrivals(received, missing int) { n.received += received; n.gone += missing }

const ours = 0x1234

func TestReadFeedback(t *testing.T) {
	cc := func(chunks ...rtcp.PacketStatusChunk) *rtcp.TransportLayerCC {
		p := &rtcp.TransportLayerCC{SenderSSRC: 1, MediaSSRC: ours, PacketChunks: chunks}
		for _, c := range chunks {
			switch c := c.(type) {
			case *rtcp.RunLengthChunk:
				p.PacketStatusCount += c.RunLength
				if c.PacketStatusSymbol != 0 {
					for range c.RunLength {
						p.RecvDeltas = append(p.RecvDeltas, &rtcp.RecvDelta{Type: c.PacketStatusSymbol, Delta: 250})
					}
				}
			case *rtcp.StatusVectorChunk:
				p.PacketStatusCount += uint16(len(c.SymbolList))
				for _, s := range c.SymbolList {
					if s != 0 {
						p.RecvDeltas = append(p.RecvDeltas, &rtcp.RecvDelta{Type: s, Delta: 250})
					}
				}
			}
		}
		p.Header = rtcp.Header{Count: 15, Type: 205, Length: uint16(p.MarshalSize()/4) - 1}
		return p
	}
	const small, none uint16 = rtcp.TypeTCCPacketReceivedSmallDelta, rtcp.TypeTCCPacketNotReceived
	for name, c := range map[string]struct {
		packets []rtcp.Packet
		want    notes
	}{
		"NACK":            {[]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: ours, Nacks: []rtcp.NackPair{{PacketID: 65535, LostPackets: 0x8001}}}}, notes{missing: []uint16{65535, 0, 15}}},
		"NACK of another": {[]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: 9, Nacks: []rtcp.NackPair{{PacketID: 1}}}}, notes{}},
		"PLI":             {[]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ours}}, notes{brokenN: 1}},
		"FIR":             {[]rtcp.Packet{&rtcp.FullIntraRequest{MediaSSRC: ours, FIR: []rtcp.FIREntry{{SSRC: ours}}}}, notes{brokenN: 1}},
		"report and PLI": {[]rtcp.Packet{
			&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 9, FractionLost: 1}, {SSRC: ours, FractionLost: 64}}},
			&rtcp.PictureLossIndication{MediaSSRC: ours}}, notes{fraction: 64, brokenN: 1}},
		"REMB is ignored": {[]rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1e6, SSRCs: []uint32{ours}}}, notes{}},
		"transport-cc, runs": {[]rtcp.Packet{cc(&rtcp.RunLengthChunk{PacketStatusSymbol: small, RunLength: 30}, &rtcp.RunLengthChunk{PacketStatusSymbol: none, RunLength: 5})},
			notes{received: 30, gone: 5}},
		"transport-cc, one bit": {[]rtcp.Packet{cc(&rtcp.StatusVectorChunk{SymbolSize: rtcp.TypeTCCSymbolSizeOneBit, SymbolList: []uint16{1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0}})},
			notes{received: 10, gone: 4}},
		"transport-cc, two bits": {[]rtcp.Packet{cc(&rtcp.StatusVectorChunk{SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit, SymbolList: []uint16{1, 0, 2, 1, 0, 0, 1}})},
			notes{received: 4, gone: 3}},
	} {
		b, err := rtcp.Marshal(c.packets)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got notes
		readFeedback(b, ours, &got)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		for i := range b { // what is cut off must not matter
			readFeedback(b[:i], ours, &notes{})
		}
	}
}

func TestReadFeedbackAllocatesNothing(t *testing.T) {
	b, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ours}}}, &rtcp.PictureLossIndication{MediaSSRC: ours}})
	if err != nil {
		t.Fatal(err)
	}
	var n notes
	if got := testing.AllocsPerRun(100, func() { readFeedback(b, ours, &n) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzFeedback(f *testing.F) {
	f.Add([]byte{0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0x12, 0x34, 0xff, 0xff, 0x80, 1})
	f.Add([]byte{0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0x12, 0x34, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0xc0, 0})
	f.Add([]byte{0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0x12, 0x34, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := slices.Clone(b)
		var n notes
		readFeedback(b, ours, &n)
		if n.received < 0 || n.gone < 0 || len(n.missing) > 17*len(b) {
			t.Fatalf("impossible: %+v", n)
		}
		if !slices.Equal(b, before) {
			t.Fatal("the packet was changed")
		}
	})
}
