package whip

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestNeverConnected(t *testing.T) {
	d := newDoor(t, nil)
	d.handler.limits.connect = 50 * time.Millisecond
	checkCreated(t, d.post(t, "token", craft(t)))
	if r := ingest.AsRejection(d.sink(t).waitClosed(t)); r == nil || r.Code != ingest.Disconnected || !strings.Contains(r.Detail, "did not connect") {
		t.Errorf("closed with %v", r)
	}
}

func TestConsentLost(t *testing.T) {
	d := newDoor(t, nil)
	d.handler.limits.consent = 3 * time.Second
	relay := newRelay(t)
	p := newPeer(t, nil)
	res := d.post(t, "token", p.offer(t, nil))
	checkCreated(t, res)
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: relay.through(t, res.body)}); err != nil {
		t.Fatal(err)
	}
	p.waitConnected(t)
	sink := d.sink(t)
	p.stream(t)
	sink.waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) > 10 })
	relay.cut()
	if r := ingest.AsRejection(sink.waitClosed(t)); r == nil || r.Code != ingest.Disconnected || !strings.Contains(r.Detail, "Nothing came") {
		t.Errorf("closed with %v", r)
	}
}

func TestWrongFingerprint(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	offer := p.offer(t, nil)
	right := line(offer, "a=fingerprint:")
	wrong := strings.TrimRight(right, "\r\n")
	digit := "0"
	if strings.HasSuffix(wrong, "0") {
		digit = "1"
	}
	res := d.post(t, "token", strings.ReplaceAll(offer, right, wrong[:len(wrong)-1]+digit+"\r\n"))
	checkCreated(t, res)
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: res.body}); err != nil {
		t.Fatal(err)
	}
	if r := ingest.AsRejection(d.sink(t).waitClosed(t)); r == nil || !strings.Contains(r.Detail, "fingerprint") {
		t.Errorf("closed with %v", r)
	}
}

func TestICETCP(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, func(s *webrtc.SettingEngine) { s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4}) })
	res := d.post(t, "token", p.offer(t, nil))
	checkCreated(t, res)
	answer := res.body
	for l := range strings.Lines(res.body) {
		if strings.HasPrefix(l, "a=candidate:") && strings.Contains(l, " udp ") {
			answer = strings.Replace(answer, l, "", 1)
		}
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	p.waitConnected(t)
	p.stream(t)
	sink := d.sink(t)
	sink.waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) > 60 })
	checkWhole(t, sink)
}

func TestIPv6(t *testing.T) {
	conn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback")
	}
	t.Cleanup(func() { _ = conn.Close() })
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn}) // by itself pion does not use ::1
	t.Cleanup(func() { _ = mux.Close() })
	d := newDoorAt(t, "::1", nil)
	p := newPeer(t, func(s *webrtc.SettingEngine) {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP6})
		s.SetICEUDPMux(mux)
	})
	sink := p.connect(t, d, "token")
	p.stream(t)
	sink.waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) > 60 })
	checkWhole(t, sink)
}

func TestDTLSActivePublisher(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, func(s *webrtc.SettingEngine) {
		if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
			t.Fatal(err)
		}
	})
	res := d.post(t, "token", strings.ReplaceAll(p.offer(t, nil), "a=setup:actpass", "a=setup:active"))
	checkCreated(t, res)
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: res.body}); err != nil {
		t.Fatal(err)
	}
	p.waitConnected(t)
	p.stream(t)
	d.sink(t).waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) > 10 })
}

// An audio track alone is a publisher too, as long as the offer has H.264.
func TestAudioOnly(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for i := range 200 {
		<-pace.C
		if err := p.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}, Payload: []byte{0xfc, 1}}); err != nil {
			t.Fatal(err)
		}
	}
	sink.waitFor(t, "sound", func(r *recorder) bool { return len(r.audio) > 100 })
	if len(sink.pictures()) != 0 {
		t.Error("pictures came out of nothing")
	}
}

// An SSRC that was not offered costs memory: a session ends that sends too many.
func TestStrangersEndTheSession(t *testing.T) {
	for name, payloadType := range map[string]uint8{"of an unknown format": 77, "of a known format": 106} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, nil)
			p := newPeer(t, nil, &impostor{payloadType: payloadType, ssrc: new(atomic.Uint32)})
			sink := p.connect(t, d, "token")
			p.stream(t)
			if r := ingest.AsRejection(sink.waitClosed(t)); r == nil || !strings.Contains(r.Detail, "SSRC") {
				t.Errorf("closed with %v", r)
			}
		})
	}
}

// impostor is an interceptor that gives every packet an SSRC of its own.
type impostor struct {
	interceptor.NoOp
	payloadType uint8
	ssrc        *atomic.Uint32
}

func (i *impostor) NewInterceptor(string) (interceptor.Interceptor, error) { return i, nil }

func (i *impostor) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		h.SSRC, h.PayloadType = i.ssrc.Add(1), i.payloadType
		return w.Write(h, payload, a)
	})
}

// relay stands between a publisher and the gateway's UDP port, and can be cut.
type relay struct {
	conn net.PacketConn
	done chan struct{}
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{conn: conn, done: make(chan struct{})}
	t.Cleanup(func() {
		_ = conn.Close()
		<-r.done
	})
	return r
}

func (r *relay) cut() { _ = r.conn.Close() }

// through gives an answer whose only candidate is the relay.
func (r *relay) through(t *testing.T, answer string) string {
	t.Helper()
	var gateway net.Addr
	var out strings.Builder
	for l := range strings.Lines(answer) {
		fields := strings.Fields(l)
		if !strings.HasPrefix(l, "a=candidate:") {
			out.WriteString(l)
			continue
		}
		if gateway == nil && fields[2] == "udp" {
			addr, err := net.ResolveUDPAddr("udp4", net.JoinHostPort(fields[4], fields[5]))
			if err != nil {
				t.Fatal(err)
			}
			gateway = addr
			_, port, _ := net.SplitHostPort(r.conn.LocalAddr().String())
			fields[5] = port
			out.WriteString(strings.Join(fields, " ") + "\r\n")
		}
	}
	go r.run(gateway)
	return out.String()
}

func (r *relay) run(gateway net.Addr) {
	defer close(r.done)
	var publisher net.Addr
	buf := make([]byte, 2000)
	for {
		n, from, err := r.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		to := gateway
		if from.String() == gateway.String() {
			to = publisher
		} else {
			publisher = from
		}
		if to != nil {
			_, _ = r.conn.WriteTo(buf[:n], to)
		}
	}
}
