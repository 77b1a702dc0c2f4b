package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

const limit = 10 * time.Second

// feedServer serves the feed of a follow function, and gives a dialler for it.
func feedServer(t *testing.T, follow stage.Follow, logs *bytes.Buffer) (*Handler, func(token string) *websocket.Conn) {
	t.Helper()
	if logs == nil {
		logs = new(bytes.Buffer)
	}
	h := New(Options{Follow: follow, Log: slog.New(slog.NewTextHandler(logs, nil))})
	server := httptest.NewServer(h.Events())
	t.Cleanup(func() {
		h.Close()
		server.Close()
	})
	return h, func(token string) *websocket.Conn {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		// Another origin's page may connect too: the token is what counts.
		conn, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
			HTTPClient: server.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.CloseNow() })
		if token != "" {
			hello, _ := json.Marshal(map[string]string{"token": token})
			if err := conn.Write(ctx, websocket.MessageText, hello); err != nil {
				t.Fatal(err)
			}
		}
		return conn
	}
}

// scenes is a Follow that sends what is put into it, and tells when it is left.
type scenes struct {
	send chan stage.Scene
	left chan struct{}

	mu    sync.Mutex
	token string
}

func newScenes() *scenes {
	return &scenes{send: make(chan stage.Scene), left: make(chan struct{}, 1)}
}

func (s *scenes) follow(ctx context.Context, token string) (<-chan stage.Scene, error) {
	s.mu.Lock()
	s.token = token
	s.mu.Unlock()
	context.AfterFunc(ctx, func() { s.left <- struct{}{} })
	return s.send, nil
}

func read(t *testing.T, conn *websocket.Conn) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, data, err := conn.Read(ctx)
	return string(data), err
}

func TestSceneIsSentAtEachChange(t *testing.T) {
	source := newScenes()
	_, dial := feedServer(t, source.follow, nil)
	conn := dial("secret-token")
	for _, viewers := range []int{1, 7} {
		source.send <- stage.Scene{StageName: "main", Viewers: viewers}
		got, err := read(t, conn)
		if err != nil {
			t.Fatal(err)
		}
		var scene stage.Scene
		if err := json.Unmarshal([]byte(got), &scene); err != nil || scene.Viewers != viewers || scene.StageName != "main" {
			t.Fatalf("got %s (%v)", got, err)
		}
	}
	source.mu.Lock()
	defer source.mu.Unlock()
	if source.token != "secret-token" {
		t.Errorf("Follow was asked with %q", source.token)
	}
}

func TestViewerWhoLeavesIsForgotten(t *testing.T) {
	source := newScenes()
	_, dial := feedServer(t, source.follow, nil)
	conn := dial("x")
	source.send <- stage.Scene{}
	if _, err := read(t, conn); err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
	select {
	case <-source.left:
	case <-time.After(limit):
		t.Fatal("Follow's context outlives the viewer")
	}
}

func TestRefusedTokenIsToldWhy(t *testing.T) {
	for _, c := range []struct {
		err    error
		status websocket.StatusCode
		want   string
	}{
		{ingest.Rejectf(ingest.InvalidToken, "expired an hour ago"), 4401, "expired an hour ago"},
		{ingest.Rejectf(ingest.InsufficientCapabilities, "needs SUBSCRIBE"), 4403, "needs SUBSCRIBE"},
		{ingest.Rejectf(ingest.QuotaExceeded, "full"), 4429, "full"},
		{errors.New("dial tcp 10.0.0.7: secret"), 4500, "gateway failed on its side"},
	} {
		var logs bytes.Buffer
		_, dial := feedServer(t, func(context.Context, string) (<-chan stage.Scene, error) { return nil, c.err }, &logs)
		conn := dial("the-token-itself")
		got, err := read(t, conn)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, c.want) || strings.Contains(got, "10.0.0.7") {
			t.Errorf("%v: told %s", c.err, got)
		}
		_, err = read(t, conn)
		var closed websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != c.status || closed.Reason != string(ingest.AsRejection(c.err).Code) {
			t.Errorf("%v: closed with %v, want %d", c.err, err, c.status)
		}
		if strings.Contains(logs.String(), "the-token-itself") {
			t.Errorf("the token is in the log: %s", logs.String())
		}
	}
}

func TestNonsenseInsteadOfToken(t *testing.T) {
	for _, nonsense := range []string{"{", `{"token":7}`, `{"token":""}`, "null"} {
		_, dial := feedServer(t, nil, nil)
		conn := dial("")
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		if err := conn.Write(ctx, websocket.MessageText, []byte(nonsense)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if got, err := read(t, conn); err != nil || !strings.Contains(got, "INVALID_TOKEN") {
			t.Errorf("%q: told %q, %v", nonsense, got, err)
		}
	}
}

func TestHugeTokenIsNotRead(t *testing.T) {
	_, dial := feedServer(t, func(context.Context, string) (<-chan stage.Scene, error) {
		t.Error("Follow was asked")
		return nil, errors.New("no")
	}, nil)
	conn := dial(strings.Repeat("x", maxHello+1))
	if _, err := read(t, conn); err == nil {
		t.Error("the connection is still open")
	}
}

func TestSilentClientIsDropped(t *testing.T) {
	h, dial := feedServer(t, nil, nil)
	h.timing.token = 50 * time.Millisecond
	if _, err := read(t, dial("")); err == nil {
		t.Error("the connection is still open")
	}
}

func TestBearerHeaderNeedsNoMessage(t *testing.T) {
	source := newScenes()
	h, _ := feedServer(t, source.follow, nil)
	server := httptest.NewServer(h.Events())
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer abc"}}, HTTPClient: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	source.send <- stage.Scene{Viewers: 3}
	if got, err := read(t, conn); err != nil || !strings.Contains(got, `"viewers":3`) {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	h, _ := feedServer(t, func(context.Context, string) (<-chan stage.Scene, error) {
		return nil, ingest.Rejectf(ingest.InvalidToken, "no")
	}, nil)
	server := httptest.NewServer(h.Events())
	defer server.Close()
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		conn, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer wrong"}}, HTTPClient: server.Client(),
		})
		cancel()
		if err != nil {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
		said, _ := read(t, conn)
		_ = conn.CloseNow()
		if strings.Contains(said, "QUOTA_EXCEEDED") {
			return
		}
		if attempt > 40 {
			t.Fatal("40 wrong tokens in a row were all told why")
		}
	}
}

func TestFeedOverIsClosedAndCanComeBack(t *testing.T) {
	source := newScenes()
	_, dial := feedServer(t, source.follow, nil)
	conn := dial("x")
	source.send <- stage.Scene{}
	if _, err := read(t, conn); err != nil {
		t.Fatal(err)
	}
	close(source.send)
	if _, err := read(t, conn); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("closed with %v", err)
	}
}

func TestCloseEndsEveryFeed(t *testing.T) {
	source := newScenes()
	h, dial := feedServer(t, source.follow, nil)
	conn := dial("x")
	source.send <- stage.Scene{}
	if _, err := read(t, conn); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() {
		h.Close()
		close(closed)
	}()
	if _, err := read(t, conn); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("closed with %v", err)
	}
	<-closed
	response := get(t, h.Events(), "GET", "/events")
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a closed handler answers %d", response.StatusCode)
	}
}

func TestDeadConnectionIsNoticed(t *testing.T) {
	source := newScenes()
	h, dial := feedServer(t, source.follow, nil)
	h.timing.ping = 50 * time.Millisecond
	conn := dial("x")
	source.send <- stage.Scene{}
	if _, err := read(t, conn); err != nil {
		t.Fatal(err)
	}
	// Nobody reads the connection any more, so pings stay unanswered.
	select {
	case <-source.left:
	case <-time.After(limit):
		t.Fatal("the feed of a client that does not answer goes on")
	}
}

// Connections that never show a token do not keep the pages of others out.
func TestSilentFeedsAreBounded(t *testing.T) {
	h, _ := feedServer(t, func(context.Context, string) (<-chan stage.Scene, error) {
		return make(chan stage.Scene), nil
	}, nil)
	server := httptest.NewServer(h.Events())
	defer server.Close()
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		conn, response, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{HTTPClient: server.Client()})
		cancel()
		if err != nil {
			if response == nil || response.StatusCode != http.StatusServiceUnavailable || attempt <= maxWaiting {
				t.Errorf("attempt %d: %v, %v", attempt, response, err)
			}
			return
		}
		defer func() { _ = conn.CloseNow() }()
		if attempt > maxWaiting {
			t.Fatalf("%d feeds wait for their token", attempt)
		}
	}
}
