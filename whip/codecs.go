package whip

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/stagedoor/stagedoor/ingest"
)

// format is a payload type as an SDP section describes it (RFC 8866, 6.6 and 6.15).
type format struct {
	payloadType string
	name        string // in upper case
	clock       string // the rest of a=rtpmap: rate and channels
	parameters  map[string]string
	feedback    []string
}

// formats gives a section's payload types, in its order of preference.
func formats(m *sdp.MediaDescription) []format {
	list := make([]format, 0, len(m.MediaName.Formats))
	index := make(map[string]int, len(m.MediaName.Formats))
	for _, pt := range m.MediaName.Formats {
		n, err := strconv.ParseUint(pt, 10, 8)
		if err != nil || n > 127 || strconv.FormatUint(n, 10) != pt {
			continue
		}
		if _, twice := index[pt]; !twice {
			index[pt] = len(list)
			list = append(list, format{payloadType: pt, parameters: map[string]string{}})
		}
	}
	for _, a := range m.Attributes {
		pt, value, _ := strings.Cut(a.Value, " ")
		if a.Key == "rtcp-fb" && pt == "*" { // for all payload types (RFC 4585, 4.2)
			for i := range list {
				list[i].feedback = append(list[i].feedback, strings.ToLower(strings.TrimSpace(value)))
			}
		}
		i, ok := index[pt]
		if !ok {
			continue
		}
		switch f := &list[i]; a.Key {
		case "rtpmap":
			name, clock, _ := strings.Cut(strings.TrimSpace(value), "/")
			f.name, f.clock = strings.ToUpper(name), clock
		case "fmtp":
			for _, p := range strings.Split(value, ";") {
				key, v, _ := strings.Cut(strings.TrimSpace(p), "=")
				f.parameters[strings.ToLower(key)] = v
			}
		case "rtcp-fb":
			f.feedback = append(f.feedback, strings.ToLower(strings.TrimSpace(value)))
		}
	}
	return list
}

// h264Format is the H.264 payload type that is answered.
type h264Format struct {
	payloadType string
	rtx         string // the payload type of its retransmissions (RFC 4588); may be empty
	mode        string // packetization-mode, 0 or 1
	profile     string // profile-level-id, six hexadecimal digits
	sets        [][]byte
	resends     bool // the publisher offers to send packets again
}

// chooseH264 takes the section's best H.264 payload type: packetization-mode 1 before 0,
// constrained baseline before baseline before the rest, then the publisher's order. That the
// stream is baseline is for package validate to say, of the SPS: encoders send other
// profiles than they offer.
func chooseH264(m *sdp.MediaDescription) (*h264Format, error) {
	list := formats(m)
	var chosen *h264Format
	var names []string
	rank := -1
	for _, f := range list {
		if !slices.Contains(names, f.name) && f.name != "" && f.name != "RTX" {
			names = append(names, f.name)
		}
		if f.name != "H264" || f.clock != "90000" {
			continue
		}
		h := &h264Format{
			payloadType: f.payloadType, mode: f.parameters["packetization-mode"], profile: f.parameters["profile-level-id"],
			sets: decodeSets(f.parameters["sprop-parameter-sets"]),
		}
		for _, fb := range f.feedback {
			h.resends = h.resends || fb == "nack"
		}
		if h.mode == "" {
			h.mode = "0" // the default (RFC 6184, 8.1)
		}
		idc, err := hex.DecodeString(h.profile)
		if err != nil || len(idc) != 3 {
			h.profile, idc = "42000a", []byte{0x42, 0, 0x0a} // the default (RFC 6184, 8.1)
		}
		if h.mode != "0" && h.mode != "1" {
			continue // interleaved
		}
		if r := rankH264(h.mode, idc); r > rank {
			chosen, rank = h, r
		}
	}
	if chosen == nil {
		return nil, ingest.Rejectf(ingest.InvalidVideoCodec, "The video codecs offered are %s; a stage takes H.264 only, with packetization-mode 0 or 1. "+
			"OBS: choose an H.264 encoder (x264) under Settings, Output. Browsers: put video/H264 first with setCodecPreferences; a Firefox that offers VP8 only lacks its OpenH264 plugin (about:addons, Plugins).",
			printableList(names))
	}
	for _, f := range list {
		if f.name == "RTX" && f.parameters["apt"] == chosen.payloadType {
			chosen.rtx = f.payloadType
			break
		}
	}
	return chosen, nil
}

func rankH264(mode string, profile []byte) int {
	rank := 0
	if mode == "1" {
		rank = 10
	}
	switch {
	case profile[0] == 0x42 && profile[1]&0x40 != 0: // constrained baseline (A.2.1.1)
		return rank + 2
	case profile[0] == 0x42:
		return rank + 1
	}
	return rank
}

// decodeSets reads sprop-parameter-sets (RFC 6184, 8.1). What cannot be read is left out,
// because the stream itself may have it.
func decodeSets(value string) (sets [][]byte) {
	for _, s := range strings.Split(value, ",") {
		nalu, err := base64.StdEncoding.DecodeString(s)
		if err == nil && len(nalu) > 1 && len(sets) < maxPPS {
			sets = append(sets, nalu)
		}
	}
	return sets
}

func (h *h264Format) fmtp() string {
	return fmt.Sprintf("level-asymmetry-allowed=1;packetization-mode=%s;profile-level-id=%s", h.mode, h.profile)
}

func (h *h264Format) number() uint8 { return number(h.payloadType) }

// lines describes the format as it is negotiated.
func (h *h264Format) lines() []sdp.Attribute {
	lines := []sdp.Attribute{
		sdp.NewAttribute("rtpmap", h.payloadType+" H264/90000"),
		sdp.NewAttribute("fmtp", h.payloadType+" "+h.fmtp()),
	}
	if h.rtx != "" {
		lines = append(lines, sdp.NewAttribute("rtpmap", h.rtx+" rtx/90000"), sdp.NewAttribute("fmtp", h.rtx+" apt="+h.payloadType))
	}
	return lines
}

// opusFormat is the Opus payload type that is answered.
type opusFormat struct {
	payloadType string
	stereo      bool // the publisher says that it may send two channels
}

// chooseOpus takes the section's first Opus payload type.
func chooseOpus(m *sdp.MediaDescription) (*opusFormat, error) {
	var names []string
	for _, f := range formats(m) {
		if f.name == "OPUS" && strings.HasPrefix(f.clock, "48000") {
			return &opusFormat{payloadType: f.payloadType, stereo: f.parameters["stereo"] == "1" || f.parameters["sprop-stereo"] == "1"}, nil
		}
		if f.name != "" && !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return nil, ingest.Rejectf(ingest.InvalidAudioCodec, "The audio codecs offered are %s; a stage takes Opus at 48 kHz only over WHIP. OBS chooses it by itself for the service WHIP; ffmpeg: -c:a libopus -ar 48000.",
		printableList(names))
}

// fmtp asks for stereo only where it was offered: asked, a browser codes even a mono
// microphone as two channels.
func (o *opusFormat) fmtp() string {
	if o.stereo {
		return "minptime=10;useinbandfec=1;stereo=1"
	}
	return "minptime=10;useinbandfec=1"
}

// number gives the payload type; 0 where there is no audio.
func (o *opusFormat) number() uint8 {
	if o == nil {
		return 0
	}
	return number(o.payloadType)
}

func (o *opusFormat) lines() []sdp.Attribute {
	return []sdp.Attribute{
		sdp.NewAttribute("rtpmap", o.payloadType+" opus/48000/2"),
		sdp.NewAttribute("fmtp", o.payloadType+" "+o.fmtp()),
	}
}

// The header extensions that are answered: those that the feedback and the simulcast need.
var (
	videoExtensions = []string{
		"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
		sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI,
	}
	audioExtensions = []string{
		"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
		sdp.SDESMidURI,
	}
)

// mediaEngine gives pion exactly the offer's formats, under the offer's own numbers.
func (o *offer) mediaEngine() (*webrtc.MediaEngine, error) {
	engine := new(webrtc.MediaEngine)
	feedback := []webrtc.RTCPFeedback{
		{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "goog-remb"}, {Type: "transport-cc"},
	}
	codecs := []webrtc.RTPCodecParameters{parameters(o.video.payloadType, webrtc.MimeTypeH264, videoClockRate, 0, o.video.fmtp(), feedback)}
	if o.video.rtx != "" {
		codecs = append(codecs, parameters(o.video.rtx, webrtc.MimeTypeRTX, videoClockRate, 0, "apt="+o.video.payloadType, nil))
	}
	for _, c := range codecs {
		if err := engine.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps it
		}
	}
	if o.audio != nil {
		opus := parameters(o.audio.payloadType, webrtc.MimeTypeOpus, opusClockRate, 2, o.audio.fmtp(), []webrtc.RTCPFeedback{{Type: "transport-cc"}})
		if err := engine.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, err //nolint:wrapcheck // the caller wraps it
		}
	}
	for kind, uris := range map[webrtc.RTPCodecType][]string{webrtc.RTPCodecTypeVideo: videoExtensions, webrtc.RTPCodecTypeAudio: audioExtensions} {
		for _, uri := range uris {
			if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err //nolint:wrapcheck // the caller wraps it
			}
		}
	}
	return engine, nil
}

func parameters(payloadType, mime string, rate uint32, channels uint16, fmtp string, feedback []webrtc.RTCPFeedback) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		PayloadType:        webrtc.PayloadType(number(payloadType)),
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: feedback},
	}
}

// number reads a payload type, which formats has checked.
func number(payloadType string) uint8 {
	pt, _ := strconv.ParseUint(payloadType, 10, 7)
	return uint8(pt)
}

func printableList(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return printable(strings.Join(names, ", "))
}
