package stage

import "errors"

var (
	// ErrNotFound means that there is no such resource or record.
	ErrNotFound = errors.New("not found")
	// ErrExists means that the resource, or one that must differ from it, is there already.
	ErrExists = errors.New("exists already")
	// ErrLimit means that there are as many resources as the quota allows.
	ErrLimit = errors.New("quota reached")
	// ErrNotPublishing means that the participant to be watched is not on stage.
	ErrNotPublishing = errors.New("the participant is not publishing")
)

// BadOffer says what is wrong with an SDP offer, in words for the one who sent it.
type BadOffer struct{ Detail string }

func (e *BadOffer) Error() string { return e.Detail }
