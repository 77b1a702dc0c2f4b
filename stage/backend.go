package stage

import (
	"context"

	"github.com/stagedoor/stagedoor/ingest"
)

// Participant is a publisher as a Backend sees it.
type Participant struct {
	StageARN   string
	ID         string
	SessionID  string
	UserID     string
	Attributes map[string]string
	Protocol   ingest.Protocol
	// RequestKeyframe is ingest.Request.RequestKeyframe: nil over RTMP.
	RequestKeyframe func()
}

// Backend is where a stage lives: the embedded SFU, a LiveKit cluster, a relay.
type Backend interface {
	// Join puts a participant on its stage and gives the sink for its H.264 and its Opus.
	// Closing the sink leaves the stage. A participant that joins again while it is on
	// stage, or shortly after it left, replaces its former self: its viewers stay.
	Join(context.Context, Participant) (ingest.Sink, error)
	// Disconnect ends a participant's presence at once, viewers included. It is no error
	// if there is none.
	Disconnect(ctx context.Context, stageARN, participantID string) error
}

// Offer is a viewer's SDP offer for one participant's media.
type Offer struct {
	StageARN      string
	ParticipantID string // whom to watch
	ViewerID      string // the viewer's own participant id
	SDP           string
	// Ended is called once, from any goroutine, when the subscription is over for whatever
	// reason (also Close); reason is for the log.
	Ended func(reason string)
}

// Audience is a Backend that lets viewers watch over WebRTC.
type Audience interface {
	// Subscribe answers an offer. It gives ErrNotPublishing where the participant is not
	// on stage, and a *BadOffer where the SDP cannot be answered.
	Subscribe(context.Context, Offer) (Subscription, error)
}

// Subscription is one viewer's connection. Its methods may be called from any goroutine.
type Subscription interface {
	// Answer is the SDP answer, with every candidate in it.
	Answer() string
	// AddCandidates takes an SDP fragment (RFC 8840): trickled candidates, or, where it
	// carries a new ice-ufrag, an ICE restart, which gives the fragment of the answer.
	// Candidates that cannot be used are ignored.
	AddCandidates(fragment string) (answer string, err error)
	// Close ends the connection; it waits until its goroutines have ended.
	Close() error
}
