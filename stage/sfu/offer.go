package sfu

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/stagedoor/stagedoor/stage"
)

const (
	maxSDPBytes = 64 << 10
	maxMedia    = 16

	transportCC = sdp.TransportCCURI
)

// offer is what matters of a viewer's SDP offer.
type offer struct {
	parsed *sdp.SessionDescription
	tracks [kinds]*offeredTrack // nil: not asked for
}

// offeredTrack is one m-line that the viewer gets media on.
type offeredTrack struct {
	index         int // of the m-line
	mid           string
	payloadType   uint8
	fmtp          string
	rtxType       uint8 // video: payload type for retransmissions; 0: none
	feedback      []string
	transportCC   uint8 // id of the header extension; 0: none
	ufrag, secret string
	attributes    []sdp.Attribute // fingerprint, setup
}

// parseOffer reads an offer and chooses what to send. It gives a *stage.BadOffer where
// nothing can be sent.
func parseOffer(text string) (*offer, error) {
	if len(text) > maxSDPBytes {
		return nil, badOffer("The offer has %d bytes; at most %d are allowed.", len(text), maxSDPBytes)
	}
	o := &offer{parsed: &sdp.SessionDescription{}}
	if err := o.parsed.UnmarshalString(text); err != nil {
		return nil, badOffer("The body is not a valid SDP offer (RFC 8866).")
	}
	if n := len(o.parsed.MediaDescriptions); n == 0 || n > maxMedia {
		return nil, badOffer("The offer has %d media sections; 1 to %d are allowed. Ask for one video and one audio section, recvonly.", n, maxMedia)
	}
	var seen []string
	for i, m := range o.parsed.MediaDescriptions {
		k, ok := kindOf(m.MediaName.Media)
		if !ok || o.tracks[k] != nil || !wanted(o.parsed, m) {
			continue
		}
		t := chooseCodec(k, m)
		if t == nil {
			seen = append(seen, m.MediaName.Media+": "+codecNames(m))
			continue
		}
		t.index = i
		if err := t.readTransport(o.parsed, m); err != nil {
			return nil, err
		}
		o.tracks[k] = t
	}
	if v, a := o.tracks[video], o.tracks[audio]; v != nil && a != nil && v.mid == a.mid {
		return nil, badOffer("Two media sections of the offer have the same a=mid.")
	}
	if o.tracks[video] == nil && (o.tracks[audio] == nil || len(seen) > 0) {
		return nil, o.refusal(seen)
	}
	return o, nil
}

// refusal words why nothing can be sent.
func (o *offer) refusal(seen []string) error {
	const allowed = "The stage sends H.264 video (packetization-mode 1) and Opus audio. "
	if len(seen) > 0 {
		return badOffer(allowed+"The offer has %s. Use a browser or player that decodes H.264 "+
			"(Firefox: install the OpenH264 plug-in), and do not remove it from the offer.", strings.Join(seen, "; "))
	}
	return badOffer(allowed + "The offer has no audio or video section that receives: add transceivers with direction recvonly.")
}

func badOffer(format string, args ...any) error {
	return &stage.BadOffer{Detail: fmt.Sprintf(format, args...)}
}

func kindOf(media string) (kind, bool) {
	switch media {
	case "video":
		return video, true
	case "audio":
		return audio, true
	}
	return 0, false
}

// wanted says whether the viewer wants to receive on the m-line. Port 0 means a rejected
// one unless it is bundled only (RFC 9143, 6).
func wanted(s *sdp.SessionDescription, m *sdp.MediaDescription) bool {
	if m.MediaName.Port.Value == 0 {
		if _, bundled := m.Attribute("bundle-only"); !bundled {
			return false
		}
	}
	for _, has := range []func(string) (string, bool){m.Attribute, s.Attribute} {
		for _, direction := range []string{"recvonly", "sendrecv"} {
			if _, ok := has(direction); ok {
				return true
			}
		}
		for _, direction := range []string{"sendonly", "inactive"} {
			if _, ok := has(direction); ok {
				return false
			}
		}
	}
	return true // sendrecv is the default (RFC 8866, 6.7)
}

// chooseCodec picks the payload type to send with, nil where none fits.
func chooseCodec(k kind, m *sdp.MediaDescription) *offeredTrack {
	formats := readFormats(m)
	best, bestRank := -1, 0
	for i, f := range formats {
		if rank := f.rank(k); rank > bestRank {
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		return nil
	}
	t := &offeredTrack{payloadType: formats[best].payloadType, fmtp: formats[best].fmtp}
	for _, f := range formats {
		if k == video && f.codec == "rtx/90000" && f.parameter("apt") == strconv.Itoa(int(t.payloadType)) {
			t.rtxType = f.payloadType
		}
	}
	for _, a := range m.Attributes {
		switch a.Key {
		case "rtcp-fb":
			if pt, value, _ := strings.Cut(a.Value, " "); pt == "*" || pt == strconv.Itoa(int(t.payloadType)) {
				t.feedback = append(t.feedback, value)
			}
		case "extmap":
			id, uri, _ := strings.Cut(a.Value, " ")
			id, _, _ = strings.Cut(id, "/")
			// Ids above 14 need the two-byte form (RFC 8285, 4.2), which is not worth it.
			if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= 14 && strings.TrimSpace(uri) == transportCC {
				t.transportCC = uint8(n)
			}
		}
	}
	return t
}

// format is one payload type of an m-line.
type format struct {
	payloadType uint8
	codec       string // encoding name and clock rate, in lower case
	fmtp        string
}

func readFormats(m *sdp.MediaDescription) []format {
	var formats []format
	for _, id := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(id, 10, 7)
		if err != nil {
			continue
		}
		f := format{payloadType: uint8(pt)}
		for _, a := range m.Attributes {
			switch of, value, _ := strings.Cut(a.Value, " "); {
			case of != id:
			case a.Key == "rtpmap":
				f.codec = strings.ToLower(strings.TrimSpace(value))
			case a.Key == "fmtp":
				f.fmtp = strings.TrimSpace(value)
			}
		}
		formats = append(formats, f)
	}
	return formats
}

// parameter gives a format parameter, without regard to the name's case.
func (f format) parameter(name string) string {
	for p := range strings.SplitSeq(f.fmtp, ";") {
		if key, value, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// rank says how well a format suits; 0 is not at all. Stages carry Constrained Baseline,
// which Baseline, Main and High decode too.
func (f format) rank(k kind) int {
	if k == audio {
		if f.codec == "opus/48000/2" {
			return 1
		}
		return 0
	}
	if f.codec != "h264/90000" || f.parameter("packetization-mode") != "1" {
		return 0
	}
	switch profile := strings.ToLower(f.parameter("profile-level-id")); {
	case strings.HasPrefix(profile, "42e0"):
		return 5
	case strings.HasPrefix(profile, "42"):
		return 4
	case strings.HasPrefix(profile, "4d"):
		return 3
	case strings.HasPrefix(profile, "64"):
		return 2
	}
	return 1
}

func codecNames(m *sdp.MediaDescription) string {
	var names []string
	for _, f := range readFormats(m) {
		name, _, _ := strings.Cut(f.codec, "/")
		if name == "" || name == "rtx" || name == "red" || name == "ulpfec" || len(names) == 8 {
			continue
		}
		if name == "h264" && f.parameter("packetization-mode") != "1" {
			name = "h264 with packetization-mode 0"
		}
		if len(name) <= 40 && !contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "no codec"
	}
	return strings.Join(names, ", ")
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// readTransport reads the ICE and DTLS attributes, which may stand in the m-line or above all
// of them.
func (t *offeredTrack) readTransport(s *sdp.SessionDescription, m *sdp.MediaDescription) error {
	attribute := func(key string) string {
		if v, ok := m.Attribute(key); ok {
			return v
		}
		v, _ := s.Attribute(key)
		return v
	}
	t.mid, t.ufrag, t.secret = attribute("mid"), attribute("ice-ufrag"), attribute("ice-pwd")
	if t.mid == "" {
		return badOffer("A media section of the offer has no a=mid; WebRTC offers have one (RFC 8829).")
	}
	if !isICE(t.ufrag, minUfrag) || !isICE(t.secret, minSecret) {
		return badOffer("The offer's a=ice-ufrag or a=ice-pwd is missing or malformed (RFC 8839, 5.4).")
	}
	for _, key := range []string{"fingerprint", "setup"} {
		value := attribute(key)
		if value == "" {
			return badOffer("The offer has no a=%s, so DTLS cannot start (RFC 8842).", key)
		}
		t.attributes = append(t.attributes, sdp.Attribute{Key: key, Value: value})
	}
	return nil
}

// The lengths of ICE credentials in characters (RFC 8839, 5.4).
const (
	minUfrag  = 4
	minSecret = 22
	maxICE    = 256
)

// isICE says whether s is made of ice-chars and has a valid length (RFC 8839, 5.1, 5.4). Some
// clients' credentials have = as well.
func isICE(s string, least int) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("+/=-_", rune(c)) {
			return false
		}
	}
	return len(s) >= least && len(s) <= maxICE
}

// clean is the offer as pion gets to see it: only the chosen m-lines and codecs, receiving
// only, without candidates. The viewer's connectivity checks tell where it is, and a name or
// an address that a stranger wrote into a text is never looked up or sent to.
func (o *offer) clean() (string, error) {
	c := &sdp.SessionDescription{
		Origin:           sdp.Origin{Username: "-", SessionID: 1, SessionVersion: 1, NetworkType: "IN", AddressType: "IP4", UnicastAddress: "0.0.0.0"},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	group := "BUNDLE"
	for _, m := range o.parsed.MediaDescriptions {
		for _, t := range o.tracks {
			if t != nil && o.parsed.MediaDescriptions[t.index] == m {
				group += " " + t.mid
				c.MediaDescriptions = append(c.MediaDescriptions, t.media(m.MediaName.Media))
			}
		}
	}
	c.Attributes = []sdp.Attribute{{Key: "group", Value: group}}
	text, err := c.Marshal()
	return string(text), err
}

func (t *offeredTrack) media(name string) *sdp.MediaDescription {
	pt := strconv.Itoa(int(t.payloadType))
	m := &sdp.MediaDescription{
		MediaName:             sdp.MediaName{Media: name, Port: sdp.RangedPort{Value: 9}, Protos: []string{"UDP", "TLS", "RTP", "SAVPF"}, Formats: []string{pt}},
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"}},
	}
	add := func(key, value string) { m.Attributes = append(m.Attributes, sdp.Attribute{Key: key, Value: value}) }
	add("mid", t.mid)
	add("ice-ufrag", t.ufrag)
	add("ice-pwd", t.secret)
	m.Attributes = append(m.Attributes, t.attributes...)
	add("recvonly", "")
	add("rtcp-mux", "")
	add("rtcp-rsize", "")
	codec := "H264/90000"
	if name == "audio" {
		codec = "opus/48000/2"
	}
	add("rtpmap", pt+" "+codec)
	if t.fmtp != "" {
		add("fmtp", pt+" "+t.fmtp)
	}
	for _, f := range t.feedback {
		add("rtcp-fb", pt+" "+f)
	}
	if t.rtxType != 0 {
		rtx := strconv.Itoa(int(t.rtxType))
		m.MediaName.Formats = append(m.MediaName.Formats, rtx)
		add("rtpmap", rtx+" rtx/90000")
		add("fmtp", rtx+" apt="+pt)
	}
	if t.transportCC != 0 {
		add("extmap", strconv.Itoa(int(t.transportCC))+" "+transportCC)
	}
	return m
}
