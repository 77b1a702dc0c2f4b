package sfu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/stagedoor/stagedoor/stage"
)

func pli(ssrc uint32) []rtcp.Packet {
	return []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}
}

const (
	sessionText = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	iceText     = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=fingerprint:sha-256 " +
		"7F:70:6D:58:57:35:FF:A4:AD:1E:81:B4:E4:FD:32:35:A7:84:A6:72:6E:63:EB:F9:C9:0A:60:5D:94:46:9F:F2\r\na=setup:actpass\r\na=rtcp-mux\r\n"
	audioText = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n" + iceText
	videoText = "m=video 9 UDP/TLS/RTP/SAVPF 96 102\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n" + iceText
	offerText = sessionText + "a=group:BUNDLE 0 1\r\n" + audioText + videoText
)

// TestOffers answers the offers that real clients made.
func TestOffers(t *testing.T) {
	files, err := filepath.Glob("testdata/offers/*.sdp")
	if err != nil || len(files) == 0 {
		t.Fatal("no offers", err)
	}
	want := map[string]string{ // video payload type, retransmissions, audio payload type
		"chromium-156.sdp":          "108 109 111",
		"webrtcbin-1.22.sdp":        "96 0 100",
		"libdatachannel.sdp":        "96 0 111",
		"safari-order.sdp":          "98 99 111",
		"with-data-channel.sdp":     "102 103 111",
		"sendrecv-no-direction.sdp": "102 0 111",
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n", "\r\n")
			o, err := parseOffer(text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, t := range o.tracks {
				if t != nil {
					got = append(got, strconv.Itoa(int(t.payloadType)))
					if len(got) == 1 {
						got = append(got, strconv.Itoa(int(t.rtxType)))
					}
				}
			}
			if s := strings.Join(got, " "); s != want[filepath.Base(file)] {
				t.Errorf("chose %s, want %s", s, want[filepath.Base(file)])
			}
			checkAnswer(t, o, text)
		})
	}
}

// checkAnswer answers for real and compares the shapes of offer and answer.
func checkAnswer(t *testing.T, o *offer, text string) {
	t.Helper()
	s := newSFU(t, Options{})
	join(t, s, nil)
	sub, err := s.Subscribe(context.Background(), stage.Offer{StageARN: "arn", ParticipantID: "p", SDP: text})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close() }()
	var a sdp.SessionDescription
	if err := a.UnmarshalString(sub.Answer()); err != nil {
		t.Fatal(err)
	}
	if len(a.MediaDescriptions) != len(o.parsed.MediaDescriptions) {
		t.Fatalf("the answer has %d m-lines, the offer %d", len(a.MediaDescriptions), len(o.parsed.MediaDescriptions))
	}
	for i, m := range a.MediaDescriptions {
		offered := o.parsed.MediaDescriptions[i]
		mid, _ := m.Attribute("mid")
		if wantMid, _ := offered.Attribute("mid"); mid != wantMid || m.MediaName.Media != offered.MediaName.Media {
			t.Errorf("m-line %d is %s %s", i, m.MediaName.Media, mid)
		}
		chosen := false
		for _, track := range o.tracks {
			chosen = chosen || track != nil && track.index == i
		}
		if _, sends := m.Attribute("sendonly"); sends != chosen || (m.MediaName.Port.Value != 0) != chosen {
			t.Errorf("m-line %d: sendonly %v, port %d, though chosen is %v", i, sends, m.MediaName.Port.Value, chosen)
		}
		if _, ok := m.Attribute("candidate"); ok != chosen && i == 0 {
			t.Errorf("m-line %d: candidates %v", i, ok)
		}
	}
}

func TestBadOffers(t *testing.T) {
	many := sessionText + strings.Repeat("m=text 0 RTP/AVP 0\r\n", 17)
	for name, c := range map[string]struct{ sdp, detail string }{
		"nothing":            {"", "0 media sections"},
		"no SDP":             {"hello", "valid SDP"},
		"no media":           {sessionText, "0 media sections"},
		"too many sections":  {many, "17 media sections"},
		"too long":           {offerText + strings.Repeat("a=x\r\n", 20000), "bytes"},
		"no H.264":           {strings.ReplaceAll(offerText, "H264/90000", "VP9/90000"), "vp8, vp9"},
		"packetization 0":    {strings.ReplaceAll(offerText, "packetization-mode=1", "packetization-mode=0"), "packetization-mode 0"},
		"no packetization":   {strings.ReplaceAll(offerText, "packetization-mode=1;", ""), "packetization-mode 0"},
		"sends only":         {strings.ReplaceAll(offerText, "recvonly", "sendonly"), "recvonly"},
		"inactive":           {strings.ReplaceAll(offerText, "recvonly", "inactive"), "recvonly"},
		"rejected":           {strings.ReplaceAll(offerText, " 9 UDP", " 0 UDP"), "recvonly"},
		"no ICE":             {strings.ReplaceAll(offerText, "a=ice-ufrag:abcd\r\n", ""), "ice-ufrag"},
		"odd ICE":            {strings.ReplaceAll(offerText, "abcd\r\n", "ab:cd\r\n"), "ice-ufrag"},
		"no fingerprint":     {strings.ReplaceAll(offerText, "a=fingerprint", "a=fingerless"), "fingerprint"},
		"no setup":           {strings.ReplaceAll(offerText, "a=setup:actpass\r\n", ""), "setup"},
		"no mid":             {strings.ReplaceAll(offerText, "a=mid:1\r\n", ""), "mid"},
		"twice the same mid": {strings.ReplaceAll(offerText, "a=mid:1", "a=mid:0"), "same a=mid"},
		"only other audio":   {sessionText + strings.ReplaceAll(audioText, "opus/48000/2", "PCMU/8000"), "pcmu"},
		"odd fingerprint":    {strings.ReplaceAll(offerText, "sha-256 7F", "sha-256"), ""},
		"odd setup":          {strings.ReplaceAll(offerText, "actpass", "perhaps"), ""},
		"short ICE password": {strings.ReplaceAll(offerText, "0123456789abcdef01234567", "x"), "ice-pwd"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSFU(t, Options{})
			join(t, s, nil)
			sub, err := s.Subscribe(context.Background(), stage.Offer{StageARN: "arn", ParticipantID: "p", SDP: c.sdp})
			if err == nil {
				// Some faults show only once ICE or DTLS starts; then nothing may be left over.
				_ = sub.Close()
				if c.detail != "" {
					t.Fatal("the offer was answered")
				}
				return
			}
			var bad *stage.BadOffer
			if !errors.As(err, &bad) || !strings.Contains(bad.Detail, c.detail) {
				t.Errorf("refused with %v; want a *stage.BadOffer that says %q", err, c.detail)
			}
		})
	}
}

func TestNobodyToWatch(t *testing.T) {
	s := newSFU(t, Options{})
	if _, err := s.Subscribe(context.Background(), stage.Offer{StageARN: "arn", ParticipantID: "p", SDP: offerText}); !errors.Is(err, stage.ErrNotPublishing) {
		t.Errorf("got %v", err)
	}
}

func FuzzOffer(f *testing.F) {
	files, _ := filepath.Glob("testdata/offers/*.sdp")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add(offerText)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(text)
		if err != nil {
			var bad *stage.BadOffer
			if !errors.As(err, &bad) {
				t.Fatalf("the error is %T", err)
			}
			if len(bad.Detail) > 2000 {
				t.Fatalf("the detail has %d bytes", len(bad.Detail))
			}
			return
		}
		clean, err := o.clean()
		if err != nil {
			t.Fatal(err)
		}
		// What pion gets to see must mean the same, with nothing smuggled in.
		var again sdp.SessionDescription
		if err := again.UnmarshalString(clean); err != nil {
			t.Fatalf("%v:\n%s", err, clean)
		}
		if strings.Contains(clean, "a=candidate") {
			t.Fatalf("a candidate got through:\n%s", clean)
		}
		if _, err := o.engine(); err != nil {
			t.Skip()
		}
		if _, err := o.answer(clean); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFragment(f *testing.F) {
	f.Add("a=ice-ufrag:x\r\na=ice-pwd:y\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.2 1 typ host\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		ufrag, secret := readFragment(text)
		if isICE(ufrag, minUfrag) && isICE(secret, minSecret) && strings.ContainsAny(ufrag+secret, "\r\n: ") {
			t.Fatalf("%q %q", ufrag, secret)
		}
	})
}
