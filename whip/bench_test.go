package whip

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/stagedoor/stagedoor/ingest"
)

// discard is a Sink that says when it got a picture.
type discard struct{ got chan time.Time }

func (d discard) WriteVideo(*ingest.AccessUnit) error {
	if d.got != nil {
		d.got <- time.Now()
	}
	return nil
}
func (discard) WriteAudio(*ingest.AudioFrame) error { return nil }
func (discard) Close(error) error                   { return nil }

// BenchmarkMedia measures the work on one packet, from the reader's parsing to the Sink.
func BenchmarkMedia(b *testing.B) {
	var stream [][]byte
	for i, pic := range demoClip() {
		payloads := rtpPayloads(pic.nalus, 1200)
		for j, payload := range payloads {
			header := rtp.Header{Version: 2, SequenceNumber: uint16(len(stream)), Timestamp: uint32(i) * 3000, Marker: j == len(payloads)-1}
			raw, err := (&rtp.Packet{Header: header, Payload: payload}).Marshal()
			if err != nil {
				b.Fatal(err)
			}
			stream = append(stream, raw)
		}
	}
	var pool packetPool
	m := newMedia(discard{}, func(...rtcp.Packet) {}, pool.put)
	l := newLayer("", 1, true, nil)
	m.addLayer(l)
	now := time.Unix(1000, 0)
	bytes := 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := pool.get()
		raw := stream[i%len(stream)]
		bytes += len(raw)
		now = now.Add(200 * time.Microsecond)
		p.arrival = now
		if err := p.parse(copy(p.buf[:], raw)); err != nil {
			b.Fatal(err)
		}
		p.seq = uint16(i)
		m.takeVideo(l, p)
		if _, err := m.tick(now); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(bytes / max(b.N, 1)))
}

// BenchmarkDelay measures the delay from the publisher's writing a picture's last packet to
// the Sink's getting the picture, through SRTP and a UDP socket on the loopback.
func BenchmarkDelay(b *testing.B) {
	got := make(chan time.Time, 1)
	d := newDoor(b, nil)
	d.handler.options.Publish = publishInto(discard{got})
	p := newPeer(b, nil)
	p.join(b, d, "token")
	clip := demoClip()
	seq, ts, next := uint16(0), uint32(0), 0
	send := func() (last time.Time) {
		payloads := rtpPayloads(clip[next].nalus, 1200)
		next = (next + 1) % len(clip)
		ts += 3000
		for j, payload := range payloads {
			header := rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: j == len(payloads)-1}
			last = time.Now()
			if err := p.video.WriteRTP(&rtp.Packet{Header: header, Payload: payload}); err != nil {
				b.Fatal(err)
			}
			seq++
		}
		return last
	}
	for joined := false; !joined; { // the first packets may come before SRTP is up
		next = 0
		send()
		select {
		case <-got:
			joined = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	var delays []time.Duration
	for b.Loop() {
		last := send()
		select {
		case at := <-got:
			delays = append(delays, at.Sub(last))
		case <-time.After(testTimeout):
			b.Fatal("a picture is lost")
		}
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "µs-p99")
}
