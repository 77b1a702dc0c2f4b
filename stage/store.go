package stage

import (
	"context"
	"time"
)

// Store is the durable state that admission reads. Lookups give ErrNotFound.
type Store interface {
	Stage(ctx context.Context, arn string) (Stage, error)
	IngestConfigurationByStreamKey(ctx context.Context, streamKey string) (IngestConfiguration, error)
	PublicKey(ctx context.Context, arn string) (PublicKey, error)
	// Revoked says whether a participant's token was revoked by Revoke.
	Revoked(ctx context.Context, stageARN, participantID string) (bool, error)
	// Revoke refuses a participant's token from now on; it may be forgotten after until,
	// when the token has expired anyway.
	Revoke(ctx context.Context, stageARN, participantID string, until time.Time) error
}

// Journal keeps the records of what happened on stages.
type Journal interface {
	// Record writes entries in their order, all or none of them.
	Record(context.Context, []Entry) error
	// Recover closes what a former process left open: every live session ends now, every
	// connected participant gets PUBLISH_STOPPED (if it was publishing) and LEFT.
	Recover(ctx context.Context, now time.Time) error
}

// Entry is one record for the journal; exactly one of its fields is set.
type Entry struct {
	// Session is inserted, or updated where the id is known.
	Session *Session
	// Participant is inserted, or updated where the session has it: the earliest FirstJoin
	// wins, and Published stays true once it was.
	Participant *ParticipantRecord
	// Event is appended.
	Event *Event
}
