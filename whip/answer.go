package whip

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pkg/errors"
)

// finishAnswer turns pion's answer into the one that is sent. reached is the address at
// which the publisher's HTTP request came in.
func finishAnswer(text string, reached netip.Addr) (string, error) {
	answer := new(sdp.SessionDescription)
	if err := answer.UnmarshalString(text); err != nil {
		return "", errors.Wrap(err, "read the answer")
	}
	for _, m := range answer.MediaDescriptions {
		m.Attributes = arrangeCandidates(m.Attributes, reached)
		if m.MediaName.Media == "video" {
			// Browsers keep to it, beside the feedback (RFC 8866, 5.8; RFC 3890).
			m.Bandwidth = append(m.Bandwidth,
				sdp.Bandwidth{Type: "AS", Bandwidth: maxBitrate / 1000}, sdp.Bandwidth{Type: "TIAS", Bandwidth: maxBitrate})
		}
	}
	out, err := answer.Marshal()
	if err != nil {
		return "", errors.Wrap(err, "write the answer")
	}
	return string(out), nil
}

// arrangeCandidates puts the candidates in the order in which they are likely to work,
// because FFmpeg tries no other than the first one over UDP: the address that the publisher
// reached us at by HTTP comes first, loopback last, UDP before TCP, IPv4 before IPv6. RTCP's
// own candidates are taken out; it is always multiplexed.
func arrangeCandidates(attributes []sdp.Attribute, reached netip.Addr) []sdp.Attribute {
	isCandidate := func(a sdp.Attribute) bool { return a.Key == sdp.AttrKeyCandidate }
	first := slices.IndexFunc(attributes, isCandidate)
	if first < 0 {
		return attributes
	}
	var candidates []sdp.Attribute
	for _, a := range attributes {
		if fields := strings.Fields(a.Value); isCandidate(a) && len(fields) > 5 && fields[1] == "1" {
			candidates = append(candidates, a)
		}
	}
	slices.SortStableFunc(candidates, func(a, b sdp.Attribute) int {
		return distance(a.Value, reached) - distance(b.Value, reached)
	})
	rest := slices.DeleteFunc(slices.Clone(attributes[first:]), isCandidate)
	return slices.Concat(attributes[:first], candidates, rest)
}

// distance is how unlikely a candidate (RFC 8839, 5.1) is to work.
func distance(candidate string, reached netip.Addr) (d int) {
	fields := strings.Fields(candidate)
	addr, err := netip.ParseAddr(fields[4])
	if !strings.EqualFold(fields[2], "udp") {
		d += 8
	}
	switch {
	case err == nil && addr.Unmap() == reached.Unmap():
	case err != nil || addr.IsLoopback() || addr.IsLinkLocalUnicast():
		d += 4
	case addr.Is6():
		d += 2
	default:
		d++
	}
	return d
}

// fragment is what PATCH carries (RFC 8840): the ICE credentials that candidates belong to.
// The candidates themselves are not read, because an ICE-lite agent needs none.
type fragment struct{ ufrag, password string }

// parseFragment reads the first credentials of a fragment; ok is false where they are
// malformed. Having none is in order.
func parseFragment(text string) (f fragment, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if v, is := strings.CutPrefix(line, "a=ice-ufrag:"); is && f.ufrag == "" {
			f.ufrag = v
		}
		if v, is := strings.CutPrefix(line, "a=ice-pwd:"); is && f.password == "" {
			f.password = v
		}
	}
	if f.ufrag == "" {
		return f, true
	}
	return f, iceChars(f.ufrag, 4) && (f.password == "" || iceChars(f.password, 22))
}

// iceChars says whether s is a string of ice-char of a length that is allowed (RFC 8839, 5.4).
func iceChars(s string, atLeast int) bool {
	if len(s) < atLeast || len(s) > 256 {
		return false
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '+' && c != '/' && c != '-' && c != '_' && c != '=' {
			return false
		}
	}
	return true
}

// restarted gives the offer with new ICE credentials (RFC 9725, 4.3.3), which is an ICE
// restart to pion.
func (o *offer) restarted(f fragment) (string, error) {
	for _, m := range o.parts.MediaDescriptions {
		replace(m.Attributes, f)
	}
	replace(o.parts.Attributes, f)
	version := o.parts.Origin.SessionVersion + 1
	o.parts.Origin.SessionVersion = version
	text, err := o.parts.Marshal()
	return string(text), errors.Wrap(err, "write the offer of version "+strconv.FormatUint(version, 10))
}

func replace(attributes []sdp.Attribute, f fragment) {
	for i := range attributes {
		switch attributes[i].Key {
		case "ice-ufrag":
			attributes[i].Value = f.ufrag
		case "ice-pwd":
			attributes[i].Value = f.password
		}
	}
}

// credentials gives the ICE credentials of the offer's first section that has them.
func (o *offer) credentials() (f fragment) {
	sections := [][]sdp.Attribute{o.parts.Attributes}
	for _, m := range o.parts.MediaDescriptions {
		sections = append(sections, m.Attributes)
	}
	for _, attributes := range sections {
		for _, a := range attributes {
			switch a.Key {
			case "ice-ufrag":
				f.ufrag = a.Value
			case "ice-pwd":
				f.password = a.Value
			}
		}
	}
	return f
}

// answerFragment gives the part of an answer that an ICE restart is answered with (RFC 8840,
// section 9; RFC 9725, 4.3.3): the new credentials and the candidates.
func answerFragment(answer string) (string, error) {
	parsed := new(sdp.SessionDescription)
	if err := parsed.UnmarshalString(answer); err != nil {
		return "", errors.Wrap(err, "read the answer")
	}
	var b strings.Builder
	line := func(parts ...string) { b.WriteString("a=" + strings.Join(parts, "") + "\r\n") }
	if group, ok := parsed.Attribute(sdp.AttrKeyGroup); ok {
		line("group:", group)
	}
	line("ice-lite")
	for i, m := range parsed.MediaDescriptions {
		if i == 0 {
			for _, key := range []string{"ice-ufrag", "ice-pwd"} {
				v, _ := m.Attribute(key)
				line(key, ":", v)
			}
		}
		b.WriteString("m=" + m.MediaName.String() + "\r\n")
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		line("mid:", mid)
		for _, a := range m.Attributes {
			if a.Key == sdp.AttrKeyCandidate || a.Key == sdp.AttrKeyEndOfCandidates {
				line(strings.TrimSuffix(a.Key+":"+a.Value, ":"))
			}
		}
	}
	return b.String(), nil
}
