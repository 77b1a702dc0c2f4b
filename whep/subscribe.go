package whep

import (
	"context"
	"net/http"
	"strconv"

	"github.com/pkg/errors"
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
	"github.com/stagedoor/stagedoor/stage"
)

// How long a refused viewer should wait before it asks again, in seconds.
const (
	retryNotPublishing = 2
	retryFull          = 30
)

// subscribe answers a POST: an offer in, an answer out.
func (h *Handler) subscribe(w http.ResponseWriter, r *http.Request, participantID string) {
	token := webrtchttp.Bearer(r)
	if token == "" {
		webrtchttp.WriteUnauthorized(w, r, "The request has no bearer token; send the header \"Authorization: Bearer TOKEN\" with a token that may SUBSCRIBE.", string(ingest.InvalidToken))
		return
	}
	offer, ok := webrtchttp.ReadSDP(w, r, h.options.MaxBody)
	if !ok {
		return
	}
	s := h.open(token, participantID)
	if s == nil {
		writeClosing(w)
		return
	}
	defer h.opening.Done()
	subscription, err := h.options.Watch(r.Context(), stage.WatchRequest{
		Token: token, ParticipantID: participantID, SDP: offer,
		Remote: webrtchttp.RemoteAddr(r), UserAgent: r.UserAgent(), Ended: s.ended,
	})
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if !s.begin(subscription) {
		_ = subscription.Close() // it is over either way
		writeClosing(w)
		return
	}
	header := w.Header()
	header.Set("Content-Type", webrtchttp.TypeSDP)
	header.Set("Location", sessionPath+s.id)
	header.Set("ETag", s.etag)
	header.Set("Accept-Patch", webrtchttp.TypeFragment)
	header.Set("Cache-Control", "no-store")
	webrtchttp.AddICELinks(w, h.options.ICEServers)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(subscription.Answer())) // a viewer that is gone never connects, and is dropped for it
}

func writeClosing(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(retryFull))
	webrtchttp.WriteProblem(w, http.StatusServiceUnavailable, "", "The gateway is stopping, or the stream has just ended.", "UNAVAILABLE")
}

// refuse answers with what Watch said.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var badOffer *stage.BadOffer
	switch {
	case errors.Is(err, context.Canceled):
		return // nobody listens
	case errors.Is(err, stage.ErrNotPublishing):
		w.Header().Set("Retry-After", strconv.Itoa(retryNotPublishing))
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", "The participant is not publishing now.", "NOT_PUBLISHING")
		return
	case errors.As(err, &badOffer):
		webrtchttp.WriteProblem(w, http.StatusUnprocessableEntity, "", badOffer.Detail, "BAD_OFFER")
		return
	}
	rejection := ingest.AsRejection(err)
	detail, code := rejection.Detail, string(rejection.Code)
	switch rejection.Code {
	case ingest.InvalidToken:
		h.limiter.WriteUnauthorized(w, r, detail, code)
	case ingest.InsufficientCapabilities:
		webrtchttp.WriteProblem(w, http.StatusForbidden, "", detail, code)
	case ingest.QuotaExceeded:
		w.Header().Set("Retry-After", strconv.Itoa(retryFull))
		webrtchttp.WriteProblem(w, http.StatusServiceUnavailable, "", detail, code)
	case ingest.PublisherNotFound:
		webrtchttp.WriteProblem(w, http.StatusNotFound, "", detail, code)
	default:
		h.options.Log.Error("a viewer could not be let in", "error", err, "remote", r.RemoteAddr)
		webrtchttp.WriteProblem(w, http.StatusInternalServerError, "", "The gateway failed on its side. Try again, and tell the operator if it happens again.", string(ingest.InternalServerException))
	}
}
