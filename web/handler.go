package web

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/webrtchttp"
	"github.com/stagedoor/stagedoor/stage"
)

// maxFeeds bounds how many scenes' feeds are open at once, those still without a token
// included.
const maxFeeds = 4096

// maxWaiting bounds the feeds of one address that have shown no token yet. A page shows it at
// once, so that many pages behind one proxy do not reach it.
const maxWaiting = 64

// Options is what a Handler needs. All fields are required.
type Options struct {
	// Follow gives the scenes that the feed sends.
	Follow stage.Follow
	Log    *slog.Logger
}

// Handler serves the pages, and the feed by its Events method.
type Handler struct {
	follow   stage.Follow
	log      *slog.Logger
	files    map[string]file // by request path
	failures *webrtchttp.Limiter
	timing   timing

	running context.Context // until Close
	stop    context.CancelFunc

	mu      sync.Mutex
	feeds   sync.WaitGroup
	open    int
	waiting map[string]int // feeds whose token has not come yet, by host
}

// timing is the feed's deadlines, which tests shorten.
type timing struct {
	token time.Duration // from the connection to the token
	write time.Duration // for one message
	ping  time.Duration // between two pings; also how long a pong may take
}

// New makes the Handler for the paths /, /publish and /assets/.
func New(o Options) *Handler {
	running, stop := context.WithCancel(context.Background())
	return &Handler{
		follow:   o.Follow,
		log:      o.Log,
		files:    loadFiles(),
		failures: webrtchttp.NewLimiter(20, 3*time.Second, time.Now),
		timing:   timing{token: 5 * time.Second, write: 10 * time.Second, ping: 20 * time.Second},
		running:  running,
		waiting:  make(map[string]int),
		stop:     stop,
	}
}

// Close ends all feeds and waits for them. Pages are served on.
func (h *Handler) Close() {
	h.mu.Lock()
	h.stop()
	h.mu.Unlock()
	h.feeds.Wait()
}

// enter counts a feed in, as one that waits for its token; it fails when there are too many
// of either kind or the Handler is closed.
func (h *Handler) enter(host string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running.Err() != nil || h.open >= maxFeeds || h.waiting[host] >= maxWaiting {
		return false
	}
	h.open++
	h.waiting[host]++
	h.feeds.Add(1)
	return true
}

// admitted counts a feed as one whose token has come, good or bad.
func (h *Handler) admitted(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting[host]--; h.waiting[host] == 0 {
		delete(h.waiting, host)
	}
}

func (h *Handler) leave() {
	h.mu.Lock()
	h.open--
	h.mu.Unlock()
	h.feeds.Done()
}

// ServeHTTP serves the pages and what they load.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := h.files[r.URL.Path]
	if !ok {
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "There is nothing at this path. The page to watch is at / and the one to publish at /publish.", "NOT_FOUND")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		webrtchttp.WriteMethodNotAllowed(w, r, http.MethodGet, http.MethodHead)
		return
	}
	f.serve(w, r)
}
