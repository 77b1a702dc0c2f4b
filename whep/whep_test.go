package whep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/whep"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subscription is a stage.Subscription that does what it is told.
type subscription struct {
	mu        sync.Mutex
	fragments []string
	answer    string
	err       error
	closed    int
	ended     func(string)
}

func (s *subscription) Answer() string { return "v=0 the answer" }

func (s *subscription) AddCandidates(fragment string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fragments = append(s.fragments, fragment)
	return s.answer, s.err
}

func (s *subscription) Close() error {
	s.mu.Lock()
	s.closed++
	first := s.closed == 1
	s.mu.Unlock()
	if first {
		s.ended("closed")
	}
	return nil
}

// door is a handler over a Watch that gives sub, or err.
type door struct {
	*httptest.Server
	handler *whep.Handler
	sub     *subscription
	err     error
	asked   []stage.WatchRequest
}

func open(t *testing.T, o whep.Options) *door {
	t.Helper()
	d := &door{sub: &subscription{}}
	o.Watch = func(_ context.Context, r stage.WatchRequest) (stage.Subscription, error) {
		d.asked = append(d.asked, r)
		if d.err != nil {
			return nil, d.err
		}
		d.sub.ended = r.Ended
		return d.sub, nil
	}
	h, err := whep.NewHandler(o)
	if err != nil {
		t.Fatal(err)
	}
	d.handler, d.Server = h, httptest.NewServer(h)
	t.Cleanup(func() {
		d.Server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *door) do(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, d.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := d.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("redirected") }
	client.Timeout = 10 * time.Second
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(b)
}

const token = "a.secret.token"

var good = []string{"Content-Type", "application/sdp", "Authorization", "Bearer " + token}

func (d *door) session(t *testing.T) (location, etag string) {
	t.Helper()
	response, body := d.do(t, "POST", "/whep/p", "v=0", good...)
	if response.StatusCode != 201 {
		t.Fatalf("got %d %s", response.StatusCode, body)
	}
	return response.Header.Get("Location"), response.Header.Get("ETag")
}

func TestPost(t *testing.T) {
	d := open(t, whep.Options{ICEServers: []string{"stun:stun.example:3478"}})
	response, body := d.do(t, "POST", "/whep/participant1", "v=0 the offer", append(good, "User-Agent", "tester")...)
	h := response.Header
	if response.StatusCode != 201 || body != "v=0 the answer" || h.Get("Content-Type") != "application/sdp" {
		t.Errorf("got %d %q %v", response.StatusCode, body, h)
	}
	if !strings.HasPrefix(h.Get("Location"), "/whep/session/") || len(h.Get("Location")) < 40 || !strings.HasPrefix(h.Get("ETag"), `"`) {
		t.Errorf("Location %q, ETag %q", h.Get("Location"), h.Get("ETag"))
	}
	if h.Get("Link") != `<stun:stun.example:3478>; rel="ice-server"` || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("Link %q, CORS %q", h.Get("Link"), h.Get("Access-Control-Allow-Origin"))
	}
	for _, exposed := range []string{"Location", "ETag", "Link", "Retry-After"} {
		if !strings.Contains(h.Get("Access-Control-Expose-Headers"), exposed) {
			t.Errorf("%s is not exposed", exposed)
		}
	}
	asked := d.asked[0]
	if asked.Token != token || asked.ParticipantID != "participant1" || asked.SDP != "v=0 the offer" || asked.UserAgent != "tester" || asked.Remote == nil {
		t.Errorf("Watch was asked %+v", asked)
	}
	if strings.Contains(h.Get("Location"), token) {
		t.Error("the token is in the URL")
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		err                error
		status             int
		code               string
		header, value      string
	}{
		"no token":         {"POST", "/whep/p", "v=0", []string{"Content-Type", "application/sdp"}, nil, 401, "INVALID_TOKEN", "WWW-Authenticate", `Bearer realm="stagedoor"`},
		"basic":            {"POST", "/whep/p", "v=0", []string{"Content-Type", "application/sdp", "Authorization", "Basic x"}, nil, 401, "INVALID_TOKEN", "WWW-Authenticate", `Bearer realm="stagedoor"`},
		"bad token":        {"POST", "/whep/p", "v=0", good, ingest.Rejectf(ingest.InvalidToken, "expired"), 401, "INVALID_TOKEN", "WWW-Authenticate", `Bearer realm="stagedoor", error="invalid_token"`},
		"may not":          {"POST", "/whep/p", "v=0", good, ingest.Rejectf(ingest.InsufficientCapabilities, "x"), 403, "INSUFFICIENT_CAPABILITIES", "", ""},
		"not publishing":   {"POST", "/whep/p", "v=0", good, fmt.Errorf("wrapped: %w", stage.ErrNotPublishing), 404, "NOT_PUBLISHING", "Retry-After", "2"},
		"publisher":        {"POST", "/whep/p", "v=0", good, ingest.Rejectf(ingest.PublisherNotFound, "x"), 404, "PUBLISHER_NOT_FOUND", "", ""},
		"full":             {"POST", "/whep/p", "v=0", good, ingest.Rejectf(ingest.QuotaExceeded, "x"), 503, "QUOTA_EXCEEDED", "Retry-After", "30"},
		"bad offer":        {"POST", "/whep/p", "v=0", good, &stage.BadOffer{Detail: "no H.264"}, 422, "BAD_OFFER", "", ""},
		"our fault":        {"POST", "/whep/p", "v=0", good, errors.New("database password wrong"), 500, "INTERNAL_SERVER_EXCEPTION", "", ""},
		"no type":          {"POST", "/whep/p", "v=0", []string{"Authorization", "Bearer x"}, nil, 415, "UNSUPPORTED_MEDIA_TYPE", "Accept-Post", "application/sdp"},
		"other type":       {"POST", "/whep/p", "{}", []string{"Authorization", "Bearer x", "Content-Type", "application/json"}, nil, 415, "UNSUPPORTED_MEDIA_TYPE", "Accept-Post", "application/sdp"},
		"empty":            {"POST", "/whep/p", "", good, nil, 400, "BODY_EMPTY", "", ""},
		"too large":        {"POST", "/whep/p", strings.Repeat("a", 65537), good, nil, 413, "BODY_TOO_LARGE", "", ""},
		"GET":              {"GET", "/whep/p", "", good, nil, 405, "METHOD_NOT_ALLOWED", "Allow", "POST, OPTIONS"},
		"nobody":           {"POST", "/whep/", "v=0", good, nil, 404, "NOT_FOUND", "", ""},
		"deeper":           {"POST", "/whep/a/b", "v=0", good, nil, 404, "NOT_FOUND", "", ""},
		"GET session":      {"GET", "/whep/session/x", "", good, nil, 405, "METHOD_NOT_ALLOWED", "Allow", "PATCH, DELETE, OPTIONS"},
		"unknown session":  {"DELETE", "/whep/session/x", "", good, nil, 404, "NOT_FOUND", "", ""},
		"session no token": {"DELETE", "/whep/session/x", "", nil, nil, 401, "INVALID_TOKEN", "WWW-Authenticate", `Bearer realm="stagedoor"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, whep.Options{})
			d.err = c.err
			response, body := d.do(t, c.method, c.path, c.body, c.headers...)
			var p struct {
				Type, Title, Detail, Code string
				Status                    int
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if response.StatusCode != c.status || p.Status != c.status || p.Code != c.code || p.Title == "" || p.Type == "" || p.Detail == "" {
				t.Errorf("got %d %+v, want %d %s", response.StatusCode, p, c.status, c.code)
			}
			if response.Header.Get("Content-Type") != "application/problem+json" || response.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers %v", response.Header)
			}
			if c.header != "" && response.Header.Get(c.header) != c.value {
				t.Errorf("%s is %q, want %q", c.header, response.Header.Get(c.header), c.value)
			}
			if strings.Contains(body, "password") {
				t.Error("the inner error is shown")
			}
		})
	}
}

func TestOptions(t *testing.T) {
	d := open(t, whep.Options{})
	response, _ := d.do(t, "OPTIONS", "/whep/p", "", "Origin", "https://page.example", "Access-Control-Request-Method", "POST")
	h := response.Header
	if response.StatusCode != 204 || h.Get("Accept-Post") != "application/sdp" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("got %d %v", response.StatusCode, h)
	}
	for _, allowed := range []string{"Authorization", "Content-Type", "If-Match"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), allowed) {
			t.Errorf("%s is not allowed", allowed)
		}
	}
	response, _ = d.do(t, "OPTIONS", "/whep/session/x", "")
	if response.StatusCode != 204 || !strings.Contains(response.Header.Get("Access-Control-Allow-Methods"), "DELETE") {
		t.Errorf("session: got %d %v", response.StatusCode, response.Header)
	}
}

func TestPatch(t *testing.T) {
	d := open(t, whep.Options{})
	location, etag := d.session(t)
	patch := func(status int, more ...string) *http.Response {
		t.Helper()
		headers := append([]string{"Content-Type", "application/trickle-ice-sdpfrag", "Authorization", "Bearer " + token}, more...)
		response, body := d.do(t, "PATCH", location, "a=candidate:x", headers...)
		if response.StatusCode != status {
			t.Errorf("%v: got %d %s, want %d", more, response.StatusCode, body, status)
		}
		return response
	}
	patch(204, "If-Match", etag)
	patch(204)                  // many clients know no If-Match
	patch(204, "If-Match", "*") // nothing new in it, so nothing restarts
	patch(412, "If-Match", `"another"`)
	patch(415, "Content-Type", "application/sdp")
	patch(401, "Authorization", "Bearer another")
	d.sub.answer = "a=ice-ufrag:new"
	response := patch(200, "If-Match", "*")
	next := response.Header.Get("ETag")
	if next == etag || next == "" || response.Header.Get("Content-Type") != "application/trickle-ice-sdpfrag" {
		t.Errorf("after the restart: %v", response.Header)
	}
	d.sub.answer = ""
	patch(412, "If-Match", etag)
	patch(204, "If-Match", next)
	d.sub.err = &stage.BadOffer{Detail: "x"}
	patch(422)
	d.sub.err = errors.New("x")
	patch(500)
	d.sub.err = stage.ErrNotFound
	patch(404)
	if n := len(d.sub.fragments); n != 8 || d.sub.fragments[0] != "a=candidate:x" {
		t.Errorf("%d fragments got through: %q", n, d.sub.fragments)
	}
}

func TestDelete(t *testing.T) {
	d := open(t, whep.Options{})
	location, _ := d.session(t)
	if response, _ := d.do(t, "DELETE", location, "", "Authorization", "Bearer another"); response.StatusCode != 401 {
		t.Errorf("with another token: %d", response.StatusCode)
	}
	if response, _ := d.do(t, "DELETE", location, "", "Authorization", "Bearer "+token); response.StatusCode != 200 {
		t.Errorf("got %d, want 200", response.StatusCode)
	}
	if d.sub.closed != 1 {
		t.Errorf("closed %d times", d.sub.closed)
	}
	if response, _ := d.do(t, "DELETE", location, "", "Authorization", "Bearer "+token); response.StatusCode != 404 {
		t.Errorf("once more: %d, want 404", response.StatusCode)
	}
}

func TestSessionEndsWithTheSubscription(t *testing.T) {
	d := open(t, whep.Options{})
	location, _ := d.session(t)
	d.asked[0].Ended("the network was lost")
	if response, _ := d.do(t, "DELETE", location, "", "Authorization", "Bearer "+token); response.StatusCode != 404 {
		t.Errorf("got %d, want 404", response.StatusCode)
	}
}

func TestSubscriptionThatEndsAtOnce(t *testing.T) {
	d := open(t, whep.Options{})
	h, err := whep.NewHandler(whep.Options{Watch: func(_ context.Context, r stage.WatchRequest) (stage.Subscription, error) {
		r.Ended("before Watch returned")
		d.sub.ended = func(string) {}
		return d.sub, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/whep/p", strings.NewReader("v=0"))
	r.Header.Set("Content-Type", "application/sdp")
	r.Header.Set("Authorization", "Bearer x")
	h.ServeHTTP(w, r)
	if w.Code != 503 {
		t.Errorf("got %d, want 503", w.Code)
	}
}

func TestCloseEndsSessionsAndRefusesNewOnes(t *testing.T) {
	d := open(t, whep.Options{})
	d.session(t)
	if err := d.handler.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if d.sub.closed != 1 {
		t.Errorf("closed %d times", d.sub.closed)
	}
	if response, _ := d.do(t, "POST", "/whep/p", "v=0", good...); response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, want 503 with Retry-After", response.StatusCode)
	}
}

func TestGuessingIsLimited(t *testing.T) {
	d := open(t, whep.Options{BadTokens: 3})
	d.err = ingest.Rejectf(ingest.InvalidToken, "no")
	for range 3 {
		if response, _ := d.do(t, "POST", "/whep/p", "v=0", good...); response.StatusCode != 401 {
			t.Fatalf("got %d, want 401", response.StatusCode)
		}
	}
	response, _ := d.do(t, "POST", "/whep/p", "v=0", good...)
	if response.StatusCode != 429 || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, want 429 with Retry-After", response.StatusCode)
	}
	// Behind a proxy or a NAT others share the address: a good token is let in all the same.
	d.err = nil
	if response, _ := d.do(t, "POST", "/whep/p", "v=0", good...); response.StatusCode != 201 {
		t.Errorf("a good token from the same address got %d, want 201", response.StatusCode)
	}
}
