package sfu

import (
	"context"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/stagedoor/stagedoor/stage"
)

// restartTimeout bounds an ICE restart, which only gathers the shared ports' addresses.
const restartTimeout = 5 * time.Second

// AddCandidates takes an SDP fragment. The viewer's candidates themselves are not needed: its
// connectivity checks reach the gateway's one port and tell where it is. A new ice-ufrag
// restarts ICE (RFC 9725, 4.3.2). See stage.Subscription.
func (v *viewer) AddCandidates(fragment string) (string, error) {
	if len(fragment) > maxSDPBytes {
		return "", badOffer("The fragment has %d bytes; at most %d are allowed.", len(fragment), maxSDPBytes)
	}
	ufrag, secret := readFragment(fragment)
	v.negotiating.Lock()
	defer v.negotiating.Unlock()
	if ufrag == "" || ufrag == v.offer.ufrag() {
		return "", nil
	}
	if !isICE(ufrag, minUfrag) || !isICE(secret, minSecret) {
		return "", badOffer("The fragment has a new a=ice-ufrag, but it or its a=ice-pwd is missing or malformed (RFC 8839, 5.4).")
	}
	select {
	case <-v.done:
		return "", stage.ErrNotFound
	case <-v.connected:
	default:
		return "", badOffer("The first connection is not up yet, so that ICE cannot be restarted. Wait, or make a new session.")
	}
	restarted := v.offer.withCredentials(ufrag, secret)
	ctx, cancel := context.WithTimeout(context.Background(), restartTimeout)
	defer cancel()
	answer, err := negotiate(ctx, v.pc, restarted)
	if err != nil {
		return "", err
	}
	v.offer, v.answer = restarted, answer
	return fragmentOf(answer)
}

// readFragment gives the ICE credentials of an SDP fragment (RFC 8840, 9), the last ones if
// there are several.
func readFragment(fragment string) (ufrag, secret string) {
	for line := range strings.SplitSeq(fragment, "\n") {
		line = strings.TrimSpace(line)
		if value, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok {
			ufrag = value
		} else if value, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok {
			secret = value
		}
	}
	return ufrag, secret
}

// fragmentOf gives the part of an answer that an ICE restart needs.
func fragmentOf(answer string) (string, error) {
	a := &sdp.SessionDescription{}
	if err := a.UnmarshalString(answer); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, m := range a.MediaDescriptions {
		ufrag, ok := m.Attribute("ice-ufrag")
		if !ok {
			continue
		}
		secret, _ := m.Attribute("ice-pwd")
		mid, _ := m.Attribute("mid")
		b.WriteString("a=ice-lite\r\na=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + secret + "\r\n")
		b.WriteString("m=" + m.MediaName.Media + " 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:" + mid + "\r\n")
		for _, attribute := range m.Attributes {
			if attribute.Key == "candidate" {
				b.WriteString("a=candidate:" + attribute.Value + "\r\n")
			}
		}
		b.WriteString("a=end-of-candidates\r\n")
		break // everything is bundled
	}
	return b.String(), nil
}

// ufrag gives the ICE user name of the offer.
func (o *offer) ufrag() string {
	for _, t := range o.tracks {
		if t != nil {
			return t.ufrag
		}
	}
	return ""
}

// withCredentials gives the same offer for an ICE restart.
func (o *offer) withCredentials(ufrag, secret string) *offer {
	restarted := *o
	for k, t := range o.tracks {
		if t != nil {
			changed := *t
			changed.ufrag, changed.secret = ufrag, secret
			restarted.tracks[k] = &changed
		}
	}
	return &restarted
}
