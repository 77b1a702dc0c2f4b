package whip

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/stagedoor/stagedoor/ingest"
)

// streamer sends the demo clip over and over, with an Opus packet for each picture, as a
// live encoder would: where an IDR is asked for, it goes on with one.
type streamer struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu   sync.Mutex
	plis int
	idr  chan struct{}
}

func (s *streamer) pliCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plis
}

func (p *peer) stream(t testing.TB) *streamer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &streamer{stop: cancel, idr: make(chan struct{}, 1)}
	t.Cleanup(func() {
		s.stop()
		_ = p.pc.Close() // unblocks the reader
		s.done.Wait()
	})
	s.done.Go(func() { s.readFeedback(p.sender) })
	s.done.Go(func() { s.send(ctx, p) })
	return s
}

func (s *streamer) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				s.mu.Lock()
				s.plis++
				s.mu.Unlock()
				select {
				case s.idr <- struct{}{}:
				default:
				}
			}
		}
	}
}

func (s *streamer) send(ctx context.Context, p *peer) {
	clip := demoClip()
	// Faster than life, but slowly enough for the socket's buffers.
	pace := time.NewTicker(4 * time.Millisecond)
	defer pace.Stop()
	seq, next := uint16(65000), 0
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-s.idr:
			next = 0
		case <-pace.C:
		}
		payloads := rtpPayloads(clip[next].nalus, 1200)
		for j, payload := range payloads {
			header := rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(i) * 3000, Marker: j == len(payloads)-1}
			if p.video.WriteRTP(&rtp.Packet{Header: header, Payload: payload}) != nil {
				return
			}
			seq++
		}
		header := rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * 1600}
		if p.audio.WriteRTP(&rtp.Packet{Header: header, Payload: []byte{0xfc, byte(i), 1, 2}}) != nil {
			return
		}
		next = (next + 1) % len(clip)
	}
}

// checkWhole says that every picture is one of the clip's, byte for byte, and that the one
// that it refers to came right before it.
func checkWhole(t *testing.T, r *recorder) {
	t.Helper()
	clip := demoClip()
	place := make(map[string]int)
	for i, p := range clip {
		place[joined(p.nalus)] = i
	}
	last, before := time.Duration(-1), -1
	for i, au := range r.pictures() {
		at, known := place[joined(au.NALUs)]
		if !known {
			t.Fatalf("picture %d is none of those that were sent", i)
		}
		if !clip[at].idr && (before < 0 || at != before+1) {
			t.Fatalf("picture %d is the clip's %d, and comes after its %d", i, at, before)
		}
		if au.PTS <= last {
			t.Fatalf("picture %d: time goes from %v to %v", i, last, au.PTS)
		}
		last, before = au.PTS, at
	}
}

func joined(nalus [][]byte) string {
	var b strings.Builder
	for _, n := range nalus {
		b.Write(n)
		b.WriteByte(0)
	}
	return b.String()
}

func TestPublish(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	p.stream(t)
	sink.waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) >= 150 && len(r.audio) >= 150 })
	checkWhole(t, sink)
	if f := sink.sounds()[0]; string(f.Data[2:]) != "\x01\x02" || f.Codec.Name != ingest.Opus {
		t.Errorf("the audio frame is %+v", f)
	}
	request := <-d.requests
	if request.Protocol != ingest.WHIP || request.Secret != "token" || !strings.HasPrefix(request.Remote.String(), "127.0.0.1:") {
		t.Errorf("the request is %+v", request)
	}
	if err := p.pc.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sink.waitClosed(t); err != nil {
		t.Errorf("the publisher left in good order, and the sink was closed with %v", err)
	}
}

func TestKeyframeRequestReachesThePublisher(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	s := p.stream(t)
	sink.waitFor(t, "picture", func(r *recorder) bool { return len(r.video) > 0 })
	before := s.pliCount()
	request := <-d.requests
	for range 1000 {
		request.RequestKeyframe()
	}
	idrs := func(r *recorder) (n int) {
		for _, au := range r.video {
			if naluType(au.NALUs[0]) == naluSPS {
				n++
			}
		}
		return n
	}
	sink.waitFor(t, "second IDR", func(r *recorder) bool { return idrs(r) > 1 })
	if got := s.pliCount() - before; got > 2 {
		t.Errorf("1000 wishes made %d PLIs", got)
	}
}

func TestDelete(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	for token, want := range map[string]int{"": 401, "other": 401} {
		if res := d.do(t, http.MethodDelete, p.location, "", "Authorization", "Bearer "+token); res.StatusCode != want {
			t.Errorf("with token %q: %s", token, res.Status)
		}
	}
	if res := d.do(t, http.MethodDelete, p.location, "", "Authorization", "Bearer token"); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	if err := sink.waitClosed(t); err != nil {
		t.Errorf("closed with %v", err)
	}
	if res := d.do(t, http.MethodDelete, p.location, "", "Authorization", "Bearer token"); res.StatusCode != http.StatusNotFound {
		t.Errorf("the second time: %s", res.Status)
	}
}

func TestRuleEndsTheSession(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "b-frames")
	p.stream(t)
	if r := ingest.AsRejection(sink.waitClosed(t)); r == nil || r.Code != ingest.BFramePresent {
		t.Errorf("closed with %v", r)
	}
	if len(sink.pictures()) != 1 {
		t.Errorf("%d pictures were written after the error", len(sink.pictures())-1)
	}
	if res := d.do(t, http.MethodDelete, p.location, "", "Authorization", "Bearer b-frames"); res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusOK {
		t.Errorf("DELETE afterwards: %s", res.Status)
	}
	if !strings.Contains(d.logged(), "B_FRAME_PRESENT") {
		t.Error("the log does not say why the session ended")
	}
}

func TestCloseEndsSessions(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	p.stream(t)
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := d.handler.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if r := ingest.AsRejection(sink.waitClosed(t)); r == nil || r.Code != ingest.Disconnected {
		t.Errorf("closed with %v", r)
	}
	if res := d.post(t, "token", "v=0\r\n"); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("after Close: %s", res.Status)
	}
}
