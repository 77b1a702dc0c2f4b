package whip

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/stagedoor/stagedoor/ingest"
)

// The bounds of an offer. Browsers' have two or three sections of a hundred lines each.
const (
	maxOffer      = 128 << 10 // bytes
	maxSections   = 16
	maxAttributes = 1000 // in one section
	maxSSRCLines  = 32   // in one section
	maxLayers     = 4
)

// offer is a publisher's SDP offer (RFC 9725, 4.2), checked, and brought into the one form
// that is answered.
type offer struct {
	text  string // the form that is answered
	video h264Format
	audio *opusFormat // nil: the publisher sends no audio
	rids  []string    // the simulcast layers (RFC 8853); empty: one stream
	parts *sdp.SessionDescription
}

// parseOffer reads an offer. The error is a *ingest.Rejection that says what is wrong with it.
func parseOffer(text string) (*offer, error) {
	parts := new(sdp.SessionDescription)
	if err := parts.UnmarshalString(text); err != nil {
		return nil, ingest.Rejectf(ingest.InvalidInput, "The body is no SDP offer that can be read (RFC 8866). It must be the offer of a WHIP client, unchanged.")
	}
	o := &offer{parts: parts}
	if err := o.checkShape(); err != nil {
		return nil, err
	}
	for _, m := range parts.MediaDescriptions {
		if err := o.readSection(m); err != nil {
			return nil, err
		}
	}
	if o.video.payloadType == "" {
		return nil, ingest.Rejectf(ingest.InvalidInput, "The offer has no video. A stage needs an H.264 video track in the offer even where only audio is published: "+
			"add a sendonly video track, and send nothing on it.")
	}
	if c := o.credentials(); !iceChars(c.ufrag, 4) || !iceChars(c.password, 22) {
		return nil, ingest.Rejectf(ingest.InvalidInput, "The offer's a=ice-ufrag or a=ice-pwd is missing or malformed (RFC 8839, 5.4). It must be the offer of a WHIP client, unchanged.")
	}
	copySetup(parts)
	dropUnusableMID(parts)
	normal, err := parts.Marshal()
	if err != nil {
		return nil, ingest.Rejectf(ingest.InvalidInput, "The SDP offer cannot be written again as it was read.")
	}
	o.text = string(normal)
	return o, nil
}

// checkShape refuses what is too large or not bundled.
func (o *offer) checkShape() error {
	sections := o.parts.MediaDescriptions
	if len(sections) > maxSections {
		return ingest.Rejectf(ingest.InvalidInput, "The offer has %d media sections; at most %d are read, and one of video and one of audio are needed.", len(sections), maxSections)
	}
	if len(sections) == 0 {
		return ingest.Rejectf(ingest.InvalidInput, "The offer has no media section; it needs one of H.264 video, and one of Opus audio where there is sound.")
	}
	group, _ := o.parts.Attribute(sdp.AttrKeyGroup)
	bundled := strings.Fields(group)
	for _, m := range sections {
		ssrcs := 0
		for _, a := range m.Attributes {
			if a.Key == sdp.AttrKeySSRC {
				ssrcs++
			}
		}
		if len(m.Attributes) > maxAttributes || ssrcs > maxSSRCLines {
			return ingest.Rejectf(ingest.InvalidInput, "A media section of the offer has %d attributes, %d of them a=ssrc; at most %d and %d are read.",
				len(m.Attributes), ssrcs, maxAttributes, maxSSRCLines)
		}
		mid, ok := m.Attribute(sdp.AttrKeyMID)
		if !ok && len(sections) == 1 {
			m.WithValueAttribute(sdp.AttrKeyMID, "0")
			continue
		}
		if len(sections) > 1 && (len(bundled) == 0 || bundled[0] != "BUNDLE" || !slices.Contains(bundled[1:], mid)) {
			return ingest.Rejectf(ingest.InvalidInput, "The media sections are not all in one BUNDLE group, which WHIP needs (RFC 9725, 4.4.1): the client must offer a=group:BUNDLE with every a=mid.")
		}
	}
	return nil
}

// readSection reads one media section and rewrites it.
func (o *offer) readSection(m *sdp.MediaDescription) error {
	kind := m.MediaName.Media
	_, bundleOnly := m.Attribute("bundle-only")
	switch {
	case kind != "video" && kind != "audio":
		return ingest.Rejectf(ingest.InvalidInput, "The offer has a section of kind %q; a stage takes one of video and at most one of audio. Do not open a data channel.", printable(kind))
	case m.MediaName.Port.Value == 0 && !bundleOnly:
		return ingest.Rejectf(ingest.InvalidInput, "The %s section of the offer is switched off (port 0). Leave it out, or offer it with port 9.", kind)
	case !sends(m, o.parts):
		return ingest.Rejectf(ingest.InvalidInput, "The %s section of the offer does not send; its direction must be sendonly or sendrecv.", kind)
	case kind == "video" && o.video.payloadType != "", kind == "audio" && o.audio != nil:
		return ingest.Rejectf(ingest.InvalidInput, "The offer has two tracks of %s; a participant publishes one. Publish the second one as a participant of its own, with a token of its own.", kind)
	}
	m.MediaName.Port.Value = 9
	if kind == "audio" {
		format, err := chooseOpus(m)
		if err != nil {
			return err
		}
		o.audio = format
		keepFormats(m, format.lines(), format.payloadType)
		return nil
	}
	format, err := chooseH264(m)
	if err != nil {
		return err
	}
	o.video = *format
	keepFormats(m, format.lines(), format.payloadType, format.rtx)
	for _, a := range m.Attributes {
		if id, direction, _ := strings.Cut(a.Value, " "); a.Key == "rid" && strings.HasPrefix(direction, "send") {
			o.rids = append(o.rids, id)
		}
	}
	if len(o.rids) > maxLayers {
		return ingest.Rejectf(ingest.InvalidInput, "The offer has %d simulcast layers; at most %d are taken.", len(o.rids), maxLayers)
	}
	return nil
}

// keepFormats leaves in a section only the given payload types, described by lines, and
// takes the candidates out: an ICE-lite agent has no use for them, because it answers
// checks and makes none (RFC 8445, 2.5).
func keepFormats(m *sdp.MediaDescription, lines []sdp.Attribute, payloadTypes ...string) {
	m.MediaName.Formats = m.MediaName.Formats[:0]
	for _, pt := range payloadTypes {
		if pt != "" {
			m.MediaName.Formats = append(m.MediaName.Formats, pt)
		}
	}
	kept := make([]sdp.Attribute, 0, len(m.Attributes))
	for _, a := range m.Attributes {
		switch a.Key {
		case "rtpmap", "fmtp", sdp.AttrKeyCandidate, sdp.AttrKeyEndOfCandidates, "bundle-only":
			continue
		case "rtcp-fb":
			if pt, _, _ := strings.Cut(a.Value, " "); pt != "*" && !slices.Contains(payloadTypes, pt) {
				continue
			}
		}
		kept = append(kept, a)
	}
	m.Attributes = append(kept, lines...)
}

// sends says whether the section's direction, or else the session's, sends; sendrecv is the
// default (RFC 8866, 6.7).
func sends(m *sdp.MediaDescription, session *sdp.SessionDescription) bool {
	for _, attributes := range [][]sdp.Attribute{m.Attributes, session.Attributes} {
		for _, a := range attributes {
			switch a.Key {
			case sdp.AttrKeySendOnly, sdp.AttrKeySendRecv:
				return true
			case sdp.AttrKeyRecvOnly, sdp.AttrKeyInactive:
				return false
			}
		}
	}
	return true
}

// copySetup gives every section the session's DTLS role (RFC 8842, 5.1), because pion reads
// it in sections only.
func copySetup(session *sdp.SessionDescription) {
	setup, ok := session.Attribute(sdp.AttrKeyConnectionSetup)
	if !ok {
		return
	}
	for _, m := range session.MediaDescriptions {
		if _, has := m.Attribute(sdp.AttrKeyConnectionSetup); !has {
			m.WithValueAttribute(sdp.AttrKeyConnectionSetup, setup)
		}
	}
}

// dropUnusableMID takes the MID header extension out of an offer that names a stream neither
// by a=ssrc nor by a=rid: pion assigns such a stream by its payload type, but only where it
// does not hope for a RID beside the MID.
func dropUnusableMID(session *sdp.SessionDescription) {
	anonymous := false
	for _, m := range session.MediaDescriptions {
		_, hasRID := m.Attribute("rid")
		_, hasSSRC := m.Attribute(sdp.AttrKeySSRC)
		if hasRID {
			return
		}
		anonymous = anonymous || !hasSSRC
	}
	if !anonymous {
		return
	}
	for _, m := range session.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.Key == sdp.AttrKeyExtMap && strings.Contains(a.Value, sdp.SDESMidURI)
		})
	}
}

// printable shortens a word of the publisher's for a text that is shown.
func printable(word string) string {
	const enough = 100
	if len(word) > enough {
		word = word[:enough] + "..."
	}
	return strings.ToValidUTF8(word, "?")
}
