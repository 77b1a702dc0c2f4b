package whip

import (
	"context"
	"crypto/rand"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestStatuses(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.ICEServers = []string{"stun:stun.example.org:3478"} })
	offer := craft(t)
	const sdpType = "application/sdp"
	for name, c := range map[string]struct {
		method, path, auth, contentType string
		status                          int
		header, value                   string
	}{
		"no token":           {"POST", "/whip", "", sdpType, 401, "WWW-Authenticate", "Bearer"},
		"basic":              {"POST", "/whip", "Basic dG9rZW4=", sdpType, 401, "WWW-Authenticate", "Bearer"},
		"wrong token":        {"POST", "/whip", "Bearer refuse-INVALID_TOKEN", sdpType, 401, "WWW-Authenticate", "invalid_token"},
		"token in the query": {"POST", "/whip?token=token", "", sdpType, 401, "WWW-Authenticate", "Bearer"},
		"no capability":      {"POST", "/whip", "Bearer refuse-INSUFFICIENT_CAPABILITIES", sdpType, 403, "", ""},
		"no such stage":      {"POST", "/whip", "Bearer refuse-PUBLISHER_NOT_FOUND", sdpType, 404, "", ""},
		"on stage already":   {"POST", "/whip", "Bearer refuse-REUSE_OF_STREAM_KEY", sdpType, 409, "", ""},
		"ended by a rule":    {"POST", "/whip", "Bearer refuse-B_FRAME_PRESENT", sdpType, 422, "", ""},
		"quota":              {"POST", "/whip", "Bearer refuse-QUOTA_EXCEEDED", sdpType, 429, "Retry-After", "10"},
		"internal":           {"POST", "/whip", "Bearer refuse-INTERNAL_SERVER_EXCEPTION", sdpType, 500, "", ""},
		"going down":         {"POST", "/whip", "Bearer refuse-DISCONNECTED", sdpType, 503, "Retry-After", "10"},
		"wrong type":         {"POST", "/whip", "Bearer token", "text/plain", 415, "Accept-Post", sdpType},
		"GET":                {"GET", "/whip", "Bearer token", "", 405, "Allow", "POST, OPTIONS"},
		"PUT":                {"PUT", "/whip/", "Bearer token", sdpType, 405, "Allow", "POST, OPTIONS"},
		"OPTIONS":            {"OPTIONS", "/whip", "", "", 204, "Accept-Post", sdpType},
		"OPTIONS, servers":   {"OPTIONS", "/whip", "", "", 204, "Link", `<stun:stun.example.org:3478>; rel="ice-server"`},
		"preflight":          {"OPTIONS", "/whip/session/x", "", "", 204, "Access-Control-Allow-Methods", "PATCH, DELETE"},
		"deeper path":        {"POST", "/whip/live", "Bearer token", sdpType, 404, "", ""},
		"no such session":    {"DELETE", "/whip/session/nothing", "Bearer token", "", 404, "", ""},
		"no session":         {"PATCH", "/whip/session/", "Bearer token", "", 404, "", ""},
		"GET of a session":   {"GET", "/whip/session/x", "Bearer token", "", 405, "Allow", "PATCH, DELETE, OPTIONS"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{"Content-Type", c.contentType}
			if c.auth != "" {
				headers = append(headers, "Authorization", c.auth)
			}
			res := d.do(t, c.method, c.path, offer, headers...)
			if res.StatusCode != c.status {
				t.Errorf("%s %s", res.Status, res.body)
			}
			if !strings.Contains(res.Header.Get(c.header), c.value) {
				t.Errorf("headers %v", res.Header)
			}
			if res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("a page of another origin cannot read this")
			}
			if c.status >= 400 && (res.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(res.body, `"detail":"`)) {
				t.Errorf("no problem document: %s", res.body)
			}
		})
	}
}

func TestTokenInQuery(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.TokenInQuery = true })
	res := d.do(t, http.MethodPost, "/whip/?token=token", craft(t), "Content-Type", "application/sdp")
	checkCreated(t, res)
	if strings.Contains(res.Header.Get("Location"), "token") || strings.Contains(d.logged(), "token=token") {
		t.Error("the token leaks")
	}
	if err := reject(t, d, res); err != nil {
		t.Error(err)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	d := newDoor(t, nil)
	token := "secret-" + rand.Text()
	res := d.post(t, token, craft(t))
	checkCreated(t, res)
	d.do(t, http.MethodDelete, res.Header.Get("Location"), "", "Authorization", "Bearer "+token)
	d.post(t, token, "nonsense")
	if strings.Contains(d.logged(), token) {
		t.Error("the token is in the log")
	}
	if !strings.Contains(d.logged(), ingest.Fingerprint(token)) {
		t.Error("the token's fingerprint is not in the log")
	}
}

func TestFull(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.MaxSessions = 1 })
	first := d.post(t, "token", craft(t))
	checkCreated(t, first)
	if res := d.post(t, "token", craft(t)); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("the second: %s", res.Status)
	}
	if err := reject(t, d, first); err != nil {
		t.Error(err)
	}
	// DELETE was answered after the session's end, so that there is room again.
	checkCreated(t, d.post(t, "token", craft(t)))
}

// A store that does not answer costs the publisher a wait with an end, and leaves nothing.
func TestSlowAdmission(t *testing.T) {
	closed := newRecorder()
	for name, publish := range map[string]ingest.Publish{
		"gives up with its context": func(ctx context.Context, _ ingest.Request) (ingest.Sink, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"lets in too late": func(ctx context.Context, _ ingest.Request) (ingest.Sink, error) {
			<-ctx.Done()
			return closed, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, func(o *Options) { o.MaxSessions, o.Publish = 1, publish })
			d.handler.limits.admit = 10 * time.Millisecond
			for range 2 { // the second finds the room that the first has left
				res := d.post(t, "token", craft(t))
				if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(res.body, "within 10ms") {
					t.Fatalf("%s %s", res.Status, res.body)
				}
				if name == "lets in too late" {
					if r := ingest.AsRejection(closed.waitClosed(t)); r == nil || r.Code != ingest.Disconnected {
						t.Errorf("closed with %v", r)
					}
					closed = newRecorder()
				}
			}
		})
	}
}

// A flood of wrong tokens is answered with 429, leaves nothing, and keeps no good token from
// the same address waiting, which may be a proxy's.
func TestFloodOfWrongTokens(t *testing.T) {
	d := newDoor(t, nil)
	statuses := map[int]int{}
	before := runtime.NumGoroutine()
	for range 200 {
		res := d.do(t, http.MethodPost, "/whip", "v=0", "Content-Type", "application/sdp", "Authorization", "Bearer refuse-INVALID_TOKEN")
		statuses[res.StatusCode]++
		if res.StatusCode == 429 && res.Header.Get("Retry-After") == "" {
			t.Fatal("429 without Retry-After")
		}
	}
	if statuses[401] < 20 || statuses[401] > 25 || statuses[401]+statuses[429] != 200 {
		t.Errorf("statuses %v", statuses)
	}
	if d.handler.reserved != 0 {
		t.Error("something is left")
	}
	checkCreated(t, d.post(t, "token", craft(t)))
	if err := d.handler.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if after := runtime.NumGoroutine(); after > before+5 {
		t.Errorf("%d goroutines, then %d", before, after)
	}
}
