package main

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

// relay is a WHIP to WHEP server that is late by a known time and loses a known part: what a
// tool that measures servers must see.
type relay struct {
	t         *testing.T
	delay     time.Duration
	loseEvery int // of so many pictures one is lost

	mu     sync.Mutex
	tracks []*webrtc.TrackLocalStaticRTP
	pcs    []*webrtc.PeerConnection
	tasks  sync.WaitGroup
}

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	offer, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	watching := request.URL.Path == "/whep"
	if request.Method != http.MethodPost || watching && len(r.tracks) < 2 {
		http.Error(w, "nobody is here", http.StatusNotFound)
		return
	}
	var network webrtc.SettingEngine
	network.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(network)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		r.t.Error(err)
		return
	}
	r.pcs = append(r.pcs, pc)
	pc.OnTrack(r.forward)
	if watching {
		for _, track := range r.tracks {
			if _, err := pc.AddTrack(track); err != nil {
				r.t.Error(err)
			}
		}
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}); err != nil {
		r.t.Error(err)
		return
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		r.t.Error(err)
		return
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		r.t.Error(err)
		return
	}
	<-gathered
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, pc.LocalDescription().SDP)
}

// forward sends a publisher's packets on, late, and without those that are to be lost.
func (r *relay) forward(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	out, err := webrtc.NewTrackLocalStaticRTP(in.Codec().RTPCodecCapability, in.Kind().String(), "relay")
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	r.tracks = append(r.tracks, out)
	r.mu.Unlock()
	type late struct {
		packet *rtp.Packet
		due    time.Time
	}
	queue := make(chan late, 10000)
	r.tasks.Go(func() {
		for l := range queue {
			time.Sleep(time.Until(l.due))
			_ = out.WriteRTP(l.packet)
		}
	})
	r.tasks.Go(func() {
		defer close(queue)
		pictures, timestamp := 0, uint32(0)
		for {
			p, _, err := in.ReadRTP()
			if err != nil {
				return
			}
			if p.Timestamp != timestamp {
				pictures++
				timestamp = p.Timestamp
			}
			if in.Kind() == webrtc.RTPCodecTypeVideo && pictures%r.loseEvery == r.loseEvery/2 {
				continue
			}
			queue <- late{p, time.Now().Add(r.delay)}
		}
	})
}

func (r *relay) close() {
	r.mu.Lock()
	pcs := r.pcs
	r.mu.Unlock()
	for _, pc := range pcs {
		_ = pc.GracefulClose()
	}
	r.tasks.Wait()
}

// TestSeesARelaysDelayAndLoss runs the whole tool against the relay.
func TestSeesARelaysDelayAndLoss(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer http.DefaultClient.CloseIdleConnections()
	const delay, loseEvery = 150 * time.Millisecond, 10
	r := &relay{t: t, delay: delay, loseEvery: loseEvery}
	server := httptest.NewServer(r)
	defer server.Close()
	defer r.close()

	s := &settings{Publishers: 1, Viewers: 2, Warmup: 500 * time.Millisecond, Duration: 4 * time.Second, Patience: 10 * time.Second,
		PublishURL: server.URL + "/whip", WatchURL: server.URL + "/whep"}
	c, err := loadClip("")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.withOpus(); err != nil {
		t.Fatal(err)
	}
	target, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLoad(s, c, target)
	if err != nil {
		t.Fatal(err)
	}
	figures, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.failures) > 0 {
		t.Fatal(l.failures)
	}
	got := map[string]float64{}
	for _, f := range figures {
		got[f.Name] = f.Value
	}
	// The relay is never early. How much later than its own delay it is depends on the
	// machine, and half a second more would be no finding about this tool.
	if p50 := got["video latency p50, ms"]; p50 < 150 || p50 > 650 {
		t.Errorf("the latency is %v ms; the relay's delay is %v", p50, delay)
	}
	if p50, ok := got["audio latency p50, ms"]; ok && (p50 < 150 || p50 > 650) {
		t.Errorf("the sound's latency is %v ms; the relay's delay is %v", p50, delay)
	}
	lost := got["pictures lost"] / (got["pictures lost"] + got["pictures received"])
	if math.Abs(lost-1.0/loseEvery) > 0.02 {
		t.Errorf("%v of all pictures are said to be lost; the relay loses one in %d", lost, loseEvery)
	}
	if got["viewers watching"] != 2 || got["pictures unknown"] != 0 || got["audio packets lost"] != 0 {
		t.Error(figures)
	}
}
