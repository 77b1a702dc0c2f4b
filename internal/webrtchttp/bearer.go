package webrtchttp

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Bearer gives the bearer token of the request (RFC 6750, 2.1), or "" if there is none.
// The token is a secret: it must not reach a log.
func Bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// WriteUnauthorized answers 401 with the challenge that RFC 6750, section 3, asks for:
// a bare one where the request showed no token, invalid_token otherwise.
func WriteUnauthorized(w http.ResponseWriter, r *http.Request, detail, code string) {
	challenge := `Bearer realm="stagedoor"`
	if Bearer(r) != "" {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	WriteProblem(w, http.StatusUnauthorized, "", detail, code)
}

// Secret remembers a token without keeping it, to know it again.
type Secret [sha256.Size]byte

// NewSecret remembers a token.
func NewSecret(token string) Secret { return sha256.Sum256([]byte(token)) }

// Is compares in constant time.
func (s Secret) Is(token string) bool {
	other := NewSecret(token)
	return subtle.ConstantTimeCompare(s[:], other[:]) == 1
}
