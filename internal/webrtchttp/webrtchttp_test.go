package webrtchttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/webrtchttp"
)

func request(method, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "/x", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc":      "abc",
		"bearer abc":      "abc",
		"BEARER   abc  ":  "abc",
		"Basic abc":       "",
		"abc":             "",
		"":                "",
		"Bearer":          "",
		"Bearer ":         "",
		"Bearer a.b.c==":  "a.b.c==",
		" Bearer spaced ": "spaced",
	} {
		if got := webrtchttp.Bearer(request("POST", "", "Authorization", header)); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

func TestSecret(t *testing.T) {
	s := webrtchttp.NewSecret("abc")
	if !s.Is("abc") || s.Is("abd") || s.Is("") {
		t.Error("the secret does not know its own token from others")
	}
}

func TestReadSDP(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		status            int
	}{
		"good":              {"application/sdp", "v=0", 0},
		"with a parameter":  {"application/sdp; charset=utf-8", "v=0", 0},
		"upper case":        {"Application/SDP", "v=0", 0},
		"no type":           {"", "v=0", 415},
		"other type":        {"application/json", "v=0", 415},
		"malformed type":    {"application/", "v=0", 415},
		"empty":             {"application/sdp", "", 400},
		"exactly the limit": {"application/sdp", strings.Repeat("a", 100), 0},
		"over the limit":    {"application/sdp", strings.Repeat("a", 101), 413},
	} {
		w := httptest.NewRecorder()
		sdp, ok := webrtchttp.ReadSDP(w, request("POST", c.body, "Content-Type", c.contentType), 100)
		if ok != (c.status == 0) {
			t.Errorf("%s: ok is %v", name, ok)
		}
		if ok {
			if sdp != c.body {
				t.Errorf("%s: got %q", name, sdp)
			}
			continue
		}
		if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Header(), c.status)
		}
	}
}

func TestWriteProblem(t *testing.T) {
	w := httptest.NewRecorder()
	webrtchttp.WriteProblem(w, 403, "", `no "right"`, "CODE")
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "about:blank", "title": "Forbidden", "status": 403.0, "detail": `no "right"`, "code": "CODE"}
	if fmt.Sprint(got) != fmt.Sprint(want) || w.Code != 403 {
		t.Errorf("got %d %v, want %v", w.Code, got, want)
	}
}

func TestUnauthorized(t *testing.T) {
	w := httptest.NewRecorder()
	webrtchttp.WriteUnauthorized(w, request("POST", ""), "why", "C")
	if got := w.Header().Get("WWW-Authenticate"); got != `Bearer realm="stagedoor"` {
		t.Errorf("without a token: %s", got)
	}
	w = httptest.NewRecorder()
	webrtchttp.WriteUnauthorized(w, request("POST", "", "Authorization", "Bearer x"), "why", "C")
	if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, "invalid_token") || w.Code != 401 {
		t.Errorf("with a token: %d %s", w.Code, got)
	}
}

func TestMatchETag(t *testing.T) {
	for header, want := range map[string]webrtchttp.Match{
		"":               webrtchttp.NoCondition,
		"*":              webrtchttp.AnyTag,
		`"*"`:            webrtchttp.AnyTag, // a client was seen to quote it
		`"abc"`:          webrtchttp.SameTag,
		"abc":            webrtchttp.SameTag,
		`W/"abc"`:        webrtchttp.SameTag,
		`"x", "abc"`:     webrtchttp.SameTag,
		`"x"`:            webrtchttp.OtherTag,
		`"abcd"`:         webrtchttp.OtherTag,
		`""`:             webrtchttp.OtherTag,
		`,,,,,,,,,,,,,,`: webrtchttp.OtherTag,
	} {
		if got := webrtchttp.MatchETag(request("PATCH", "", "If-Match", header), webrtchttp.QuoteETag("abc")); got != want {
			t.Errorf("%q: got %d, want %d", header, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	w := httptest.NewRecorder()
	webrtchttp.WriteOptions(w, webrtchttp.TypeSDP, "POST", "OPTIONS")
	h := w.Header()
	if w.Code != 204 || h.Get("Accept-Post") != "application/sdp" || h.Get("Allow") != "POST, OPTIONS" ||
		h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("got %d %v", w.Code, h)
	}
}

func TestICELinks(t *testing.T) {
	w := httptest.NewRecorder()
	webrtchttp.AddICELinks(w, []string{"stun:a:3478", "stun:b:3478"})
	got := w.Header().Values("Link")
	if len(got) != 2 || got[0] != `<stun:a:3478>; rel="ice-server"` {
		t.Errorf("got %q", got)
	}
}

func TestLimiter(t *testing.T) {
	now := time.Unix(1000, 0)
	l := webrtchttp.NewLimiter(3, 10*time.Second, func() time.Time { return now })
	from := func(addr string) *http.Request {
		r := request("POST", "")
		r.RemoteAddr = addr
		return r
	}
	a, b := from("192.0.2.1:1000"), from("192.0.2.2:1000")
	for i := range 3 {
		if wait := l.Wait(a); wait != 0 {
			t.Fatalf("failure %d: has to wait %v", i, wait)
		}
		l.Fail(a)
	}
	if wait := l.Wait(from("192.0.2.1:2000")); wait != 10*time.Second {
		t.Errorf("the fourth has to wait %v, want 10s", wait)
	}
	if l.Wait(b) != 0 {
		t.Error("another address has to wait too")
	}
	for range 100 {
		l.Fail(a)
	}
	if wait := l.Wait(a); wait != 10*time.Second {
		t.Errorf("after many failures: %v", wait)
	}
	now = now.Add(10 * time.Second)
	if wait := l.Wait(a); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
	for range 3 {
		l.Fail(from("[2001:db8::1]:1"))
	}
	if l.Wait(from("[2001:db8::ffff:2]:1")) == 0 || l.Wait(from("[2001:db8:0:1::1]:1")) != 0 {
		t.Error("IPv6 addresses do not count by /64")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	l := webrtchttp.NewLimiter(1, time.Hour, func() time.Time { return now })
	last := request("POST", "")
	for i := range 20000 {
		last.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		l.Fail(last)
	}
	if n := l.Len(); n > 16384 {
		t.Errorf("remembers %d addresses", n)
	}
	if l.Wait(last) == 0 {
		t.Error("the newest address was forgotten")
	}
}

func TestRemoteAddr(t *testing.T) {
	r := request("POST", "")
	for in, want := range map[string]string{"192.0.2.1:7": "192.0.2.1:7", "[::ffff:192.0.2.1]:7": "192.0.2.1:7", "[2001:db8::1]:7": "[2001:db8::1]:7", "pipe": ":0", "": ":0"} {
		r.RemoteAddr = in
		if got := webrtchttp.RemoteAddr(r).String(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
