package whip

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/stagedoor/stagedoor/ingest"
)

// The offers of real clients, verbatim, and what must be in the answer to each.
var clientOffers = map[string]struct {
	video, audio string // the m-lines of the answer
	setup        string
	contains     []string
}{
	"ffmpeg-8.1":             {"106 105", "111", "active", []string{"apt=106", "a=rtcp-fb:106 nack"}},
	"obs-32.2.2":             {"96", "111", "active", []string{"a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 goog-remb", "stereo=1"}},
	"obs-32.2.2-simulcast":   {"96", "111", "active", []string{"a=rid:0 recv", "a=rid:1 recv", "a=rid:2 recv", "a=simulcast:recv 0;1;2", "rtp-stream-id"}},
	"gstreamer-1.22":         {"96", "100", "active", []string{"a=mid:audio0", "a=mid:video1", "a=rtcp-fb:96 transport-cc", "profile-level-id=42c01e"}},
	"chromium-156":           {"108", "111", "active", []string{"a=rtcp-fb:108 transport-cc", "a=rtcp-fb:108 nack", "profile-level-id=42e01f", "transport-wide-cc"}},
	"chromium-156-simulcast": {"108", "111", "active", []string{"a=simulcast:recv h;m;l"}},
}

func TestClientOffersAreAnswered(t *testing.T) {
	files, err := filepath.Glob("testdata/offers/*.sdp")
	if err != nil || len(files) < len(clientOffers) {
		t.Fatal(files, err)
	}
	for name, want := range clientOffers {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, nil)
			res := d.post(t, "token", readFile(t, "testdata/offers/"+name+".sdp"))
			answer := checkCreated(t, res)
			if got := formatsOf(answer, "video"); got != want.video {
				t.Errorf("video formats %q, want %q", got, want.video)
			}
			if got := formatsOf(answer, "audio"); got != want.audio {
				t.Errorf("audio formats %q, want %q", got, want.audio)
			}
			contains := append([]string{"a=ice-lite", "a=rtcp-mux", "a=recvonly", "a=setup:" + want.setup, "a=group:BUNDLE ", "b=AS:8500", "b=TIAS:8500000", "packetization-mode=1"}, want.contains...)
			for _, text := range contains {
				if !strings.Contains(res.body, text) {
					t.Errorf("%q is not in the answer:\n%s", text, res.body)
				}
			}
			checkCandidates(t, answer)
			if err := reject(t, d, res); err != nil {
				t.Errorf("left with %v", err)
			}
		})
	}
}

// checkCreated says that a response is what RFC 9725, 4.2, and OBS want.
func checkCreated(t *testing.T, res response) *sdp.SessionDescription {
	t.Helper()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s", res.Status, res.body)
	}
	h := res.Header
	if !strings.HasPrefix(h.Get("Location"), "/whip/session/") || h.Get("ETag") == "" || h.Get("Content-Type") != "application/sdp" ||
		h.Get("Accept-Patch") != "application/trickle-ice-sdpfrag" || h.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(res.body, "v=0\r\n") {
		t.Errorf("headers %v", h)
	}
	answer := new(sdp.SessionDescription)
	if err := answer.UnmarshalString(res.body); err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkCandidates says that the first candidate is UDP on the host, as FFmpeg needs it, and
// that TCP is there as well.
func checkCandidates(t *testing.T, answer *sdp.SessionDescription) {
	t.Helper()
	var all []string
	for _, a := range answer.MediaDescriptions[0].Attributes {
		if a.Key == "candidate" {
			all = append(all, a.Value)
		}
	}
	if len(all) < 2 || !strings.Contains(all[0], " 1 udp ") || !strings.Contains(all[0], "127.0.0.1") || !strings.Contains(all[0], "typ host") ||
		!slices.ContainsFunc(all, func(c string) bool { return strings.Contains(c, "tcptype passive") }) {
		t.Errorf("candidates %q", all)
	}
}

func formatsOf(s *sdp.SessionDescription, kind string) string {
	for _, m := range s.MediaDescriptions {
		if m.MediaName.Media == kind && m.MediaName.Port.Value != 0 {
			return strings.Join(m.MediaName.Formats, " ")
		}
	}
	return ""
}

// reject ends a session that was answered, and gives what its sink was closed with.
func reject(t *testing.T, d *door, res response) error {
	t.Helper()
	if del := d.do(t, http.MethodDelete, res.Header.Get("Location"), "", "Authorization", "Bearer token"); del.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %s", del.Status)
	}
	return d.sink(t).waitClosed(t)
}

// craft changes the offer of OBS.
func craft(t testing.TB, replace ...string) string {
	offer := readFile(t, "testdata/offers/obs-32.2.2.sdp")
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(offer, replace[i]) {
			t.Fatalf("%q is not in the offer", replace[i])
		}
		offer = strings.ReplaceAll(offer, replace[i], replace[i+1])
	}
	return offer
}

func TestCraftedOffersAreAnswered(t *testing.T) {
	video := craft(t)[strings.Index(craft(t), "m=video"):]
	session := craft(t)[:strings.Index(craft(t), "m=audio")]
	for name, c := range map[string]struct {
		offer    string
		contains []string
	}{
		"packetization-mode 0":           {craft(t, "packetization-mode=1", "packetization-mode=0"), []string{"packetization-mode=0"}},
		"no packetization-mode":          {craft(t, "packetization-mode=1;", ""), []string{"packetization-mode=0"}},
		"no profile-level-id":            {craft(t, "profile-level-id=42e01f;", ""), []string{"profile-level-id=42000a"}},
		"no fmtp":                        {craft(t, "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1\r\n", ""), []string{"H264/90000"}},
		"high profile":                   {craft(t, "42e01f", "640c1f"), []string{"profile-level-id=640c1f"}},
		"no rtcp-mux":                    {craft(t, "a=rtcp-mux\r\n", ""), nil},
		"no feedback":                    {craft(t, "a=rtcp-fb:96 nack\r\n", "", "a=rtcp-fb:96 nack pli\r\n", "", "a=rtcp-fb:96 goog-remb\r\n", ""), nil},
		"feedback for all":               {craft(t, "a=rtcp-fb:96 nack\r\n", "a=rtcp-fb:* nack\r\n"), nil},
		"DTLS passive":                   {craft(t, "setup:actpass", "setup:passive"), []string{"setup:active"}},
		"DTLS active":                    {craft(t, "setup:actpass", "setup:active"), []string{"setup:passive"}},
		"DTLS role of the session":       {craft(t, "a=setup:actpass\r\n", "", "a=group:LS 0 1\r\n", "a=setup:active\r\n"), []string{"setup:passive"}},
		"sendrecv":                       {craft(t, "a=sendonly", "a=sendrecv"), []string{"a=recvonly"}},
		"direction by default":           {craft(t, "a=sendonly\r\n", ""), []string{"a=recvonly"}},
		"ICE-TCP candidates":             {craft(t, "a=mid:1\r\n", "a=mid:1\r\na=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active\r\n"), nil},
		"mDNS candidates":                {craft(t, "a=mid:1\r\n", "a=mid:1\r\na=candidate:1 1 UDP 2122252543 9f69548d.local 42390 typ host\r\n"), nil},
		"malformed candidates":           {craft(t, "a=mid:1\r\n", "a=mid:1\r\na=candidate:nonsense\r\na=candidate:\r\na=candidate:1 0 udp 1 [::1] 5 typ host\r\n"), nil},
		"unknown attributes":             {craft(t, "a=mid:1\r\n", "a=mid:1\r\na=x-unknown:1 2 3\r\na=y\r\nb=AS:1\r\n"), nil},
		"no ssrc lines":                  {withoutLines(craft(t), "a=ssrc"), nil},
		"video only":                     {strings.ReplaceAll(session, "BUNDLE 0 1", "BUNDLE 1") + video, nil},
		"video only, not bundled":        {strings.ReplaceAll(session, "a=group:BUNDLE 0 1\r\n", "") + video, nil},
		"video only, no mid":             {strings.ReplaceAll(session, "a=group:BUNDLE 0 1\r\n", "") + strings.ReplaceAll(video, "a=mid:1\r\n", ""), []string{"a=mid:0"}},
		"LF line ends":                   {strings.ReplaceAll(craft(t), "\r\n", "\n"), nil},
		"lower-case h264":                {craft(t, "H264/90000", "h264/90000"), nil},
		"VP8 before H.264":               {craft(t, "SAVPF 96", "SAVPF 97 96", "a=rtpmap:96", "a=rtpmap:97 VP8/90000\r\na=rtpmap:96"), nil},
		"profile of many capital digits": {craft(t, "42e01f", "42E01F"), []string{"42E01F"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, nil)
			res := d.post(t, "token", c.offer)
			checkCreated(t, res)
			for _, text := range c.contains {
				if !strings.Contains(res.body, text) {
					t.Errorf("%q is not in the answer:\n%s", text, res.body)
				}
			}
			if err := reject(t, d, res); err != nil {
				t.Errorf("left with %v", err)
			}
		})
	}
}

func withoutLines(offer, prefix string) string {
	var kept []string
	for line := range strings.Lines(offer) {
		if !strings.HasPrefix(line, prefix) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestOffersAreRefused(t *testing.T) {
	d := newDoor(t, nil)
	video := craft(t)[strings.Index(craft(t), "m=video"):]
	audio := craft(t)[strings.Index(craft(t), "m=audio"):strings.Index(craft(t), "m=video")]
	session := craft(t)[:strings.Index(craft(t), "m=audio")]
	var many strings.Builder
	for i := range 200 {
		many.WriteString(strings.ReplaceAll(video, "a=mid:1", fmt.Sprintf("a=mid:%d", i+2)))
	}
	var ssrcs strings.Builder
	for i := range 500 {
		fmt.Fprintf(&ssrcs, "a=ssrc:%d cname:x\r\n", i+1)
	}
	for name, c := range map[string]struct {
		offer    string
		status   int
		code     ingest.Code
		contains string
	}{
		"Firefox":               {readFile(t, "testdata/offers/firefox-esr153-vp8.sdp"), 422, ingest.InvalidVideoCodec, "VP8"},
		"audio only":            {session + audio, 422, ingest.InvalidInput, "H.264 video track"},
		"no section":            {"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 422, ingest.InvalidInput, "media section"},
		"no SDP":                {"hello", 422, ingest.InvalidInput, "no SDP"},
		"200 sections":          {craft(t) + many.String(), 422, ingest.InvalidInput, "media sections"},
		"two videos":            {strings.Replace(craft(t), "BUNDLE 0 1", "BUNDLE 0 1 2", 1) + strings.ReplaceAll(video, "a=mid:1", "a=mid:2"), 422, ingest.InvalidInput, "two tracks of video"},
		"a data channel":        {strings.Replace(craft(t), "BUNDLE 0 1", "BUNDLE 0 1 2", 1) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n", 422, ingest.InvalidInput, "data channel"},
		"not bundled":           {craft(t, "a=group:BUNDLE 0 1\r\n", ""), 422, ingest.InvalidInput, "BUNDLE"},
		"half bundled":          {craft(t, "BUNDLE 0 1", "BUNDLE 0"), 422, ingest.InvalidInput, "BUNDLE"},
		"a viewer":              {craft(t, "a=sendonly", "a=recvonly"), 422, ingest.InvalidInput, "sendonly"},
		"video switched off":    {craft(t, "m=video 9", "m=video 0"), 422, ingest.InvalidInput, "port 0"},
		"interleaved":           {craft(t, "packetization-mode=1", "packetization-mode=2"), 422, ingest.InvalidVideoCodec, "packetization-mode"},
		"no Opus":               {craft(t, "opus/48000/2", "PCMU/8000"), 422, ingest.InvalidAudioCodec, "PCMU"},
		"no fingerprint":        {withoutLines(craft(t), "a=fingerprint"), 422, ingest.InvalidInput, "fingerprint"},
		"malformed fingerprint": {craft(t, "a=fingerprint:sha-256 ", "a=fingerprint:"), 422, ingest.InvalidInput, "fingerprint"},
		"no ICE password":       {withoutLines(craft(t), "a=ice-pwd"), 422, ingest.InvalidInput, "a=ice-pwd"},
		"500 SSRCs":             {craft(t, "a=mid:1\r\n", "a=mid:1\r\n"+ssrcs.String()), 422, ingest.InvalidInput, "a=ssrc"},
		"5 layers":              {craft(t, "a=mid:1\r\n", "a=mid:1\r\na=rid:1 send\r\na=rid:2 send\r\na=rid:3 send\r\na=rid:4 send\r\na=rid:5 send\r\n"), 422, ingest.InvalidInput, "layers"},
		"one megabyte":          {craft(t) + strings.Repeat("a=x:"+strings.Repeat("y", 995)+"\r\n", 1000), 413, "BODY_TOO_LARGE", ""},
		"payload type 300":      {craft(t, "SAVPF 96", "SAVPF 300"), 422, ingest.InvalidVideoCodec, "none"},
		"payload type in octal": {craft(t, "SAVPF 96", "SAVPF 0096"), 422, ingest.InvalidVideoCodec, "none"},
		"malformed header line": {craft(t, "v=0\r\n", "v=zero\r\n"), 422, ingest.InvalidInput, "no SDP"},
	} {
		t.Run(name, func(t *testing.T) {
			res := d.post(t, "token", c.offer)
			if res.StatusCode != c.status || !strings.Contains(res.body, string(c.code)) || !strings.Contains(res.body, c.contains) || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s", res.Status, res.body)
			}
			if c.status != 422 {
				return // the body was not even read
			}
			if r := ingest.AsRejection(d.sink(t).waitClosed(t)); r == nil || r.Code != c.code {
				t.Errorf("the sink was closed with %v", r)
			}
		})
	}
	if n := d.handler.reserved; n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}
