package whip

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

func addOffers(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/offers/*.sdp")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(readFile(f, name))
	}
}

// FuzzOffer: any offer is refused, or brought into a form that is read the same again.
func FuzzOffer(f *testing.F) {
	addOffers(f)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(text)
		if err != nil {
			return
		}
		again, err := parseOffer(o.text)
		if err != nil || again.video.fmtp() != o.video.fmtp() || again.video.payloadType != o.video.payloadType || !slices.Equal(again.rids, o.rids) || again.credentials() != o.credentials() {
			t.Fatalf("the offer\n%s\nis read again as %v\n%+v", o.text, err, again)
		}
		if _, err := o.mediaEngine(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzNegotiation: any offer that is taken is answered or refused by pion.
func FuzzNegotiation(f *testing.F) {
	addOffers(f)
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(text)
		if err != nil {
			return
		}
		engine, err := o.mediaEngine()
		if err != nil {
			t.Fatal(err)
		}
		pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(webrtc.SettingEngine{LoggerFactory: quiet})).NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pc.GracefulClose() }()
		if pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.text}) != nil {
			return
		}
		answer, err := pc.CreateAnswer(nil)
		if err != nil {
			return
		}
		if _, err := finishAnswer(answer.SDP, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		if _, err := answerFragment(answer.SDP); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzPacket: any datagram is refused, or its payload lies within it.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x80\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x41"))
	f.Add([]byte("\xb0\xe0\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xbe\xde\x00\x01\x10\xff\x00\x00\x41\x00\x00\x03"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		p := new(packet)
		n := copy(p.buf[:], datagram)
		if p.parse(n) != nil {
			return
		}
		if len(p.payload) > n {
			t.Fatalf("%d bytes of %d", len(p.payload), n)
		}
		l := newLayer("", 1, true, nil)
		units, _ := l.packets.push(p, false)
		for _, u := range units {
			checkUnit(t, l, u)
		}
	})
}
