// Package whip is the door for publishers over WebRTC: WHIP (RFC 9725). It answers offers,
// holds one PeerConnection a publisher, and turns its RTP into the access units and Opus
// packets of package ingest.
//
// The way of a packet: tracks.go reads it, media.go takes it on the session's one goroutine,
// reorder.go puts it in order while nack.go asks for what is missing, depacketize.go makes
// pictures, video.go holds them back after a loss, clock.go dates them on one timeline with
// the audio, layers.go picks one of the simulcast layers, and the ingest.Sink gets the rest.
package whip
