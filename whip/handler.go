package whip

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
)

// The paths of the resources. A session's is sessionPath and an identifier that nobody can
// guess; it needs the token nevertheless.
const (
	endpointPath = "/whip"
	sessionPath  = "/whip/session/"
)

// defaultMaxSessions is what Options.MaxSessions is if it is 0.
const defaultMaxSessions = 500

// Failures that an address has before it is told to wait, and how fast they are forgotten.
const (
	guessBurst = 20
	guessEvery = 3 * time.Second
)

// Options are what a Handler needs.
type Options struct {
	// Setting is prepared with the network: the multiplexed ICE ports and the public
	// addresses. The handler makes its ICE agents lite, and sets their timeouts and DTLS's.
	Setting webrtc.SettingEngine
	// Publish decides who may enter.
	Publish ingest.Publish
	Log     *slog.Logger
	// ICEServers are STUN and TURN URIs that publishers are told of; usually none.
	ICEServers []string
	// TokenInQuery also takes the token from the URL's query, ?token=, for encoders that
	// cannot set a header. URLs end up in logs: it is off unless it is asked for.
	TokenInQuery bool
	// MaxSessions is how many publishers there are at most; 0 stands for 500.
	MaxSessions int
}

// Handler is the door for WHIP (RFC 9725). Mount it at /whip and /whip/.
type Handler struct {
	options Options
	guesses *webrtchttp.Limiter
	limits  timeouts
	ctx     context.Context // ends with the handler
	close   context.CancelCauseFunc

	mu       sync.Mutex
	closed   bool
	reserved int // sessions, including those that are being negotiated
	sessions map[string]*session
	running  sync.WaitGroup
}

// NewHandler makes a handler; Close ends it.
func NewHandler(options Options) (*Handler, error) {
	if options.Publish == nil || options.Log == nil {
		return nil, errors.New("whip: Publish and Log are needed")
	}
	if options.MaxSessions == 0 {
		options.MaxSessions = defaultMaxSessions
	}
	h := &Handler{
		options:  options,
		guesses:  webrtchttp.NewLimiter(guessBurst, guessEvery, time.Now),
		limits:   defaultTimeouts,
		sessions: make(map[string]*session),
	}
	h.ctx, h.close = context.WithCancelCause(context.Background())
	return h, nil
}

// Close refuses new publishers, ends all sessions and waits until nothing of them is left,
// or until ctx ends.
func (h *Handler) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.close(ingest.Rejectf(ingest.Disconnected, "The gateway is shutting down. Publish again in a moment."))
	done := make(chan struct{})
	go func() {
		h.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Wrap(ctx.Err(), "wait for the WHIP sessions")
	}
}

// ServeHTTP answers the requests of RFC 9725. It never redirects: OBS would lose the offer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, sessionPath); ok {
		h.serveSession(w, r, id)
		return
	}
	if strings.TrimSuffix(r.URL.Path, "/") != endpointPath {
		webrtchttp.CORS(w, http.MethodOptions)
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "There is nothing here. Publish to "+endpointPath+": the stage is in the token, not in the URL.", "NOT_FOUND")
		return
	}
	methods := []string{http.MethodPost, http.MethodOptions}
	webrtchttp.CORS(w, methods...)
	switch r.Method {
	case http.MethodPost:
		h.publish(w, r)
	case http.MethodOptions:
		webrtchttp.AddICELinks(w, h.options.ICEServers)
		webrtchttp.WriteOptions(w, webrtchttp.TypeSDP, methods...)
	default:
		webrtchttp.WriteMethodNotAllowed(w, r, methods...)
	}
}

// token gives the request's bearer token, "" if there is none.
func (h *Handler) token(r *http.Request) string {
	if token := webrtchttp.Bearer(r); token != "" || !h.options.TokenInQuery {
		return token
	}
	return r.URL.Query().Get("token")
}

// reserve makes room for a session; false means that there is none. A reservation ends with
// unreserve.
func (h *Handler) reserve() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.reserved >= h.options.MaxSessions {
		return false
	}
	h.reserved++
	h.running.Add(1)
	return true
}

func (h *Handler) unreserve() {
	h.mu.Lock()
	h.reserved--
	h.mu.Unlock()
	h.running.Done()
}

// start runs a session, on its reservation.
func (h *Handler) start(s *session) {
	h.mu.Lock()
	h.sessions[s.id] = s
	h.mu.Unlock()
	go func() {
		s.run()
		h.mu.Lock()
		delete(h.sessions, s.id)
		h.mu.Unlock()
		h.unreserve()
		close(s.done)
	}()
}

func (h *Handler) session(id string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[id]
}
