package sfu

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// counter is a writer that only counts.
type counter struct{ packets atomic.Int64 }

func (c *counter) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	c.packets.Add(1)
	return len(payload), nil
}

func (c *counter) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkFanOut sends a 720p30 stream of 2.5 Mbps, as fast as it goes, to viewers whose
// packets end where pion would encrypt them. An operation is one picture with its sound;
// the metrics are per packet and viewer.
func BenchmarkFanOut(b *testing.B) {
	for _, viewers := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			p, pub := local(b, nil)
			var c counter
			for range viewers {
				plugInto(b, p, &c, func([]rtcp.Packet) error { return nil })
			}
			until(b, "all are attached", func() bool { return attached(p) == viewers })
			var pictures [30]*unit
			for i := range pictures {
				size := 9500
				if i == 0 {
					size = 45000
				}
				data, ends, _, idr := packetize([][]byte{pub.nalu(map[bool]byte{true: 0x65, false: 0x41}[i == 0], size)})
				pictures[i] = &unit{kind: video, idr: idr, data: data, ends: ends}
			}
			sound := &unit{kind: audio, data: make([]byte, 240), ends: []int{240}}
			in := pub.sink.(*sink)
			want := int64(0)
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				u := *pictures[n%len(pictures)]
				s := *sound
				for _, x := range []*unit{&u, &s} {
					if err := p.publish(in, x, time.Duration(n)*frame); err != nil {
						b.Fatal(err)
					}
					want += int64(viewers * len(x.ends))
				}
				for c.packets.Load() < want {
					time.Sleep(0) // let the viewers run
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(want), "ns/packet")
		})
	}
}

// BenchmarkPacketize cuts one picture of a 720p30 stream of 2.5 Mbps.
func BenchmarkPacketize(b *testing.B) {
	picture := [][]byte{nalu(0x41, 10400)}
	b.ReportAllocs()
	for b.Loop() {
		packetize(picture)
	}
}

// TestSendingAllocatesNothing guards the cost of a packet per viewer.
func TestSendingAllocatesNothing(t *testing.T) {
	var c counter
	v := &track{kind: video, writer: &c, ssrc: videoSSRC, rtxSSRC: rtxSSRC, offered: &offeredTrack{payloadType: 102, rtxType: 103, transportCC: 3}}
	s := newSender(v, &transportSequence{})
	data, ends, _, _ := packetize([][]byte{nalu(0x41, 10000)})
	u := &unit{kind: video, data: data, ends: ends}
	var sent atomic.Uint64
	stream := time.Duration(0)
	if n := testing.AllocsPerRun(1000, func() {
		stream += frame
		if err := s.send(u, stream, &sent); err != nil {
			t.Fatal(err)
		}
		if _, err := s.resend(s.seq-1, time.Now()); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a picture", n)
	}
}
