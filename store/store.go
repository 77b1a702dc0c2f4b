// Package store says what a backend of stagedoor's durable state is: what admission and the
// registry ask for (stage.Store, stage.Journal), what the API asks for, and housekeeping.
// Package sqlite is the one backend so far; package storetest holds the suite that every
// backend passes.
package store

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/stage"
)

// Store is a backend. Its methods may be called from any goroutine. A call that returned nil
// has reached the disk: it survives the death of the process.
//
// Lookups, updates and deletions give stage.ErrNotFound where the resource is unknown.
//
// Lists are read in pages: after is 0 for the first page and then the next of the page
// before; next is 0 after the last page. Pages neither repeat nor skip an entry because of
// others that are added or removed meanwhile. A keep that is not nil says which entries
// count; it is called during the reading and must not call the store.
type Store interface {
	stage.Store
	stage.Journal
	Stages
	IngestConfigurations
	PublicKeys
	Tags
	Sessions
	Outbox

	// Secret gives the random secret of that name. The first call makes it, of size bytes;
	// later calls, also of later processes, give the same bytes.
	Secret(ctx context.Context, name string, size int) ([]byte, error)
	// Prune forgets the sessions that ended before that time, with their participants and
	// events, and the revocations that no longer matter since then.
	Prune(ctx context.Context, before time.Time) error
	// Close waits for calls that are under way.
	Close() error
}

// Stages keeps the stages, in order of their creation. See stage.Store for Stage.
type Stages interface {
	// CreateStage gives stage.ErrLimit where quota stages exist already.
	CreateStage(ctx context.Context, s stage.Stage, quota int) error
	// RenameStage gives the stage as it is afterwards.
	RenameStage(ctx context.Context, arn, name string) (stage.Stage, error)
	// DeleteStage also empties the StageARN of the stage's ingest configurations.
	DeleteStage(ctx context.Context, arn string) error
	Stages(ctx context.Context, after int64, limit int) (page []stage.Stage, next int64, err error)
}

// IngestConfigurations keeps the ingest configurations, in order of their creation.
type IngestConfigurations interface {
	// CreateIngestConfiguration gives stage.ErrLimit where quota configurations exist
	// already, and stage.ErrNotFound where StageARN is set and there is no such stage.
	CreateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration, quota int) error
	IngestConfiguration(ctx context.Context, arn string) (stage.IngestConfiguration, error)
	// UpdateIngestConfiguration writes StageARN, Redundant and Credentials.
	UpdateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration) error
	DeleteIngestConfiguration(ctx context.Context, arn string) error
	// DetachParticipant empties the StageARN of the configuration that lets this
	// participant onto this stage; it says whether there was one.
	DetachParticipant(ctx context.Context, stageARN, participantID string) (bool, error)
	IngestConfigurations(ctx context.Context, keep func(stage.IngestConfiguration) bool, after int64, limit int) (page []stage.IngestConfiguration, next int64, err error)
}

// PublicKeys keeps the public keys, in order of their import. See stage.Store for PublicKey.
type PublicKeys interface {
	// ImportPublicKey gives stage.ErrExists where a key of the same fingerprint is there,
	// and stage.ErrLimit where quota keys are.
	ImportPublicKey(ctx context.Context, k stage.PublicKey, quota int) error
	DeletePublicKey(ctx context.Context, arn string) error
	PublicKeys(ctx context.Context, after int64, limit int) (page []stage.PublicKey, next int64, err error)
}

// Tags keeps the tags of stages, ingest configurations and public keys.
type Tags interface {
	Tags(ctx context.Context, arn string) (map[string]string, error)
	// Tag adds and overwrites. It gives stage.ErrLimit, and writes nothing, where the
	// resource would have more than limit tags.
	Tag(ctx context.Context, arn string, tags map[string]string, limit int) error
	// Untag ignores keys that are not there.
	Untag(ctx context.Context, arn string, keys []string) error
}

// Sessions reads what the journal has recorded.
type Sessions interface {
	StageSession(ctx context.Context, stageARN, sessionID string) (stage.Session, error)
	// StageSessions gives the newest session first.
	StageSessions(ctx context.Context, stageARN string, after int64, limit int) (page []stage.Session, next int64, err error)
	Participant(ctx context.Context, stageARN, sessionID, participantID string) (stage.ParticipantRecord, error)
	// Participants gives them in order of their first arrival.
	Participants(ctx context.Context, stageARN, sessionID string, keep func(stage.ParticipantRecord) bool, after int64, limit int) (page []stage.ParticipantRecord, next int64, err error)
	// Events gives a participant's events, the oldest first.
	Events(ctx context.Context, stageARN, sessionID, participantID string, after int64, limit int) (page []stage.Event, next int64, err error)
}

// Outbox reads the journal's events across all stages, in their order, for those who are
// told of them.
type Outbox interface {
	// EventsAfter gives the events whose Seq is larger than after.
	EventsAfter(ctx context.Context, after int64, limit int) ([]stage.NumberedEvent, error)
	// LastEvent gives the Seq of the newest event, or 0.
	LastEvent(ctx context.Context) (int64, error)
	// Receiver gives the Seq of the last event that a receiver is done with; for an unknown
	// one it gives stage.ErrNotFound.
	Receiver(ctx context.Context, name string) (int64, error)
	SetReceiver(ctx context.Context, name string, seq int64) error
}
