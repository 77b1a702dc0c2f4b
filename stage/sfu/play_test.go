package sfu

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stagedoor/stagedoor/ingest"
)

// wire is a viewer's writer in place of pion's: it records, or blocks.
type wire struct {
	mu      sync.Mutex
	packets []rtp.Packet
	times   []time.Time
	reports []rtcp.SenderReport
	block   chan struct{} // nil: do not block
	entered chan struct{}
}

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	if w.block != nil {
		select {
		case w.entered <- struct{}{}:
		default:
		}
		<-w.block
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var sent rtp.Header // the header is used again, so what is on the wire counts
	b, err := h.Marshal()
	if err != nil {
		return 0, err
	}
	if _, err := sent.Unmarshal(b); err != nil {
		return 0, err
	}
	w.packets = append(w.packets, rtp.Packet{Header: sent, Payload: slices.Clone(payload)})
	w.times = append(w.times, time.Now())
	return len(payload), nil
}

func (w *wire) Write(b []byte) (int, error) { return len(b), nil }

func (w *wire) writeRTCP(packets []rtcp.Packet) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range packets {
		if r, ok := p.(*rtcp.SenderReport); ok {
			w.reports = append(w.reports, *r)
		}
	}
	return nil
}

// timestamps gives the distinct RTP timestamps of a track, in order, and when they came.
func (w *wire) timestamps(ssrc uint32) (stamps []uint32, times []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range w.packets {
		if p.SSRC == ssrc && (len(stamps) == 0 || stamps[len(stamps)-1] != p.Timestamp) {
			stamps, times = append(stamps, p.Timestamp), append(times, w.times[i])
		}
	}
	return stamps, times
}

const (
	videoSSRC = 1000
	audioSSRC = 2000
	rtxSSRC   = 3000
)

// plug gives the participant a viewer that sends into w, without a connection.
func plug(t testing.TB, p *participant, w *wire) *viewer {
	t.Helper()
	return plugInto(t, p, w, w.writeRTCP)
}

func plugInto(t testing.TB, p *participant, w webrtc.TrackLocalWriter, writeRTCP func([]rtcp.Packet) error) *viewer {
	t.Helper()
	v := &viewer{id: "v", participant: p, queue: newQueue(), writeRTCP: writeRTCP,
		connected: make(chan struct{}), done: make(chan struct{}), gone: make(chan struct{})}
	v.tracks[video] = &track{kind: video, writer: w, ssrc: videoSSRC, rtxSSRC: rtxSSRC, offered: &offeredTrack{payloadType: 102, rtxType: 103, transportCC: 3}}
	v.tracks[audio] = &track{kind: audio, writer: w, ssrc: audioSSRC, offered: &offeredTrack{payloadType: 111, transportCC: 3}}
	if !p.add(v) {
		t.Fatal("the participant is over")
	}
	var running sync.WaitGroup
	running.Go(v.play)
	t.Cleanup(func() {
		v.end("test over")
		running.Wait()
	})
	return v
}

// until waits for a condition without a notice of its own.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func (w *wire) pictures() int {
	stamps, _ := w.timestamps(videoSSRC)
	return len(stamps)
}

// local makes a participant without an SFU around it.
func local(t testing.TB, requestKeyframe func()) (*participant, *publisher) {
	p := newParticipant(key{"arn", "p"})
	in := &sink{participant: p}
	p.join(in, requestKeyframe)
	return p, &publisher{t: t, sink: in, gop: 30, rand: newRand()}
}

func attached(p *participant) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.attached)
}

func TestSlowViewerHoldsUpNobody(t *testing.T) {
	p, pub := local(t, nil)
	good, stuck := &wire{}, &wire{block: make(chan struct{}), entered: make(chan struct{}, 1)}
	plug(t, p, good)
	slow := plug(t, p, stuck)
	until(t, "both are attached", func() bool { return attached(p) == 2 })
	pub.picture(100)
	<-stuck.entered
	// More than the queue holds; the last IDR is the 300th.
	for i := 1; i < 310; i++ {
		pub.picture(100)
		pub.sound(time.Duration(i) * frame)
		until(t, "the other viewer got the picture", func() bool { return good.pictures() == i+1 })
	}
	close(stuck.block)
	until(t, "the slow viewer got the last picture", func() bool {
		stamps, _ := stuck.timestamps(videoSSRC)
		all, _ := good.timestamps(videoSSRC)
		return len(stamps) > 0 && stamps[len(stamps)-1]-stamps[0] == all[len(all)-1]-all[0]
	})
	if n := slow.queue.lost(); n == 0 {
		t.Error("nothing was dropped")
	}
	stuck.mu.Lock()
	defer stuck.mu.Unlock()
	var pictures []rtp.Packet
	for _, packet := range stuck.packets {
		if packet.SSRC == videoSSRC {
			pictures = append(pictures, packet)
		}
	}
	for i := 1; i < len(pictures); i++ {
		if pictures[i].SequenceNumber != pictures[i-1].SequenceNumber+1 {
			t.Error("the sequence numbers have a hole, as if packets were lost on the way")
		}
		gap := pictures[i].Timestamp-pictures[i-1].Timestamp > 3100
		if first := pictures[i].Payload[0]&0x1f == naluSTAPA; gap && !first {
			t.Error("after the gap comes a picture that is no IDR")
		}
	}
}

// TestReplayIsStampedAsItIsSent checks that a newcomer's catching up looks to it like live
// pictures: each one's timestamp is the time of its sending, so that no jitter is seen.
func TestReplayIsStampedAsItIsSent(t *testing.T) {
	p, pub := local(t, nil)
	for range 20 {
		pub.picture(25000) // 20 of these take 200 ms at the least rate
	}
	w := &wire{}
	plug(t, p, w)
	until(t, "the replay came", func() bool { return w.pictures() == 20 })
	stamps, times := w.timestamps(videoSSRC)
	for i := 1; i < len(stamps); i++ {
		step := time.Duration(stamps[i]-stamps[i-1]) * time.Second / 90000
		if step <= 0 {
			t.Fatalf("picture %d has timestamp %d after %d", i, stamps[i], stamps[i-1])
		}
		stamped, sent := time.Duration(stamps[i]-stamps[0])*time.Second/90000, times[i].Sub(times[0])
		if late := sent - stamped; late < -20*time.Millisecond || late > 20*time.Millisecond {
			t.Errorf("picture %d was sent %v after the first and stamped %v after it", i, sent, stamped)
		}
	}
	if took := times[19].Sub(times[0]); took < 50*time.Millisecond {
		t.Errorf("half a megabyte went out in %v: the replay is not paced", took)
	}
	// The first live picture carries on.
	pub.picture(100)
	until(t, "the live picture came", func() bool { return w.pictures() == 21 })
}

func TestViewerThatCannotDecodeGetsTheGroupAgain(t *testing.T) {
	p, pub := local(t, nil)
	w := &wire{}
	v := plug(t, p, w)
	until(t, "it is attached", func() bool { return attached(p) == 1 })
	for range 5 {
		pub.picture(100)
	}
	until(t, "five pictures came", func() bool { return w.pictures() == 5 })
	v.broken()
	until(t, "they came again", func() bool { return w.pictures() == 10 })
	v.broken() // too soon
	pub.picture(100)
	until(t, "the next picture came", func() bool { return w.pictures() == 11 })
}

func TestPublisherIsAskedForAKeyframe(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	count := func() int { mu.Lock(); defer mu.Unlock(); return asked }
	p, pub := local(t, func() { mu.Lock(); defer mu.Unlock(); asked++ })
	w := &wire{}
	v := plug(t, p, w)
	until(t, "the newcomer's request went out", func() bool { return count() == 1 })
	pub.picture(100)
	until(t, "the picture came", func() bool { return w.pictures() == 1 })
	v.broken()
	v.broken()
	pub.sound(0)
	until(t, "the sound came", func() bool { s, _ := w.timestamps(audioSSRC); return len(s) == 1 })
	if n := count(); n != 1 {
		t.Errorf("asked %d times within a second", n)
	}
	p.mu.Lock()
	p.requested = time.Now().Add(-keyframeEvery)
	p.mu.Unlock()
	v.mu.Lock()
	v.refill = false
	v.mu.Unlock()
	pub.n = 1
	v.queue.restart(true)
	pub.picture(100) // no IDR: it cannot be sent
	until(t, "the publisher is asked again", func() bool { return count() == 2 })
}

func TestResend(t *testing.T) {
	p, pub := local(t, nil)
	w := &wire{}
	v := plug(t, p, w)
	until(t, "it is attached", func() bool { return attached(p) == 1 })
	pub.picture(3000)
	until(t, "the picture came", func() bool { return w.pictures() == 1 })
	w.mu.Lock()
	original := w.packets[1]
	w.mu.Unlock()
	v.lost(original.SequenceNumber)
	v.lost(original.SequenceNumber)
	v.lost(original.SequenceNumber - 500) // never sent
	resent := func() (list []rtp.Packet) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, packet := range w.packets {
			if packet.SSRC == rtxSSRC {
				list = append(list, packet)
			}
		}
		return list
	}
	until(t, "the packet came again", func() bool { return len(resent()) == 1 })
	again := resent()[0]
	if again.PayloadType != 103 || again.Timestamp != original.Timestamp || again.Marker != original.Marker ||
		uint16(again.Payload[0])<<8|uint16(again.Payload[1]) != original.SequenceNumber || !slices.Equal(again.Payload[2:], original.Payload) {
		t.Errorf("the retransmission is %v, the original %v", again, original)
	}
	pub.picture(100)
	until(t, "the next picture came", func() bool { return w.pictures() == 2 })
	if n := len(resent()); n != 1 {
		t.Errorf("%d packets were sent again, want 1", n)
	}
	if got := v.counters.resent.Load(); got != 1 {
		t.Errorf("%d are counted", got)
	}
}

// TestTransportSequenceCountsAllPackets checks that the header extension numbers the packets
// of both tracks and of retransmissions without a hole.
func TestTransportSequenceCountsAllPackets(t *testing.T) {
	p, pub := local(t, nil)
	w := &wire{}
	v := plug(t, p, w)
	until(t, "it is attached", func() bool { return attached(p) == 1 })
	for i := range 10 {
		pub.picture(3000)
		pub.sound(time.Duration(i) * frame)
	}
	until(t, "all came", func() bool { return w.pictures() == 10 })
	w.mu.Lock()
	i := slices.IndexFunc(w.packets, func(packet rtp.Packet) bool { return packet.SSRC == videoSSRC })
	seq := w.packets[i].SequenceNumber
	w.mu.Unlock()
	v.lost(seq)
	until(t, "the retransmission came", func() bool { return v.counters.resent.Load() == 1 })
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, packet := range w.packets {
		ext := packet.GetExtension(3)
		if len(ext) != 2 || int(ext[0])<<8|int(ext[1]) != i {
			t.Fatalf("packet %d has extension %v", i, ext)
		}
	}
}

func TestReportsMapBothTracksToOneClock(t *testing.T) {
	p, pub := local(t, nil)
	w := &wire{}
	plug(t, p, w)
	until(t, "it is attached", func() bool { return attached(p) == 1 })
	pub.picture(100)
	pub.sound(0)
	both := func() (v, a *rtcp.SenderReport) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for i := range w.reports {
			switch w.reports[i].SSRC {
			case videoSSRC:
				v = &w.reports[i]
			case audioSSRC:
				a = &w.reports[i]
			}
		}
		return v, a
	}
	until(t, "reports of both came", func() bool { v, a := both(); return v != nil && a != nil })
	v, a := both()
	videoStamps, _ := w.timestamps(videoSSRC)
	audioStamps, _ := w.timestamps(audioSSRC)
	// Both units had the same PTS, so both must be of the same NTP time.
	at := func(r *rtcp.SenderReport, stamp uint32, rate int64) time.Duration {
		seconds := time.Duration(r.NTPTime>>32) * time.Second
		part := time.Duration((r.NTPTime & 0xffffffff) * uint64(time.Second) >> 32)
		return seconds + part + time.Duration(int64(int32(stamp-r.RTPTime))*int64(time.Second)/rate)
	}
	if skew := at(v, videoStamps[0], 90000) - at(a, audioStamps[0], 48000); skew < -100*time.Microsecond || skew > 100*time.Microsecond {
		t.Errorf("the video is %v after the audio", skew)
	}
	// NTP counts from 1900.
	if off := time.Since(time.Unix(int64(v.NTPTime>>32)-2208988800, 0)); off < -2*time.Second || off > patience {
		t.Errorf("the report's time is off by %v", off)
	}
}

func TestReplacedPublisherKeepsTheViewers(t *testing.T) {
	p, first := local(t, nil)
	w := &wire{}
	plug(t, p, w)
	until(t, "it is attached", func() bool { return attached(p) == 1 })
	for range 3 {
		first.picture(100)
	}
	until(t, "the first publisher's pictures came", func() bool { return w.pictures() == 3 })
	in := &sink{participant: p}
	p.join(in, nil)
	if err := first.sink.WriteVideo(first.sent[0]); ingest.AsRejection(err) == nil || ingest.AsRejection(err).Code != ingest.Disconnected {
		t.Errorf("the first publisher is told: %v", err)
	}
	second := &publisher{t: t, sink: in, gop: 30, rand: newRand(), n: 29}
	second.picture(100) // no IDR: not sent
	second.picture(100)
	until(t, "the second publisher's IDR came", func() bool { return w.pictures() == 4 })
	w.mu.Lock()
	defer w.mu.Unlock()
	var last rtp.Packet
	for i, packet := range w.packets {
		if packet.SSRC != videoSSRC {
			continue
		}
		if last.SSRC != 0 && (packet.SequenceNumber != last.SequenceNumber+1 || int32(packet.Timestamp-last.Timestamp) < 0) {
			t.Errorf("packet %d: sequence number %d after %d, timestamp %d after %d", i, packet.SequenceNumber, last.SequenceNumber, packet.Timestamp, last.Timestamp)
		}
		last = packet
	}
}
