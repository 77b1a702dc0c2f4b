package web

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
	"github.com/stagedoor/stagedoor/stage"
)

// maxHello bounds the one message that a client sends: a token, which grows with the
// attributes in it.
const maxHello = 16 << 10

// hello is the first message of a client that cannot set headers, as browsers cannot.
type hello struct {
	Token string `json:"token"`
}

// farewell is the last message of a feed that ends with an error. The WebSocket close
// reason has room for the code only.
type farewell struct {
	Error struct {
		Code   ingest.Code `json:"code"`
		Detail string      `json:"detail"`
	} `json:"error"`
}

// Events gives the handler for /events: a WebSocket on which the stage's scene is sent as
// JSON at each change. The token comes as a bearer token or as the first message,
// {"token":"..."}. An error is told as {"error":{"code","detail"}}, and the connection then
// closes with 4000 plus HTTP's status and the code as the reason.
func (h *Handler) Events() http.Handler { return http.HandlerFunc(h.serveEvents) }

func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !h.enter(host) {
		w.Header().Set("Retry-After", "5")
		webrtchttp.WriteProblem(w, http.StatusServiceUnavailable, "", "The gateway is stopping or has too many pages open. Try again later.", "BUSY")
		return
	}
	defer h.leave()
	waits := sync.OnceFunc(func() { h.admitted(host) })
	defer waits()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		// Any origin may connect: it is the token that lets in, and no cookie can be abused.
		InsecureSkipVerify: true,
	})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }() // fails where it is closed already
	conn.SetReadLimit(maxHello)

	ctx, cancel := context.WithCancel(h.running) // net/http's says nothing of a hijacked connection
	defer cancel()

	token := webrtchttp.Bearer(r)
	if token == "" {
		if token, err = h.readHello(ctx, conn); err != nil {
			h.refuse(conn, ingest.Rejectf(ingest.InvalidToken, `No token came. Send {"token":"..."} as the first message, within 5 seconds.`))
			return
		}
	}
	waits()
	scenes, err := h.follow(ctx, token)
	if err != nil {
		rejection := ingest.AsRejection(err)
		if rejection.Code == ingest.InvalidToken {
			if h.failures.Wait(r) > 0 { // the reason is kept from whoever guesses
				rejection = ingest.Rejectf(ingest.QuotaExceeded, "Too many tokens from this address were wrong. Wait before the next attempt.")
			}
			h.failures.Fail(r)
		}
		if rejection.Code == ingest.InternalServerException {
			h.log.Error("a page's feed failed", "remote", r.RemoteAddr, "error", err)
		}
		h.refuse(conn, rejection)
		return
	}
	h.send(conn, scenes)
}

func (h *Handler) readHello(ctx context.Context, conn *websocket.Conn) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timing.token)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil {
		return "", errors.Wrap(err, "reading the token")
	}
	var first hello
	if err := json.Unmarshal(data, &first); err != nil {
		return "", errors.Wrap(err, "reading the token")
	}
	if first.Token == "" {
		return "", errors.New("the token is empty")
	}
	return first.Token, nil
}

// send passes scenes on until the client leaves, does not answer, or the feed is over.
func (h *Handler) send(conn *websocket.Conn, scenes <-chan stage.Scene) {
	gone := conn.CloseRead(context.Background()) // its goroutine ends when conn is closed
	ping := time.NewTicker(h.timing.ping)
	defer ping.Stop()
	for {
		select {
		case <-gone.Done():
			return
		case <-h.running.Done():
			_ = conn.Close(websocket.StatusGoingAway, "the gateway is stopping")
			return
		case scene, ok := <-scenes:
			if !ok {
				// Whoever comes back is told why, if it was the token.
				_ = conn.Close(websocket.StatusTryAgainLater, "the feed is over: connect again")
				return
			}
			if h.write(conn, scene) != nil {
				return
			}
		case <-ping.C:
			if h.ping(conn) != nil {
				return
			}
		}
	}
}

func (h *Handler) write(conn *websocket.Conn, message any) error {
	data, err := json.Marshal(message)
	if err != nil {
		return errors.Wrap(err, "encoding a scene")
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.timing.write)
	defer cancel()
	return errors.Wrap(conn.Write(ctx, websocket.MessageText, data), "writing a scene")
}

func (h *Handler) ping(conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), h.timing.ping)
	defer cancel()
	return errors.Wrap(conn.Ping(ctx), "waiting for a pong")
}

func (h *Handler) refuse(conn *websocket.Conn, rejection *ingest.Rejection) {
	var last farewell
	last.Error.Code, last.Error.Detail = rejection.Code, rejection.Detail
	if h.write(conn, last) != nil {
		return // it has left
	}
	_ = conn.Close(closeStatus(rejection.Code), string(rejection.Code))
}

func closeStatus(code ingest.Code) websocket.StatusCode {
	switch code {
	case ingest.InvalidToken:
		return 4000 + http.StatusUnauthorized
	case ingest.InsufficientCapabilities:
		return 4000 + http.StatusForbidden
	case ingest.QuotaExceeded:
		return 4000 + http.StatusTooManyRequests
	}
	return 4000 + http.StatusInternalServerError
}
