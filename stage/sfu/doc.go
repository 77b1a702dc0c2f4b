// Package sfu is the embedded selective forwarding unit: it takes each participant's H.264
// and Opus once, cuts them into RTP packets once, and sends them to any number of viewers
// over WebRTC.
//
// The way of a picture: sink.go takes it, timeline.go gives it its time, packetize.go cuts
// it, participant.go keeps it for newcomers (gop.go) and puts it into each viewer's queue.go;
// the viewer's own goroutine (play.go) sends it (send.go), answers losses (nack.go) and tells
// the time (report.go). offer.go and answer.go negotiate, viewer.go keeps the connection's
// life.
//
// The only queue is the viewer's. It is bounded, and whoever is slow loses pictures up to the
// next IDR; nobody else notices.
package sfu
