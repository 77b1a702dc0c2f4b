package api

import (
	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// eventView is the API's Event.
type eventView struct {
	Name                stage.EventName `json:"name"`
	ParticipantID       string          `json:"participantId"`
	EventTime           string          `json:"eventTime"`
	RemoteParticipantID string          `json:"remoteParticipantId,omitempty"`
	ErrorCode           ingest.Code     `json:"errorCode,omitempty"`
}

func viewEvent(e stage.Event) eventView {
	return eventView{
		Name: e.Name, ParticipantID: e.ParticipantID, EventTime: timestamp(e.Time),
		RemoteParticipantID: e.RemoteParticipantID, ErrorCode: e.Code,
	}
}

func (a *API) listParticipantEvents(c call) (any, error) {
	after, limit, err := c.in.page("ListParticipantEvents")
	if err != nil {
		return nil, err
	}
	if err := a.o.Live.Flush(c); err != nil {
		return nil, err
	}
	page, next, err := a.o.Store.Events(c, c.in.text("stageArn"), c.in.text("sessionId"), c.in.text("participantId"), after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		Events    []eventView `json:"events"`
		NextToken string      `json:"nextToken,omitempty"`
	}{views(page, viewEvent), nextToken("ListParticipantEvents", next)}, nil
}
