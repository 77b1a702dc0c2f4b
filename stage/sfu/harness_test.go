package sfu

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/udpbatch"
	"github.com/stagedoor/stagedoor/internal/whepclient"
	"github.com/stagedoor/stagedoor/stage"
	"go.uber.org/goleak"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loopback makes a setting engine on a UDP port of its own on 127.0.0.1. wrap may be nil.
func loopback(t testing.TB, lite bool, wrap func(net.PacketConn) net.PacketConn) webrtc.SettingEngine {
	t.Helper()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var conn net.PacketConn = udp
	if wrap != nil {
		conn = wrap(conn)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
	t.Cleanup(func() { _ = mux.Close() })
	var s webrtc.SettingEngine
	s.SetICEUDPMux(mux)
	s.SetLite(lite)
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	return s
}

func newSFU(t testing.TB, o Options) *SFU {
	t.Helper()
	o.Batch = udpbatch.New()
	setting := loopback(t, true, func(c net.PacketConn) net.PacketConn { return o.Batch.Wrap(c.(*net.UDPConn)) })
	return newSFUOver(t, setting, o)
}

// newSFUOver makes an SFU over a given network.
func newSFUOver(t testing.TB, setting webrtc.SettingEngine, o Options) *SFU {
	t.Helper()
	o.Setting = setting
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error("close:", err)
		}
	})
	return s
}

// seen is what a viewer received.
type seen struct {
	*whepclient.Client
	subscription stage.Subscription
	pictures     chan *whepclient.Picture
	sounds       chan whepclient.Sound
	reports      chan report
	ended        chan string
}

type report struct {
	video bool
	*rtcp.SenderReport
}

// watch connects a viewer in process.
func watch(t testing.TB, s *SFU, o whepclient.Options) *seen {
	t.Helper()
	return watchOver(t, s, loopback(t, false, nil), o)
}

// watchOver is watch over a given network.
func watchOver(t testing.TB, s *SFU, setting webrtc.SettingEngine, o whepclient.Options) *seen {
	t.Helper()
	return watchChanged(t, s, setting, o, func(answer string) string { return answer })
}

// watchChanged lets the viewer see a changed answer.
func watchChanged(t testing.TB, s *SFU, setting webrtc.SettingEngine, o whepclient.Options, change func(string) string) *seen {
	t.Helper()
	o.Setting = setting
	v := &seen{pictures: make(chan *whepclient.Picture, 4096), sounds: make(chan whepclient.Sound, 4096),
		reports: make(chan report, 64), ended: make(chan string, 2)}
	o.OnPicture = func(p *whepclient.Picture) { v.pictures <- p }
	o.OnSound = func(p whepclient.Sound) { v.sounds <- p }
	o.OnReport = func(video bool, r *rtcp.SenderReport, _ time.Time) { v.reports <- report{video, r} }
	var err error
	if v.Client, err = whepclient.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	offer, err := v.Offer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v.subscription, err = s.Subscribe(ctx, stage.Offer{StageARN: "arn", ParticipantID: "p", ViewerID: "v", SDP: offer,
		Ended: func(reason string) { v.ended <- reason }})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Accept(change(v.subscription.Answer())); err != nil {
		t.Fatalf("the viewer does not like the answer: %v\n%s", err, v.subscription.Answer())
	}
	return v
}

func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

// publisher makes up a stream: an IDR picture every gop pictures, at 30 a second of media,
// and Opus packets of 20 ms.
type publisher struct {
	t    testing.TB
	sink ingest.Sink
	gop  int
	n    int // pictures so far
	rand *rand.Rand
	base time.Duration // added to every PTS
	sent []*ingest.AccessUnit
}

func join(t testing.TB, s *SFU, requestKeyframe func()) *publisher {
	t.Helper()
	in, err := s.Join(context.Background(), stage.Participant{StageARN: "arn", ID: "p", RequestKeyframe: requestKeyframe})
	if err != nil {
		t.Fatal(err)
	}
	return &publisher{t: t, sink: in, gop: 30, rand: newRand()}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

var opusCodec = &ingest.AudioCodec{Name: ingest.Opus, SampleRate: 48000, Channels: 2}

func (p *publisher) nalu(header byte, size int) []byte {
	b := make([]byte, size)
	b[0] = header
	for i := 1; i < size; i++ {
		b[i] = byte(p.rand.Uint32())
	}
	return b
}

const frame = time.Second / 30

// picture writes the next picture, of about the given size, and the sound of its time.
func (p *publisher) picture(size int) *ingest.AccessUnit {
	p.t.Helper()
	au := &ingest.AccessUnit{PTS: p.base + time.Duration(p.n)*frame}
	if p.n%p.gop == 0 {
		au.NALUs = [][]byte{{0x67, 0x42, 0xc0, 0x1f, 0x8c}, {0x68, 0xce, 0x3c, 0x80}, p.nalu(0x65, size)}
	} else {
		au.NALUs = [][]byte{p.nalu(0x41, size)}
	}
	p.n++
	p.sent = append(p.sent, au)
	if err := p.sink.WriteVideo(au); err != nil {
		p.t.Fatal(err)
	}
	return au
}

func (p *publisher) sound(pts time.Duration) {
	p.t.Helper()
	if err := p.sink.WriteAudio(&ingest.AudioFrame{PTS: p.base + pts, Codec: opusCodec, Data: p.nalu(0xfc, 240)}); err != nil {
		p.t.Fatal(err)
	}
}

func equalNALUs(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// lossy drops the packets that drop says, on their way in.
type lossy struct {
	net.PacketConn
	mu   sync.Mutex
	drop func(b []byte) bool
}

func (l *lossy) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := l.PacketConn.ReadFrom(b)
		if err != nil {
			return n, addr, err
		}
		l.mu.Lock()
		drop := l.drop(b[:n])
		l.mu.Unlock()
		if !drop {
			return n, addr, nil
		}
	}
}

// isRTP tells RTP from RTCP, DTLS and STUN (RFC 7983, RFC 5761).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}
