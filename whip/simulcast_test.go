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
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// The SPS of ffmpeg's x264, constrained baseline, at three sizes.
const (
	sps720 = "\x67\x42\xc0\x1f\xd9\x00\x50\x05\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x24\x80"
	sps360 = "\x67\x42\xc0\x1e\xd9\x00\xa0\x2f\xf9\x70\x11\x00\x00\x03\x00\x01\x00\x00\x03\x00\x3c\x0f\x16\x2e\x48"
	sps180 = "\x67\x42\xc0\x0d\xd9\x01\x41\x9f\x9f\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x42\xa4\x80"
)

func TestSimulcastSPS(t *testing.T) {
	for sps, want := range map[string]size{sps720: {1280, 720}, sps360: {640, 360}, sps180: {320, 180}} {
		if got := sizeOf([]byte(sps)); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// simulcaster sends layers to media in media time.
type simulcaster struct {
	t      *testing.T
	media  *media
	layers []*layer
	seqs   []uint16
	frames []int // since the layer's last IDR
	now    time.Time
	plis   map[uint32]int
}

func newSimulcaster(t *testing.T, sink *recorder, sizes int) *simulcaster {
	s := &simulcaster{t: t, now: time.Unix(1000, 0), plis: map[uint32]int{}, seqs: make([]uint16, sizes), frames: make([]int, sizes)}
	s.media = newMedia(sink, func(packets ...rtcp.Packet) {
		for _, p := range packets {
			if p, ok := p.(*rtcp.PictureLossIndication); ok {
				s.plis[p.MediaSSRC]++
				s.frames[p.MediaSSRC] = 0 // the encoder obeys
			}
		}
	}, func(*packet) {})
	for i := range sizes {
		l := newLayer(string(rune('a'+i)), uint32(i), true, nil)
		s.layers = append(s.layers, l)
		s.media.addLayer(l)
	}
	return s
}

// run sends each of the given layers for a while, 30 pictures a second with an IDR each 2 s.
func (s *simulcaster) run(duration time.Duration, layers map[int]string) {
	for end := s.now.Add(duration); s.now.Before(end); s.now = s.now.Add(time.Second / 30) {
		for i, l := range s.layers {
			sps, on := layers[i]
			if !on {
				continue
			}
			nalus := [][]byte{{0x41, byte(i)}}
			if s.frames[i]%60 == 0 {
				nalus = [][]byte{[]byte(sps), []byte("\x68\xce\x01"), {0x65, byte(i)}}
			}
			s.frames[i]++
			// Every layer has its own random first timestamp.
			ts := uint32(s.now.Sub(time.Unix(1000, 0))*90000/time.Second) + uint32(i)*0x50000000
			for j, n := range nalus {
				s.media.takeVideo(l, &packet{arrival: s.now, seq: s.seqs[i], ts: ts, marker: j == len(nalus)-1, payload: n})
				s.seqs[i]++
			}
		}
		if _, err := s.media.tick(s.now); err != nil {
			s.t.Fatal(err)
		}
	}
}

func layersOf(r *recorder) (order string) {
	for _, au := range r.video {
		l := string(rune('a' + au.NALUs[len(au.NALUs)-1][1]))
		if !strings.HasSuffix(order, l) {
			order += l
		}
	}
	return order
}

func TestBestLayerGoesOnStage(t *testing.T) {
	sink := newRecorder()
	s := newSimulcaster(t, sink, 3)
	s.run(time.Second, map[int]string{2: sps180})                         // the smallest is the first to come
	s.layers[2].clock.shift(100 * time.Millisecond)                       // its clock is ahead of the others'
	s.run(100*time.Millisecond, map[int]string{2: sps180})                // and is seen to be
	s.run(3*time.Second, map[int]string{0: sps720, 1: sps360, 2: sps180}) // then all of them
	s.run(6*time.Second, map[int]string{1: sps360, 2: sps180})            // the largest is switched off
	s.run(3*time.Second, map[int]string{0: sps720, 1: sps360, 2: sps180}) // and on again
	if got := layersOf(sink); got != "caba" {
		t.Errorf("the layers on stage were %s", got)
	}
	last := time.Duration(-1)
	for i, au := range sink.video {
		if au.PTS <= last {
			t.Fatalf("picture %d: time goes from %v to %v", i, last, au.PTS)
		}
		if i > 0 && au.NALUs[len(au.NALUs)-1][1] != sink.video[i-1].NALUs[len(sink.video[i-1].NALUs)-1][1] && naluType(au.NALUs[0]) != naluSPS {
			t.Fatalf("picture %d begins a layer, and is no IDR", i)
		}
		last = au.PTS
	}
	if s.plis[2] != 0 {
		t.Errorf("%d PLIs for a layer that nobody wants", s.plis[2])
	}
}

// However many viewers want an IDR, the publisher is asked twice a second at most.
func TestKeyframeRequestsAreLimited(t *testing.T) {
	s := newSimulcaster(t, newRecorder(), 1)
	s.run(time.Second, map[int]string{0: sps720})
	for range 20 {
		s.media.wantKeyframe = true
		s.run(100*time.Millisecond, map[int]string{0: sps720})
	}
	if got := s.plis[0]; got < 3 || got > 5 {
		t.Errorf("wishes of two seconds made %d PLIs", got)
	}
}

// All layers of a pion publisher arrive by their RID, and the largest goes on stage.
func TestSimulcast(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	rids := []string{"a", "b", "c"}
	tracks := make([]*webrtc.TrackLocalStaticRTP, len(rids))
	var sender *webrtc.RTPSender
	if err := p.pc.RemoveTrack(p.sender); err != nil {
		t.Fatal(err)
	}
	for i, rid := range rids {
		track, err := webrtc.NewTrackLocalStaticRTP(p.video.Codec(), "video", "s", webrtc.WithRTPStreamID(rid))
		if err != nil {
			t.Fatal(err)
		}
		tracks[i] = track
		if i > 0 {
			if err := sender.AddEncoding(track); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if sender, err = p.pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
	}
	p.sender = sender
	sink := p.connect(t, d, "token")
	var mid, rid uint8
	for _, e := range sender.GetParameters().HeaderExtensions {
		switch e.URI {
		case sdp.SDESMidURI:
			mid = uint8(e.ID)
		case sdp.SDESRTPStreamIDURI:
			rid = uint8(e.ID)
		}
	}
	var senderMID string
	for _, tr := range p.pc.GetTransceivers() {
		if tr.Sender() == sender {
			senderMID = tr.Mid()
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	sending.Go(func() {
		pace := time.NewTicker(10 * time.Millisecond)
		defer pace.Stop()
		seq := uint16(0)
		for i := 0; ctx.Err() == nil; i++ {
			<-pace.C
			for layer, sps := range []string{sps720, sps360, sps180} {
				for j, n := range [][]byte{[]byte(sps), []byte("\x68\xce\x01"), {0x65, byte(layer)}} {
					packet := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq + uint16(j), Timestamp: uint32(i) * 3000, Marker: j == 2}, Payload: n}
					_ = packet.SetExtension(mid, []byte(senderMID))
					_ = packet.SetExtension(rid, []byte(rids[layer]))
					_ = tracks[layer].WriteRTP(packet)
				}
			}
			seq += 3
		}
	})
	sink.waitFor(t, "pictures of the largest layer", func(r *recorder) bool {
		return len(r.video) > 50 && r.video[len(r.video)-1].NALUs[2][1] == 0
	})
	if res := d.do(t, http.MethodDelete, p.location, "", "Authorization", "Bearer token"); res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
}
