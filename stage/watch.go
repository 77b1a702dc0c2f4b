package stage

import (
	"context"
	"net"
)

// WatchRequest is what a viewer shows at the door.
type WatchRequest struct {
	Token         string // a participant token; never logged
	ParticipantID string // whom to watch
	SDP           string // the offer
	Remote        net.Addr
	UserAgent     string
	// Ended is Offer.Ended: called once when the subscription that Watch gave is over,
	// maybe before Watch returns. It may be nil.
	Ended func(reason string)
}

// Watch lets a viewer in and answers the offer. Its errors are *ingest.Rejection (codes
// INVALID_TOKEN, INSUFFICIENT_CAPABILITIES, QUOTA_EXCEEDED), ErrNotPublishing and *BadOffer.
// It is the one thing that whep.Handler asks for.
type Watch func(context.Context, WatchRequest) (Subscription, error)
