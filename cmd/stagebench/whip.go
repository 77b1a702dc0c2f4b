package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
)

const (
	whipTimeout = 10 * time.Second
	rtpPayload  = 1188 // bytes in a packet
)

// whipUplink publishes over WHIP (RFC 9725): the clip's pictures in RTP, its sound as Opus.
type whipUplink struct {
	pc       *webrtc.PeerConnection
	video    *webrtc.TrackLocalStaticRTP
	audio    *webrtc.TrackLocalStaticRTP
	sets     [][]byte // SPS and PPS, sent before each IDR picture
	payload  codecs.H264Payloader
	videoSeq uint16
	audioSeq uint16
	end      chan struct{}
}

func dialWHIP(ctx context.Context, c *clip, endpoint, token string) (*whipUplink, error) {
	ctx, cancel := context.WithTimeout(ctx, whipTimeout)
	defer cancel()
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return nil, errors.Wrap(err, "register codecs")
	}
	var network webrtc.SettingEngine
	network.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(network)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, errors.Wrap(err, "make peer connection")
	}
	u := &whipUplink{pc: pc, sets: parameterSets(c.avc), end: make(chan struct{})}
	if err := u.dial(ctx, endpoint, token); err != nil {
		_ = pc.GracefulClose()
		return nil, err
	}
	return u, nil
}

func (u *whipUplink) dial(ctx context.Context, endpoint, token string) (err error) {
	h264 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}
	if u.video, err = webrtc.NewTrackLocalStaticRTP(h264, "video", "stagebench"); err != nil {
		return errors.Wrap(err, "make track")
	}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: rate48k, Channels: 2}
	if u.audio, err = webrtc.NewTrackLocalStaticRTP(opus, "audio", "stagebench"); err != nil {
		return errors.Wrap(err, "make track")
	}
	for _, track := range []webrtc.TrackLocal{u.video, u.audio} {
		if _, err := u.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			return errors.Wrap(err, "add track")
		}
	}
	connected := make(chan struct{})
	u.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			select {
			case <-connected:
			default:
				close(connected)
			}
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			select {
			case <-u.end:
			default:
				close(u.end)
			}
		}
	})
	offer, err := u.pc.CreateOffer(nil)
	if err != nil {
		return errors.Wrap(err, "create offer")
	}
	gathered := webrtc.GatheringCompletePromise(u.pc)
	if err := u.pc.SetLocalDescription(offer); err != nil {
		return errors.Wrap(err, "set offer")
	}
	<-gathered
	answer, err := postSDP(ctx, endpoint, token, u.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := u.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return errors.Wrap(err, "set answer")
	}
	select {
	case <-connected:
		return nil
	case <-ctx.Done():
		return errors.Wrap(ctx.Err(), "WHIP: wait for the connection")
	}
}

func postSDP(ctx context.Context, endpoint, token, offer string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(offer))
	if err != nil {
		return "", errors.Wrap(err, "WHIP")
	}
	request.Header.Set("Content-Type", "application/sdp")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", errors.Wrap(err, "WHIP")
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", errors.Wrap(err, "WHIP")
	}
	if response.StatusCode/100 != 2 {
		return "", errors.Errorf("WHIP: %s: %s", response.Status, strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}

// write sends a picture or an Opus packet. The first error of the network shows as the
// connection's end.
func (u *whipUplink) write(e *event, at uint32) error {
	if e.number < 0 {
		return nil
	}
	if e.kind == flv.Audio {
		u.audioSeq++
		return u.audio.WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: u.audioSeq, Timestamp: at * (rate48k / 1000)},
			Payload: e.body,
		})
	}
	units := avcUnits(e.body[5:])
	if e.body[0]>>4 == 1 {
		units = append(append([][]byte(nil), u.sets...), units...)
	}
	var payloads [][]byte
	for _, n := range units {
		payloads = append(payloads, u.payload.Payload(rtpPayload, n)...)
	}
	for i, payload := range payloads {
		u.videoSeq++
		p := &rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: u.videoSeq, Timestamp: at * 90, Marker: i == len(payloads)-1},
			Payload: payload,
		}
		if err := u.video.WriteRTP(p); err != nil {
			return err
		}
	}
	return nil
}

func (u *whipUplink) ended() <-chan struct{} { return u.end }
func (u *whipUplink) err() error             { return errors.New("the WHIP connection was lost") }
func (u *whipUplink) close()                 { _ = u.pc.GracefulClose() }

// parameterSets reads SPS and PPS from an AVCDecoderConfigurationRecord (ISO/IEC 14496-15,
// 5.2.4.1).
func parameterSets(record []byte) (sets [][]byte) {
	if len(record) < 6 {
		return nil
	}
	b := record[5:]
	for _, mask := range []byte{0x1f, 0xff} {
		if len(b) == 0 {
			return sets
		}
		count := b[0] & mask
		b = b[1:]
		for range count {
			if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
				return sets
			}
			n := int(b[0])<<8 | int(b[1])
			sets = append(sets, b[2:2+n])
			b = b[2+n:]
		}
	}
	return sets
}
