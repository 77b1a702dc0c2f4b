package api

import (
	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// stageView is the API's Stage.
type stageView struct {
	stageSummary
	Endpoints Endpoints `json:"endpoints"`
}

// stageSummary is the API's StageSummary.
type stageSummary struct {
	ARN             string            `json:"arn"`
	Name            string            `json:"name"`
	ActiveSessionID string            `json:"activeSessionId,omitempty"`
	Tags            map[string]string `json:"tags"`
}

func (a *API) summarizeStage(s stage.Stage) stageSummary {
	return stageSummary{ARN: s.ARN, Name: s.Name, ActiveSessionID: a.o.Live.ActiveSession(s.ARN), Tags: s.Tags}
}

func (a *API) viewStage(c call, s stage.Stage) map[string]any {
	return map[string]any{"stage": stageView{stageSummary: a.summarizeStage(s), Endpoints: c.endpoints}}
}

// createStage mints the tokens first: a call that fails leaves no stage behind.
func (a *API) createStage(c call) (any, error) {
	if err := refuseRecording(c.in); err != nil {
		return nil, err
	}
	s := stage.Stage{
		ARN: a.newARN("stage", stage.NewID(12)), Name: c.in.text("name"), Tags: c.in.textMap("tags"), Created: a.o.Clock().UTC(),
	}
	minted := []tokenView{}
	for _, wanted := range c.in.objects("participantTokenConfigurations") {
		token, err := a.mintToken(c, s.ARN, wanted)
		if err != nil {
			return nil, err
		}
		minted = append(minted, token)
	}
	err := a.o.Store.CreateStage(c, s, a.o.Quotas.Stages)
	if errors.Is(err, stage.ErrLimit) {
		return nil, quotaExceeded("stages", a.o.Quotas.Stages)
	}
	if err != nil {
		return nil, err
	}
	answer := a.viewStage(c, s)
	answer["participantTokens"] = minted
	return answer, nil
}

// findStage gives the stage, or the fault that says that there is none.
func (a *API) findStage(c call, arn string) (stage.Stage, error) {
	s, err := a.o.Store.Stage(c, arn)
	if errors.Is(err, stage.ErrNotFound) {
		return s, notFound(arn)
	}
	return s, err
}

func (a *API) getStage(c call) (any, error) {
	s, err := a.findStage(c, c.in.text("arn"))
	if err != nil {
		return nil, err
	}
	return a.viewStage(c, s), nil
}

func (a *API) listStages(c call) (any, error) {
	after, limit, err := c.in.page("ListStages")
	if err != nil {
		return nil, err
	}
	page, next, err := a.o.Store.Stages(c, after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		Stages    []stageSummary `json:"stages"`
		NextToken string         `json:"nextToken,omitempty"`
	}{views(page, a.summarizeStage), nextToken("ListStages", next)}, nil
}

func (a *API) updateStage(c call) (any, error) {
	if err := refuseRecording(c.in); err != nil {
		return nil, err
	}
	if !c.in.has("name") {
		return a.getStage(c)
	}
	s, err := a.o.Store.RenameStage(c, c.in.text("arn"), c.in.text("name"))
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(c.in.text("arn"))
	}
	if err != nil {
		return nil, err
	}
	return a.viewStage(c, s), nil
}

// deleteStage deletes first and disconnects then: nobody can come in between.
func (a *API) deleteStage(c call) (any, error) {
	arn := c.in.text("arn")
	err := a.o.Store.DeleteStage(c, arn)
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(arn)
	}
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.o.Live.CloseStage(c, arn, "the stage was deleted")
}
