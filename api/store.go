package api

import (
	"context"

	"github.com/stagedoor/stagedoor/stage"
)

// Store is the durable state that the API shows and changes; package store documents each
// method. Lookups, updates and deletions give stage.ErrNotFound.
type Store interface {
	Stages
	IngestConfigurations
	PublicKeys
	Tags
	Sessions
}

// Stages keeps the stages.
type Stages interface {
	CreateStage(ctx context.Context, s stage.Stage, quota int) error
	Stage(ctx context.Context, arn string) (stage.Stage, error)
	RenameStage(ctx context.Context, arn, name string) (stage.Stage, error)
	DeleteStage(ctx context.Context, arn string) error
	Stages(ctx context.Context, after int64, limit int) (page []stage.Stage, next int64, err error)
}

// IngestConfigurations keeps the ingest configurations.
type IngestConfigurations interface {
	CreateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration, quota int) error
	IngestConfiguration(ctx context.Context, arn string) (stage.IngestConfiguration, error)
	UpdateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration) error
	DeleteIngestConfiguration(ctx context.Context, arn string) error
	// DetachParticipant makes the sixth method: it is the one change that starts from the
	// participant.
	DetachParticipant(ctx context.Context, stageARN, participantID string) (bool, error)
	IngestConfigurations(ctx context.Context, keep func(stage.IngestConfiguration) bool, after int64, limit int) (page []stage.IngestConfiguration, next int64, err error)
}

// PublicKeys keeps the public keys.
type PublicKeys interface {
	ImportPublicKey(ctx context.Context, k stage.PublicKey, quota int) error
	PublicKey(ctx context.Context, arn string) (stage.PublicKey, error)
	DeletePublicKey(ctx context.Context, arn string) error
	PublicKeys(ctx context.Context, after int64, limit int) (page []stage.PublicKey, next int64, err error)
}

// Tags keeps the tags of all resources.
type Tags interface {
	Tags(ctx context.Context, arn string) (map[string]string, error)
	Tag(ctx context.Context, arn string, tags map[string]string, limit int) error
	Untag(ctx context.Context, arn string, keys []string) error
}

// Sessions reads what happened on stages.
type Sessions interface {
	StageSession(ctx context.Context, stageARN, sessionID string) (stage.Session, error)
	StageSessions(ctx context.Context, stageARN string, after int64, limit int) (page []stage.Session, next int64, err error)
	Participant(ctx context.Context, stageARN, sessionID, participantID string) (stage.ParticipantRecord, error)
	Participants(ctx context.Context, stageARN, sessionID string, keep func(stage.ParticipantRecord) bool, after int64, limit int) (page []stage.ParticipantRecord, next int64, err error)
	Events(ctx context.Context, stageARN, sessionID, participantID string, after int64, limit int) (page []stage.Event, next int64, err error)
}
