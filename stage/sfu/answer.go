package sfu

import (
	"context"
	"strconv"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"
)

// feedbacks is what the SFU understands of a viewer's RTCP feedback (RFC 4585, RFC 5104).
func feedbacks() []webrtc.RTCPFeedback {
	return []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"}}
}

// opusAnswer tells the viewer that the sound may be stereo (RFC 7587, 6.1).
const opusAnswer = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"

// engine makes a media engine that knows just what was chosen from the offer, so that pion
// cannot choose otherwise.
func (o *offer) engine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	types := [kinds]webrtc.RTPCodecType{video: webrtc.RTPCodecTypeVideo, audio: webrtc.RTPCodecTypeAudio}
	for k, t := range o.tracks {
		if t == nil {
			continue
		}
		codec := webrtc.RTPCodecParameters{
			PayloadType:        webrtc.PayloadType(t.payloadType),
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: t.fmtp, RTCPFeedback: feedbacks()},
		}
		if kind(k) == audio {
			codec.RTPCodecCapability = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: t.fmtp, RTCPFeedback: feedbacks()[3:]}
		}
		if err := m.RegisterCodec(codec, types[k]); err != nil {
			return nil, errors.Wrap(err, "register codec")
		}
		if t.rtxType != 0 {
			rtx := webrtc.RTPCodecParameters{
				PayloadType:        webrtc.PayloadType(t.rtxType),
				RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(int(t.payloadType))},
			}
			if err := m.RegisterCodec(rtx, types[k]); err != nil {
				return nil, errors.Wrap(err, "register retransmission")
			}
		}
		if t.transportCC != 0 {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: transportCC}, types[k]); err != nil {
				return nil, errors.Wrap(err, "register header extension")
			}
		}
	}
	return m, nil
}

// negotiate lets pion answer the offer and gives the answer with all candidates.
func negotiate(ctx context.Context, pc *webrtc.PeerConnection, o *offer) (string, error) {
	clean, err := o.clean()
	if err != nil {
		return "", errors.Wrap(err, "write offer")
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: clean}); err != nil {
		return "", badOffer("The offer cannot be answered: %s.", err.Error())
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", errors.Wrap(err, "create answer")
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", errors.Wrap(err, "set answer")
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", errors.Wrap(ctx.Err(), "gather candidates")
	}
	return o.answer(pc.LocalDescription().SDP)
}

// answer makes the viewer's answer of pion's: the m-lines that pion did not see are put back
// as rejected ones, since an answer has as many as its offer, in the same order (RFC 3264, 6).
func (o *offer) answer(text string) (string, error) {
	a := &sdp.SessionDescription{}
	if err := a.UnmarshalString(text); err != nil {
		return "", errors.Wrap(err, "read answer")
	}
	answered := make(map[string]*sdp.MediaDescription, len(a.MediaDescriptions))
	for _, m := range a.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		answered[mid] = m
	}
	a.MediaDescriptions = a.MediaDescriptions[:0]
	for i, m := range o.parsed.MediaDescriptions {
		line := rejected(m)
		for k, t := range o.tracks {
			if t != nil && t.index == i && answered[t.mid] != nil {
				line = answered[t.mid]
				t.finish(kind(k), line)
			}
		}
		a.MediaDescriptions = append(a.MediaDescriptions, line)
	}
	out, err := a.Marshal()
	return string(out), errors.Wrap(err, "write answer")
}

// finish corrects what pion copies from the offer but the answer should say for itself.
func (t *offeredTrack) finish(k kind, m *sdp.MediaDescription) {
	if k != audio {
		return
	}
	fmtp := sdp.Attribute{Key: "fmtp", Value: strconv.Itoa(int(t.payloadType)) + " " + opusAnswer}
	for i, a := range m.Attributes {
		if a.Key == "fmtp" {
			m.Attributes[i] = fmtp
			return
		}
	}
	m.Attributes = append(m.Attributes, fmtp)
}

func rejected(offered *sdp.MediaDescription) *sdp.MediaDescription {
	m := &sdp.MediaDescription{
		MediaName:             sdp.MediaName{Media: offered.MediaName.Media, Protos: offered.MediaName.Protos, Formats: offered.MediaName.Formats},
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"}},
		Attributes:            []sdp.Attribute{{Key: "inactive"}},
	}
	if mid, ok := offered.Attribute("mid"); ok {
		m.Attributes = append(m.Attributes, sdp.Attribute{Key: "mid", Value: mid})
	}
	return m
}
