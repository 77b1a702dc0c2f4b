package sfu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/whepclient"
	"github.com/stagedoor/stagedoor/stage"
)

// TestLossIsRepaired drops a tenth of the packets to the viewer: what it asks for again must
// make every picture whole.
func TestLossIsRepaired(t *testing.T) {
	for _, noRTX := range []bool{false, true} {
		t.Run(fmt.Sprintf("noRTX=%v", noRTX), func(t *testing.T) {
			s := newSFU(t, Options{})
			p := join(t, s, nil)
			random := rand.New(rand.NewPCG(3, 4))
			var dropped atomic.Int32
			rtp := 0
			setting := loopback(t, false, func(c net.PacketConn) net.PacketConn {
				return &lossy{PacketConn: c, drop: func(b []byte) bool {
					if !isRTP(b) {
						return false
					}
					rtp++
					// The first ones tell the viewer where to begin.
					if rtp > 20 && random.IntN(10) == 0 {
						dropped.Add(1)
						return true
					}
					return false
				}}
			})
			setting.SetSRTPReplayProtectionWindow(1024) // as browsers have it
			v := watchOver(t, s, setting, whepclient.Options{NoRTX: noRTX})
			receive(t, v.Connected(), "connection")
			until(t, "it is attached", func() bool { return attached(s.participants[key{"arn", "p"}]) == 1 })
			const n = 60
			for i := range n {
				p.picture(6000)
				time.Sleep(5 * time.Millisecond) // so that there are later packets by which a loss is seen
				p.sound(time.Duration(i) * frame)
			}
			for i := range n {
				var got *whepclient.Picture
				until(t, fmt.Sprintf("picture %d came", i), func() bool {
					select {
					case got = <-v.pictures:
						return true
					case <-time.After(20 * time.Millisecond):
						p.picture(2000) // pion's viewer reads what came again only when something new comes
						return false
					}
				})
				if !got.Whole || !equalNALUs(got.NALUs, p.sent[i].NALUs) {
					t.Fatalf("picture %d came damaged", i)
				}
			}
			if dropped.Load() == 0 {
				t.Error("nothing was dropped")
			}
			if resent := s.Stats()[0].Resent; resent == 0 {
				t.Error("nothing was sent again")
			}
		})
	}
}

func TestRetransmissionsUseTheirOwnStream(t *testing.T) {
	s := newSFU(t, Options{})
	join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	answer := v.subscription.Answer()
	for _, want := range []string{"a=ssrc-group:FID ", "a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102", "a=ice-lite", "a=rtcp-fb:102 nack pli", "a=rtcp-fb:102 transport-cc", "stereo=1;sprop-stereo=1", "a=end-of-candidates", "a=sendonly"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q:\n%s", want, answer)
		}
	}
}

func TestLossIsCountedByTransportWideFeedback(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	until(t, "feedback came", func() bool {
		p.picture(3000)
		return s.Stats()[0].Received > 50
	})
	if lost := s.Stats()[0].Lost; lost > 10 {
		t.Errorf("%d packets are said to be lost on loopback", lost)
	}
}

func TestAudioOnlyAndVideoOnlyViewers(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	deaf := watch(t, s, whepclient.Options{NoAudio: true})
	blind := watch(t, s, whepclient.Options{NoVideo: true})
	receive(t, deaf.Connected(), "connection")
	receive(t, blind.Connected(), "connection")
	until(t, "both are attached", func() bool { return attached(s.participants[key{"arn", "p"}]) == 2 })
	au := p.picture(3000)
	p.sound(0)
	if got := receive(t, deaf.pictures, "picture"); !equalNALUs(got.NALUs, au.NALUs) {
		t.Error("the picture came changed")
	}
	receive(t, blind.sounds, "sound")
}

func TestGrace(t *testing.T) {
	s := newSFU(t, Options{Grace: 300 * time.Millisecond})
	p := join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	if err := p.sink.Close(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscribe(context.Background(), stage.Offer{StageARN: "arn", ParticipantID: "p", SDP: offerText}); !errors.Is(err, stage.ErrNotPublishing) {
		t.Errorf("a viewer that comes meanwhile gets %v", err)
	}
	p = join(t, s, nil) // within the grace period
	until(t, "it is attached", func() bool { return attached(s.participants[key{"arn", "p"}]) == 1 })
	au := p.picture(1000)
	if got := receive(t, v.pictures, "picture of the second connection"); !equalNALUs(got.NALUs, au.NALUs) {
		t.Error("the picture came changed")
	}
	if err := p.sink.Close(nil); err != nil {
		t.Fatal(err)
	}
	if reason := receive(t, v.ended, "end"); !strings.Contains(reason, "did not come back") {
		t.Errorf("ended: %s", reason)
	}
	if n := len(s.Stats()); n != 0 {
		t.Errorf("%d participants are left", n)
	}
}

func TestDisconnect(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Disconnect(ctx, "arn", "p"); err != nil {
		t.Fatal(err)
	}
	receive(t, v.ended, "end")
	err := p.sink.WriteVideo(&ingest.AccessUnit{NALUs: [][]byte{{0x65, 1}}})
	if r := (*ingest.Rejection)(nil); !errors.As(err, &r) || r.Code != ingest.Disconnected {
		t.Errorf("the publisher is told %v", err)
	}
	if err := p.sink.Close(err); err != nil {
		t.Error(err)
	}
	if err := s.Disconnect(ctx, "arn", "nobody"); err != nil {
		t.Errorf("nobody to disconnect: %v", err)
	}
}

func TestViewerThatNeverConnectsIsDropped(t *testing.T) {
	s := newSFU(t, Options{ConnectTimeout: 50 * time.Millisecond, MaxViewers: 1})
	join(t, s, nil)
	ended := make(chan string, 2)
	offer := stage.Offer{StageARN: "arn", ParticipantID: "p", SDP: offerText, Ended: func(reason string) { ended <- reason }}
	if _, err := s.Subscribe(context.Background(), offer); err != nil {
		t.Fatal(err)
	}
	var full *ingest.Rejection
	if _, err := s.Subscribe(context.Background(), offer); !errors.As(err, &full) || full.Code != ingest.QuotaExceeded {
		t.Errorf("one too many gets %v", err)
	}
	if reason := receive(t, ended, "end"); !strings.Contains(reason, "did not connect") {
		t.Errorf("ended: %s", reason)
	}
	until(t, "its place is free again", func() bool {
		_, err := s.Subscribe(context.Background(), offer)
		return err == nil
	})
	receive(t, ended, "end")
	select {
	case reason := <-ended:
		t.Errorf("ended once more: %s", reason)
	default:
	}
}

func TestViewerThatVanishesIsGivenUp(t *testing.T) {
	s := newSFU(t, Options{ConsentTimeout: 500 * time.Millisecond})
	join(t, s, nil)
	var gone atomic.Bool
	setting := loopback(t, false, func(c net.PacketConn) net.PacketConn {
		return &silent{PacketConn: c, silent: &gone}
	})
	v := watchOver(t, s, setting, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	gone.Store(true)
	if reason := receive(t, v.ended, "end"); !strings.Contains(reason, "lost") {
		t.Errorf("ended: %s", reason)
	}
}

// silent sends nothing once it is told so.
type silent struct {
	net.PacketConn
	silent *atomic.Bool
}

func (s *silent) WriteTo(b []byte, to net.Addr) (int, error) {
	if s.silent.Load() {
		return len(b), nil
	}
	return s.PacketConn.WriteTo(b, to)
}

func TestViewerThatClosesIsNoticed(t *testing.T) {
	s := newSFU(t, Options{})
	join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	if err := v.Client.Close(); err != nil {
		t.Fatal(err)
	}
	receive(t, v.ended, "end")
}

func TestViewerThatSpeaksOfTooManyStreamsIsDropped(t *testing.T) {
	s := newSFU(t, Options{})
	join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	until(t, "it is dropped", func() bool {
		select {
		case reason := <-v.ended:
			return strings.Contains(reason, "too many SSRCs")
		default:
		}
		for i := range uint32(100) {
			_ = v.PeerConnection().WriteRTCP(pli(i)) // it fails once the gateway has closed
		}
		return false
	})
}

// TestICERestart moves a viewer to new ICE credentials while pictures flow.
func TestICERestart(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	p.picture(1000)
	receive(t, v.pictures, "picture")

	if answer, err := v.subscription.AddCandidates("a=candidate:1 1 UDP 1 evil.example 1 typ host\r\nnonsense\r\n"); answer != "" || err != nil {
		t.Errorf("candidates alone: %q, %v", answer, err)
	}
	pc := v.PeerConnection()
	offer, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	credentials := regexp.MustCompile(`a=ice-(ufrag|pwd):\S+`)
	fragment := strings.Join(credentials.FindAllString(pc.LocalDescription().SDP, 2), "\r\n")
	before := credentials.FindAllString(v.subscription.Answer(), 2)
	reply, err := v.subscription.AddCandidates(fragment)
	if err != nil {
		t.Fatal(err)
	}
	after := credentials.FindAllString(reply, 2)
	if len(after) != 2 || after[0] == before[0] || after[1] == before[1] || !strings.Contains(reply, "a=candidate:") {
		t.Fatalf("the fragment of the answer is %q", reply)
	}
	answer := strings.NewReplacer(before[0], after[0], before[1], after[1]).Replace(v.subscription.Answer())
	if err := v.Accept(answer); err != nil {
		t.Fatal(err)
	}
	p.n = 0 // an IDR
	until(t, "a picture came after the restart", func() bool {
		p.picture(1000)
		select {
		case <-v.pictures:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
	if again, err := v.subscription.AddCandidates(fragment); again != "" || err != nil {
		t.Errorf("the same fragment again: %q, %v", again, err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s := newSFU(t, Options{})
	join(t, s, nil)
	v := watch(t, s, whepclient.Options{})
	receive(t, v.Connected(), "connection")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if reason := receive(t, v.ended, "end"); reason != "the gateway is stopping" {
		t.Errorf("ended: %s", reason)
	}
	if _, err := s.Join(ctx, stage.Participant{}); err == nil {
		t.Error("one can still join")
	}
}

// TestSequenceNumbersHaveNoHoles watches the packets themselves.
func TestSequenceNumbersHaveNoHoles(t *testing.T) {
	s := newSFU(t, Options{})
	p := join(t, s, nil)
	packets := make(chan rtp.Header, 4096)
	v := watch(t, s, whepclient.Options{OnPacket: func(video bool, p *rtp.Packet, _ time.Time) {
		if video {
			packets <- p.Header
		}
	}})
	receive(t, v.Connected(), "connection")
	for range 30 {
		p.picture(4000)
		receive(t, v.pictures, "picture")
	}
	last := receive(t, packets, "packet")
	for len(packets) > 0 {
		next := <-packets
		if next.SequenceNumber != last.SequenceNumber+1 {
			t.Errorf("%d after %d", next.SequenceNumber, last.SequenceNumber)
		}
		if last.Marker == (next.Timestamp == last.Timestamp) {
			t.Errorf("the marker of %d is %v", last.SequenceNumber, last.Marker)
		}
		last = next
	}
}
