package whip

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/webrtchttp"
)

// retryAfter is what a publisher is told where there is no room, in seconds.
const retryAfter = 10

// publish answers a POST (RFC 9725, 4.2). The token is asked about first: nobody makes the
// gateway work on an offer without one.
func (h *Handler) publish(w http.ResponseWriter, r *http.Request) {
	token := h.token(r)
	if token == "" {
		h.guesses.WriteUnauthorized(w, r, "There is no bearer token. OBS: Settings, Stream, Bearer Token. ffmpeg: -authorization TOKEN. "+
			"Others: the header Authorization: Bearer TOKEN, with a participant token that has the capability PUBLISH.", string(ingest.InvalidToken))
		return
	}
	body, ok := webrtchttp.ReadSDP(w, r, maxOffer)
	if !ok {
		return
	}
	if !h.reserve() {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		webrtchttp.WriteProblem(w, http.StatusServiceUnavailable, "", "The gateway is full or shutting down. Publish again later.", string(ingest.QuotaExceeded))
		return
	}
	remote := webrtchttp.RemoteAddr(r)
	s := newSession(h.ctx, token, h.limits, h.options.Log.With("remote", remote.String(), "token", ingest.Fingerprint(token)))
	s.reached = localAddr(r)
	answer, err := h.open(r, s, token, body, remote)
	if err != nil {
		s.end(err)
		s.close()
		h.unreserve()
		h.refuse(w, r, s, err)
		return
	}
	h.start(s)
	header := w.Header()
	header.Set("Content-Type", webrtchttp.TypeSDP)
	header.Set("Location", sessionPath+s.id)
	header.Set("ETag", webrtchttp.QuoteETag(s.etag))
	header.Set("Accept-Patch", webrtchttp.TypeFragment)
	header.Set("Cache-Control", "no-store")
	webrtchttp.AddICELinks(w, h.options.ICEServers)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer)) // a publisher that is gone does not connect, and is closed for that
}

// open lets a publisher in and answers its offer. Where it fails, the Sink is closed.
func (h *Handler) open(r *http.Request, s *session, token, body string, remote net.Addr) (answer string, err error) {
	sink, err := h.admit(s, ingest.Request{
		Protocol: ingest.WHIP, Secret: token, Remote: remote, RequestKeyframe: s.requestKeyframe,
	})
	if err != nil {
		return "", err
	}
	s.sink = sink
	o, err := parseOffer(body)
	if err == nil {
		api, apiErr := h.api(s, o)
		if err = apiErr; err == nil {
			answer, err = s.answer(r.Context(), api, o)
		}
	}
	if err != nil {
		s.turnAway(sink, err)
	}
	return answer, err
}

// turnAway closes a Sink whose publisher reads why as the answer to its POST.
func (s *session) turnAway(sink ingest.Sink, why error) {
	told := *ingest.AsRejection(why)
	told.Told = true
	if err := sink.Close(&told); err != nil {
		s.log.Debug("closing the publisher's pipeline failed", "error", err.Error())
	}
}

// admit asks who may enter, within a time. The context that Publish gets lives as long as the
// session, so that it cannot have a deadline: the session ends instead.
func (h *Handler) admit(s *session, r ingest.Request) (ingest.Sink, error) {
	late := time.AfterFunc(s.limits.admit, func() {
		s.end(ingest.Rejectf(ingest.Disconnected, "The gateway could not look the token up within %v: it has too much to do, or its store does not answer. "+
			"Nothing is wrong with your settings: publish again later.", s.limits.admit))
	})
	sink, err := h.options.Publish(s.ctx, r)
	late.Stop()
	ended := context.Cause(s.ctx)
	if ended == nil {
		return sink, err //nolint:wrapcheck // a Rejection, or for the log as it is
	}
	if err == nil {
		s.turnAway(sink, ended)
	}
	return nil, ended //nolint:wrapcheck // it is our own
}

// refuse answers with a problem document, and logs why.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, s *session, err error) {
	rejection := ingest.AsRejection(err)
	s.log.Info("WHIP publisher refused", "code", rejection.Code, "reason", err.Error())
	switch status := statusOf(rejection.Code); status {
	case http.StatusUnauthorized:
		h.guesses.WriteUnauthorized(w, r, rejection.Detail, string(rejection.Code))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		webrtchttp.WriteProblem(w, status, "", rejection.Detail, string(rejection.Code))
	default:
		webrtchttp.WriteProblem(w, status, "", rejection.Detail, string(rejection.Code))
	}
}

// statusOf gives the HTTP status of a refusal. The codes that are not named are about the
// media, in the offer or lately in the stream: 422 (RFC 9725, 4.2).
func statusOf(code ingest.Code) int {
	switch code {
	case ingest.InvalidToken, ingest.InvalidStreamKey:
		return http.StatusUnauthorized
	case ingest.InsufficientCapabilities, ingest.InvalidProtocol:
		return http.StatusForbidden
	case ingest.PublisherNotFound:
		return http.StatusNotFound
	case ingest.ReuseOfStreamKey:
		return http.StatusConflict
	case ingest.QuotaExceeded:
		return http.StatusTooManyRequests
	case ingest.Disconnected:
		return http.StatusServiceUnavailable
	case ingest.InternalServerException:
		return http.StatusInternalServerError
	default:
		return http.StatusUnprocessableEntity
	}
}

// localAddr is the address at which the request came in.
func localAddr(r *http.Request) netip.Addr {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
