package whip

import (
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
)

// maxFragment bounds the body of a PATCH, in bytes.
const maxFragment = 32 << 10

// leaveTimeout is how long a DELETE waits for the session's end, so that a publisher that
// comes back at once does not meet its former self.
const leaveTimeout = 5 * time.Second

// serveSession answers requests to a session's own URL.
func (h *Handler) serveSession(w http.ResponseWriter, r *http.Request, id string) {
	methods := []string{http.MethodPatch, http.MethodDelete, http.MethodOptions}
	webrtchttp.CORS(w, methods...)
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Accept-Patch", webrtchttp.TypeFragment)
		webrtchttp.WriteOptions(w, "", methods...)
		return
	case http.MethodPatch, http.MethodDelete:
	default:
		webrtchttp.WriteMethodNotAllowed(w, r, methods...)
		return
	}
	s := h.session(id)
	if s == nil {
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "There is no such session; it may have ended. Publish anew with a POST to "+endpointPath+".", "NOT_FOUND")
		return
	}
	if !s.secret.Is(h.token(r)) {
		h.guesses.WriteUnauthorized(w, r, "The session belongs to another token. Send the token that it was opened with.", string(ingest.InvalidToken))
		return
	}
	if r.Method == http.MethodDelete {
		s.leave(w, r)
		return
	}
	s.patch(w, r)
}

// leave answers a DELETE (RFC 9725, 4.2). OBS wants exactly 200.
func (s *session) leave(w http.ResponseWriter, r *http.Request) {
	s.end(errLeft)
	timeout := time.NewTimer(leaveTimeout)
	defer timeout.Stop()
	select {
	case <-s.done:
	case <-timeout.C:
	case <-r.Context().Done():
	}
	w.WriteHeader(http.StatusOK)
}

// patch answers a PATCH (RFC 9725, 4.3): trickled candidates, or an ICE restart.
//
// Candidates are taken note of and no more, malformed ones included: an ICE-lite agent needs
// none. For the same reason trickling without If-Match is let pass, as some libraries do it;
// an ICE restart without it is not.
func (s *session) patch(w http.ResponseWriter, r *http.Request) {
	text, ok := webrtchttp.ReadFragment(w, r, maxFragment)
	if !ok {
		return
	}
	f, ok := parseFragment(text)
	if !ok {
		webrtchttp.WriteProblem(w, http.StatusBadRequest, "", "The fragment's a=ice-ufrag or a=ice-pwd is malformed (RFC 8839, 5.4).", "BAD_FRAGMENT")
		return
	}
	s.mu.Lock()
	etag, known := s.etag, f.ufrag == "" || s.ufrags[f.ufrag]
	s.mu.Unlock()
	match := webrtchttp.MatchETag(r, webrtchttp.QuoteETag(etag))
	switch {
	case match == webrtchttp.OtherTag:
		webrtchttp.WriteProblem(w, http.StatusPreconditionFailed, "", "If-Match names another ICE session than the current one; it may have been restarted.", "PRECONDITION_FAILED")
	case known:
		w.WriteHeader(http.StatusNoContent)
	case match == webrtchttp.NoCondition:
		webrtchttp.WriteProblem(w, http.StatusPreconditionRequired, "", `An ICE restart needs the header If-Match: "*" (RFC 9725, 4.3.3).`, "PRECONDITION_REQUIRED")
	case f.password == "":
		webrtchttp.WriteProblem(w, http.StatusBadRequest, "", "The fragment has a new a=ice-ufrag and no a=ice-pwd.", "BAD_FRAGMENT")
	case !s.restarts.Allow():
		webrtchttp.WriteTooMany(w, time.Second, "ICE is being restarted too often.", "TOO_MANY_RESTARTS")
	default:
		s.answerRestart(w, r, f)
	}
}

func (s *session) answerRestart(w http.ResponseWriter, r *http.Request, f fragment) {
	answer, etag, err := s.restart(r.Context(), f)
	if err != nil {
		rejection := ingest.AsRejection(err)
		s.log.Info("ICE restart refused", "reason", err.Error())
		webrtchttp.WriteProblem(w, statusOf(rejection.Code), "", rejection.Detail, string(rejection.Code))
		return
	}
	s.log.Debug("ICE restarted")
	w.Header().Set("Content-Type", webrtchttp.TypeFragment)
	w.Header().Set("ETag", webrtchttp.QuoteETag(etag))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(answer)) // a publisher that is gone restarts again
}
