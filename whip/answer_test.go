package whip

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// FFmpeg tries only the first UDP host candidate: it must be the one that works.
func TestCandidatesAreArranged(t *testing.T) {
	const (
		loopback = "1 1 udp 2130706431 127.0.0.1 3478 typ host"
		six      = "2 1 udp 2130706431 2001:db8::1 3478 typ host"
		four     = "3 1 udp 2130706431 192.0.2.1 3478 typ host"
		tcp      = "4 1 tcp 1671430143 192.0.2.1 3478 typ host tcptype passive"
		other    = "5 1 udp 2130706431 198.51.100.1 3478 typ host"
		rtcp     = "3 2 udp 2130706430 192.0.2.1 3478 typ host"
	)
	given := []string{tcp, loopback, six, four, rtcp, other}
	for reached, want := range map[string][]string{
		"203.0.113.9":      {four, other, six, loopback, tcp},
		"198.51.100.1":     {other, four, six, loopback, tcp},
		"127.0.0.1":        {loopback, four, other, six, tcp},
		"::ffff:192.0.2.1": {four, other, six, loopback, tcp},
		"2001:db8::1":      {six, four, other, loopback, tcp},
	} {
		attributes := []sdp.Attribute{sdp.NewPropertyAttribute("before")}
		for _, c := range given {
			attributes = append(attributes, sdp.NewAttribute("candidate", c))
		}
		attributes = append(attributes, sdp.NewPropertyAttribute("end-of-candidates"))
		var got []string
		for _, a := range arrangeCandidates(attributes, netip.MustParseAddr(reached)) {
			got = append(got, a.Value)
		}
		if text := strings.Join(got, "\n"); text != "\n"+strings.Join(want, "\n")+"\n" {
			t.Errorf("reached at %s:%s", reached, text)
		}
	}
}
