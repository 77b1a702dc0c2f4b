package whep

import (
	"net/http"
	"sync"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
	"github.com/stagedoor/stagedoor/stage"
)

// session is one viewer's WHEP session. Its URL is a secret of its own, and the token is
// asked for nevertheless.
type session struct {
	handler       *Handler
	id            string
	participantID string
	token         webrtchttp.Secret
	subscription  stage.Subscription // set by begin
	over          bool               // guarded by handler.mu

	patching sync.Mutex // one PATCH after the other
	etag     string     // of the ICE session; changes when ICE restarts
}

// open makes a session that nobody can find yet. It gives nil when the handler is closed;
// otherwise the caller must call opening.Done when it has begun or failed.
func (h *Handler) open(token, participantID string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.opening.Add(1)
	return &session{handler: h, id: webrtchttp.NewID(), participantID: participantID,
		token: webrtchttp.NewSecret(token), etag: webrtchttp.QuoteETag(webrtchttp.NewID())}
}

// begin lets requests find the session. It gives false if it is over already.
func (s *session) begin(subscription stage.Subscription) bool {
	h := s.handler
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.over || h.closed {
		return false
	}
	s.subscription = subscription
	h.sessions[s.id] = s
	return true
}

// ended hears that the subscription is over, for whatever reason.
func (s *session) ended(reason string) {
	h := s.handler
	h.mu.Lock()
	s.over = true
	delete(h.sessions, s.id)
	h.mu.Unlock()
	h.options.Log.Debug("session ended", "participant", s.participantID, "reason", reason)
}

// delete ends the session. 200 is what clients expect (RFC 9725, 4.2).
func (s *session) delete(w http.ResponseWriter) {
	_ = s.subscription.Close() // it is over either way
	w.WriteHeader(http.StatusOK)
}

// patch takes trickled candidates or restarts ICE. A request without If-Match is let in,
// though RFC 9725, 4.3.1, allows to ask for it: many clients never send it, and the fragment
// itself says which ICE session it means.
func (s *session) patch(w http.ResponseWriter, r *http.Request, limit int64) {
	fragment, ok := webrtchttp.ReadFragment(w, r, limit)
	if !ok {
		return
	}
	s.patching.Lock()
	defer s.patching.Unlock()
	w.Header().Set("ETag", s.etag)
	if webrtchttp.MatchETag(r, s.etag) == webrtchttp.OtherTag {
		webrtchttp.WriteProblem(w, http.StatusPreconditionFailed, "", "If-Match names an ICE session that is over; the current one is in ETag.", "PRECONDITION_FAILED")
		return
	}
	answer, err := s.subscription.AddCandidates(fragment)
	var bad *stage.BadOffer
	switch {
	case errors.As(err, &bad):
		webrtchttp.WriteProblem(w, http.StatusUnprocessableEntity, "", bad.Detail, "BAD_FRAGMENT")
	case errors.Is(err, stage.ErrNotFound):
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "The session has ended.", "NOT_FOUND")
	case err != nil:
		s.handler.options.Log.Error("a viewer's ICE restart failed", "participant", s.participantID, "error", err)
		webrtchttp.WriteProblem(w, http.StatusInternalServerError, "", "ICE could not be restarted. Make a new session.", "INTERNAL_SERVER_EXCEPTION")
	case answer == "":
		w.WriteHeader(http.StatusNoContent)
	default:
		s.etag = webrtchttp.QuoteETag(webrtchttp.NewID())
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Type", webrtchttp.TypeFragment)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(answer)) // a viewer that is gone is noticed by ICE
	}
}
