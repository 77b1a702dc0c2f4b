package webrtchttp

import "crypto/rand"

// NewID gives a random identifier of 26 letters and digits (over 128 bits), for session URLs
// and entity tags that nobody can guess.
func NewID() string { return rand.Text() }
