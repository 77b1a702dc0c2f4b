// Package webrtchttp holds what the HTTP sides of WHIP (RFC 9725) and WHEP have in common:
// problem documents, bearer tokens, CORS, bodies, entity tags and a limit on guessing.
//
// It knows nothing of WebRTC and imports the standard library only.
package webrtchttp
