package api

import (
	"net/http"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// disconnectParticipant takes an encoder's stage from its ingest configuration before it
// cuts the encoder off, and also while the encoder is between two attempts: encoders
// reconnect by themselves, and this one is to stay out.
func (a *API) disconnectParticipant(c call) (any, error) {
	s, err := a.findStage(c, c.in.text("stageArn"))
	if err != nil {
		return nil, err
	}
	id := c.in.text("participantId")
	detached, err := a.o.Store.DetachParticipant(c, s.ARN, id)
	if err != nil {
		return nil, err
	}
	err = a.o.Live.Disconnect(c, s.ARN, id, c.in.text("reason"))
	switch {
	case errors.Is(err, stage.ErrNotFound) && detached:
		return struct{}{}, nil
	case errors.Is(err, stage.ErrNotFound):
		return nil, faultf(http.StatusNotFound, "ResourceNotFoundException", "Participant: %s is not connected to the stage. A token of it is refused from now on", id)
	}
	return struct{}{}, err
}
