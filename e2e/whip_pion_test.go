//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/stagedoor/stagedoor/internal/flv"
)

// dialWHIP publishes by pion: the clip's pictures, and Opus packets of silence in the place
// of its sound.
func dialWHIP(t *testing.T, g *Gateway) scriptWriter {
	t.Helper()
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(loopback())).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	video := sendTrack(t, pc, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"})
	audio := sendTrack(t, pc, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2})
	connected := make(chan struct{}, 1)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			connected <- struct{}{}
		}
	})
	postWHIP(t, g, pc)
	select {
	case <-connected:
	case <-time.After(20 * time.Second):
		t.Fatal("the WHIP publisher does not get connected")
	}
	var payloader codecs.H264Payloader
	var videoSeq, audioSeq uint16
	return func(item *scriptItem, timestamp uint32, last func()) error {
		if item.Type == flv.Audio {
			audioSeq++
			return audio.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: audioSeq, Timestamp: timestamp * 48},
				Payload: []byte{0xf8, 0xff, 0xfe}, // 20 ms of silence (RFC 6716, 3.1)
			})
		}
		if item.picture == nil {
			return nil
		}
		var payloads [][]byte
		for _, n := range item.picture.NALUs {
			payloads = append(payloads, payloader.Payload(1188, n)...)
		}
		for i, payload := range payloads {
			marker := i == len(payloads)-1
			if marker {
				last()
			}
			videoSeq++
			err := video.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: videoSeq, Timestamp: timestamp * 90, Marker: marker},
				Payload: payload,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func sendTrack(t *testing.T, pc *webrtc.PeerConnection, codec webrtc.RTPCodecCapability) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(codec, codec.MimeType, "e2e")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	return track
}

// postWHIP posts the offer and takes the answer.
func postWHIP(t *testing.T, g *Gateway, pc *webrtc.PeerConnection) {
	t.Helper()
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Env["STAGEDOOR_WHIP_URL"], strings.NewReader(pc.LocalDescription().SDP))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/sdp")
	request.Header.Set("Authorization", "Bearer "+g.Env["STAGEDOOR_PUBLISH_TOKEN"])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("WHIP: %s: %s %v", response.Status, answer, err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		t.Fatal(err)
	}
}
