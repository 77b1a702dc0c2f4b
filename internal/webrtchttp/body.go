package webrtchttp

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// The media types of WHIP and WHEP (RFC 9725, 4.2 and 4.3.1).
const (
	TypeSDP      = "application/sdp"
	TypeFragment = "application/trickle-ice-sdpfrag"
)

// ReadSDP reads a body of type application/sdp that has at most limit bytes. Where there is
// none, it has answered with 400, 413 or 415, and ok is false.
func ReadSDP(w http.ResponseWriter, r *http.Request, limit int64) (sdp string, ok bool) {
	return readBody(w, r, TypeSDP, "Accept-Post", limit)
}

// ReadFragment is ReadSDP for application/trickle-ice-sdpfrag (RFC 8840, section 9).
func ReadFragment(w http.ResponseWriter, r *http.Request, limit int64) (fragment string, ok bool) {
	return readBody(w, r, TypeFragment, "Accept-Patch", limit)
}

func readBody(w http.ResponseWriter, r *http.Request, want, accept string, limit int64) (string, bool) {
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != want {
		w.Header().Set(accept, want)
		WriteProblem(w, http.StatusUnsupportedMediaType, "",
			fmt.Sprintf("The Content-Type is %q; it must be %s.", r.Header.Get("Content-Type"), want), "UNSUPPORTED_MEDIA_TYPE")
		return "", false
	}
	// MaxBytesReader also closes the connection, so that the rest is not read in vain.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		WriteProblem(w, http.StatusRequestEntityTooLarge, "", fmt.Sprintf("The body has more than the %d bytes that are allowed.", limit), "BODY_TOO_LARGE")
		return "", false
	case err != nil:
		WriteProblem(w, http.StatusBadRequest, "", "The body could not be read to its end.", "BODY_INCOMPLETE")
		return "", false
	case len(body) == 0:
		WriteProblem(w, http.StatusBadRequest, "", "The body is empty; it must be "+want+".", "BODY_EMPTY")
		return "", false
	}
	return string(body), true
}
