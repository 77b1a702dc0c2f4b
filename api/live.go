package api

import (
	"context"

	"github.com/stagedoor/stagedoor/stage"
)

// Live is what is going on at this moment; stage.Registry is one.
type Live interface {
	Present
	// Disconnect ends a participant's presence and refuses its token from now on. It gives
	// stage.ErrNotFound where the participant is not connected.
	Disconnect(ctx context.Context, stageARN, participantID, reason string) error
	// CloseStage disconnects everybody. It is no error if nobody is there.
	CloseStage(ctx context.Context, stageARN, reason string) error
	// Flush waits until what happened so far can be read from the store.
	Flush(ctx context.Context) error
}

// Present is what can be seen at this moment. It answers from memory: it is asked while the
// store is being read.
type Present interface {
	// ActiveSession gives the id of a stage's live session, or nothing.
	ActiveSession(stageARN string) string
	Publishing(stageARN, participantID string) bool
	// Health gives the figures of a participant who is on stage.
	Health(stageARN, participantID string) (stage.HealthView, bool)
}

// Tokens signs participant tokens.
type Tokens interface {
	Mint(stage.Claims) (string, error)
}
