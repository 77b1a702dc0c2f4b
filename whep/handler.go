// Package whep is the viewer's door: WHEP (draft-ietf-wish-whep-03), the watching half of
// WHIP, over HTTP.
//
//	POST   /whep/PARTICIPANT      an SDP offer in, an SDP answer out
//	PATCH  /whep/session/SESSION  trickled candidates, ICE restart
//	DELETE /whep/session/SESSION  the viewer leaves
//
// All of them ask for the bearer token that the POST was made with.
package whep

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
	"github.com/stagedoor/stagedoor/stage"
)

const (
	endpointPath = "/whep/"
	sessionPath  = "/whep/session/"
)

// Options says how a Handler works.
type Options struct {
	// Watch lets viewers in. Required.
	Watch stage.Watch
	Log   *slog.Logger // default: none
	// ICEServers are STUN or TURN URIs that viewers are told of.
	ICEServers []string
	// MaxBody bounds an offer or a fragment, in bytes. Default 64 KiB.
	MaxBody int64
	// BadTokens is how many bad tokens one address may show at once; one more is let in
	// every three seconds. Default 20.
	BadTokens int
}

// Handler is the http.Handler for /whep/.
type Handler struct {
	options Options
	limiter *webrtchttp.Limiter

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session
	opening  sync.WaitGroup // requests that may still open a session
}

// NewHandler makes a Handler. Close ends its sessions.
func NewHandler(o Options) (*Handler, error) {
	if o.Watch == nil {
		return nil, errors.New("whep: Options.Watch is missing")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	if o.BadTokens == 0 {
		o.BadTokens = 20
	}
	return &Handler{options: o, sessions: make(map[string]*session),
		limiter: webrtchttp.NewLimiter(o.BadTokens, 3*time.Second, time.Now)}, nil
}

// ServeHTTP answers a request to /whep/ or below.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, sessionPath); ok && id != "" {
		h.serveSession(w, r, id)
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, endpointPath)
	id = strings.TrimSuffix(id, "/")
	if !ok || id == "" || strings.Contains(id, "/") {
		webrtchttp.CORS(w, http.MethodPost, http.MethodOptions)
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "The path must be /whep/ and the id of the participant to watch.", "NOT_FOUND")
		return
	}
	h.serveEndpoint(w, r, id)
}

// serveEndpoint answers /whep/PARTICIPANT.
func (h *Handler) serveEndpoint(w http.ResponseWriter, r *http.Request, participantID string) {
	methods := []string{http.MethodPost, http.MethodOptions}
	webrtchttp.CORS(w, methods...)
	switch r.Method {
	case http.MethodOptions:
		webrtchttp.AddICELinks(w, h.options.ICEServers)
		webrtchttp.WriteOptions(w, webrtchttp.TypeSDP, methods...)
	case http.MethodPost:
		h.subscribe(w, r, participantID)
	default:
		webrtchttp.WriteMethodNotAllowed(w, r, methods...)
	}
}

// serveSession answers /whep/session/SESSION.
func (h *Handler) serveSession(w http.ResponseWriter, r *http.Request, id string) {
	methods := []string{http.MethodPatch, http.MethodDelete, http.MethodOptions}
	webrtchttp.CORS(w, methods...)
	switch r.Method {
	case http.MethodOptions:
		webrtchttp.WriteOptions(w, "", methods...)
		return
	case http.MethodPatch, http.MethodDelete:
	default:
		webrtchttp.WriteMethodNotAllowed(w, r, methods...)
		return
	}
	s := h.find(w, r, id)
	switch {
	case s == nil:
	case r.Method == http.MethodDelete:
		s.delete(w)
	default:
		s.patch(w, r, h.options.MaxBody)
	}
}

// find gives the session that the request names and has the token of. Otherwise it has
// answered.
func (h *Handler) find(w http.ResponseWriter, r *http.Request, id string) *session {
	token := webrtchttp.Bearer(r)
	if token == "" {
		webrtchttp.WriteUnauthorized(w, r, "The request has no bearer token; send the one that the session was made with.", "INVALID_TOKEN")
		return nil
	}
	h.mu.Lock()
	s := h.sessions[id]
	h.mu.Unlock()
	if s == nil {
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "There is no such session; it may have ended.", "NOT_FOUND")
		return nil
	}
	if !s.token.Is(token) {
		h.limiter.WriteUnauthorized(w, r, "The token is not the one that the session was made with.", "INVALID_TOKEN")
		return nil
	}
	return s
}

// Close refuses new sessions, ends all and waits for them, or for the context.
func (h *Handler) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	var ending sync.WaitGroup
	for _, s := range h.sessions {
		ending.Go(func() { _ = s.subscription.Close() }) // it is over either way
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		ending.Wait()
		h.opening.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Wrap(ctx.Err(), "wait for viewers to end")
	}
}
