package api

import (
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// sessionView is the API's StageSession and StageSessionSummary.
type sessionView struct {
	SessionID string `json:"sessionId"`
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime,omitempty"`
}

func viewSession(s stage.Session) sessionView {
	return sessionView{SessionID: s.ID, StartTime: timestamp(s.Start), EndTime: timestamp(s.End)}
}

func (a *API) getStageSession(c call) (any, error) {
	if err := a.o.Live.Flush(c); err != nil {
		return nil, err
	}
	s, err := a.o.Store.StageSession(c, c.in.text("stageArn"), c.in.text("sessionId"))
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(c.in.text("sessionId"))
	}
	if err != nil {
		return nil, err
	}
	return map[string]sessionView{"stageSession": viewSession(s)}, nil
}

// listStageSessions also lists the sessions of a stage that was deleted since.
func (a *API) listStageSessions(c call) (any, error) {
	after, limit, err := c.in.page("ListStageSessions")
	if err != nil {
		return nil, err
	}
	if err := a.o.Live.Flush(c); err != nil {
		return nil, err
	}
	page, next, err := a.o.Store.StageSessions(c, c.in.text("stageArn"), after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		StageSessions []sessionView `json:"stageSessions"`
		NextToken     string        `json:"nextToken,omitempty"`
	}{views(page, viewSession), nextToken("ListStageSessions", next)}, nil
}
