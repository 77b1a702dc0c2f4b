package ingest

import (
	"context"
	"net"
)

// Protocol is how a publisher reached the door, spelled as the API's Participant.protocol.
type Protocol string

// The protocols of the door.
const (
	RTMP  Protocol = "RTMP"
	RTMPS Protocol = "RTMPS"
	WHIP  Protocol = "WHIP"
)

// Request is what a publisher shows at the door.
type Request struct {
	Protocol Protocol
	// Secret is the stream key or the participant token. It is never logged; use
	// Fingerprint.
	Secret string
	Remote net.Addr
	// RequestKeyframe asks the publisher for an IDR as soon as possible. It may be called
	// from any goroutine and does not block. It is nil over RTMP, which has no such request.
	RequestKeyframe func()
}

// Publish decides whether a publisher may enter and gives the sink for its media. It is the
// one thing that rtmp.Server and whip.Handler ask for. The context lives as long as the
// connection. A refusal is a *Rejection.
type Publish func(context.Context, Request) (Sink, error)
