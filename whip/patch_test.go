package whip

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// The malformed candidates of @eyevinn/whip-web-client: component 0, IPv6 in brackets.
const eyevinnFragment = "a=ice-ufrag:4u73\r\na=ice-pwd:PA1XnXEGqINn+pYA6ksNrw\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 0 udp 2122194687 [fd00::2] 49334 typ host\r\n"

func TestPatch(t *testing.T) {
	d := newDoor(t, nil)
	created := d.post(t, "token", craft(t))
	checkCreated(t, created)
	location, etag := created.Header.Get("Location"), created.Header.Get("ETag")
	gstreamer := readFile(t, "testdata/gstreamer-trickle.sdpfrag")
	const restart = "a=ice-ufrag:NEWW\r\na=ice-pwd:PA1XnXEGqINn+pYA6ksNrw\r\n"
	steps := []struct {
		name, ifMatch, token, body, contentType string
		status                                  int
	}{
		{"no token", "", "", eyevinnFragment, "", 401},
		{"wrong type", "", "token", eyevinnFragment, "application/sdp", 415},
		{"malformed candidates", etag, "token", eyevinnFragment, "", 204},
		{"the same again", etag, "token", eyevinnFragment, "", 204},
		{"without If-Match", "", "token", eyevinnFragment, "", 204},
		{"any tag", "*", "token", eyevinnFragment, "", 204},
		{"another tag", `"nothing"`, "token", eyevinnFragment, "", 412},
		{"no credentials", etag, "token", "a=end-of-candidates\r\n", "", 204},
		{"malformed credentials", etag, "token", "a=ice-ufrag:a b\r\n", "", 400},
		{"restart without If-Match", "", "token", gstreamer, "", 428},
		{"restart of another session", `"nothing"`, "token", gstreamer, "", 412},
		{"restart without a password", "*", "token", "a=ice-ufrag:NEWW\r\n", "", 400},
		{"too large", "*", "token", strings.Repeat("a=x\r\n", 10000), "", 413},
		{"restart", "*", "token", restart, "", 200},
		{"the same restart again", "*", "token", restart, "", 204},
		{"candidates of before the restart", "*", "token", eyevinnFragment, "", 204},
		{"the tag of before the restart", etag, "token", eyevinnFragment, "", 412},
	}
	for _, c := range steps {
		headers := []string{"Content-Type", "application/trickle-ice-sdpfrag", "Authorization", "Bearer " + c.token}
		if c.contentType != "" {
			headers[1] = c.contentType
		}
		if c.ifMatch != "" {
			headers = append(headers, "If-Match", c.ifMatch)
		}
		res := d.do(t, http.MethodPatch, location, c.body, headers...)
		if res.StatusCode != c.status {
			t.Errorf("%s: %s %s", c.name, res.Status, res.body)
		}
		if c.status != 200 {
			continue
		}
		if tag := res.Header.Get("ETag"); tag == "" || tag == etag || res.Header.Get("Content-Type") != "application/trickle-ice-sdpfrag" {
			t.Errorf("%s: headers %v", c.name, res.Header)
		}
		for _, line := range []string{"a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=mid:0", "a=end-of-candidates", "m=audio "} {
			if !strings.Contains(res.body, line) {
				t.Errorf("%s: no %q in %q", c.name, line, res.body)
			}
		}
		if strings.Contains(created.body, line(res.body, "a=ice-ufrag:")) {
			t.Errorf("%s: the gateway's own credentials are the old ones", c.name)
		}
	}
	if err := reject(t, d, created); err != nil {
		t.Error(err)
	}
}

func TestRestartsAreLimited(t *testing.T) {
	d := newDoor(t, nil)
	created := d.post(t, "token", craft(t))
	checkCreated(t, created)
	limited := false
	for i := range 20 {
		body := "a=ice-ufrag:NEW" + string(rune('a'+i)) + "\r\na=ice-pwd:PA1XnXEGqINn+pYA6ksNrw\r\n"
		res := d.do(t, http.MethodPatch, created.Header.Get("Location"), body,
			"Content-Type", "application/trickle-ice-sdpfrag", "Authorization", "Bearer token", "If-Match", "*")
		limited = limited || res.StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("20 restarts at once are all allowed")
	}
}

// A publisher's network changes: it restarts ICE, and its media goes on.
func TestICERestart(t *testing.T) {
	d := newDoor(t, nil)
	p := newPeer(t, nil)
	sink := p.connect(t, d, "token")
	p.stream(t)
	sink.waitFor(t, "pictures", func(r *recorder) bool { return len(r.video) > 10 })

	offer := p.offer(t, &webrtc.OfferOptions{ICERestart: true})
	body := line(offer, "a=ice-ufrag:") + line(offer, "a=ice-pwd:") + "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" + line(offer, "a=candidate:") + "a=end-of-candidates\r\n"
	res := d.do(t, http.MethodPatch, p.location, body,
		"Content-Type", "application/trickle-ice-sdpfrag", "Authorization", "Bearer token", "If-Match", "*")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", res.Status, res.body)
	}
	answer := p.pc.CurrentRemoteDescription().SDP
	for _, key := range []string{"a=ice-ufrag:", "a=ice-pwd:"} {
		answer = strings.ReplaceAll(answer, line(answer, key), line(res.body, key))
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	before := len(sink.pictures())
	sink.waitFor(t, "pictures after the restart", func(r *recorder) bool { return len(r.video) > before+60 })
	checkWhole(t, sink)
}

// line gives the first line of a text that has a prefix, with its end.
func line(text, prefix string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, prefix) {
			return l
		}
	}
	return ""
}

func FuzzFragment(f *testing.F) {
	f.Add(eyevinnFragment)
	f.Add(readFile(f, "testdata/gstreamer-trickle.sdpfrag"))
	f.Add("a=ice-ufrag:\r\na=ice-pwd:\r\n")
	o, err := parseOffer(craft(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		frag, ok := parseFragment(text)
		if !ok || frag.ufrag == "" || frag.password == "" {
			return
		}
		restarted, err := o.restarted(frag)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseOffer(restarted)
		if err != nil || again.credentials() != frag {
			t.Fatalf("%q gives %+v, %v", text, again, err)
		}
	})
}
