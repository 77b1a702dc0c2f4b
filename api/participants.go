package api

import (
	"strings"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// participantView is the API's Participant.
type participantView struct {
	participantSummary
	Attributes     map[string]string `json:"attributes"`
	Protocol       ingest.Protocol   `json:"protocol,omitempty"`
	OSName         string            `json:"osName,omitempty"`
	OSVersion      string            `json:"osVersion,omitempty"`
	BrowserName    string            `json:"browserName,omitempty"`
	BrowserVersion string            `json:"browserVersion,omitempty"`

	// Health is stagedoor's own: the figures of who publishes now. SDKs pass over it.
	Health *stage.HealthView `json:"health,omitempty"`
}

// participantSummary is the API's ParticipantSummary.
type participantSummary struct {
	ParticipantID          string `json:"participantId"`
	UserID                 string `json:"userId"`
	State                  string `json:"state"`
	FirstJoinTime          string `json:"firstJoinTime,omitempty"`
	Published              bool   `json:"published"`
	RedundantIngest        bool   `json:"redundantIngest"`
	IngestConfigurationARN string `json:"ingestConfigurationArn,omitempty"`
}

func summarizeParticipant(p stage.ParticipantRecord) participantSummary {
	return participantSummary{
		ParticipantID: p.ParticipantID, UserID: p.UserID, State: participantState(p), FirstJoinTime: timestamp(p.FirstJoin),
		Published: p.Published, RedundantIngest: p.RedundantIngest, IngestConfigurationARN: p.IngestConfigurationARN,
	}
}

func participantState(p stage.ParticipantRecord) string {
	if p.Connected {
		return "CONNECTED"
	}
	return "DISCONNECTED"
}

func viewParticipant(p stage.ParticipantRecord) participantView {
	return participantView{
		participantSummary: summarizeParticipant(p), Attributes: p.Attributes, Protocol: p.Protocol,
		OSName: clientWords(p.OSName), OSVersion: clientWords(p.OSVersion),
		BrowserName: clientWords(p.BrowserName), BrowserVersion: clientWords(p.BrowserVersion),
	}
}

// clientWords cuts what a client said of itself down to what the API's pattern
// [a-zA-Z0-9-_.,:;\s]{0,128} allows.
func clientWords(said string) string {
	allowed := strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.,:; ", r)) {
			return r
		}
		return -1
	}, said)
	return allowed[:min(len(allowed), 128)]
}

func (a *API) getParticipant(c call) (any, error) {
	if err := a.o.Live.Flush(c); err != nil {
		return nil, err
	}
	p, err := a.o.Store.Participant(c, c.in.text("stageArn"), c.in.text("sessionId"), c.in.text("participantId"))
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(c.in.text("participantId"))
	}
	if err != nil {
		return nil, err
	}
	view := viewParticipant(p)
	// A former session has no live figures.
	if p.SessionID == a.o.Live.ActiveSession(p.StageARN) {
		if h, onStage := a.o.Live.Health(p.StageARN, p.ParticipantID); onStage {
			view.Health = &h
		}
	}
	return map[string]participantView{"participant": view}, nil
}

func (a *API) listParticipants(c call) (any, error) {
	after, limit, err := c.in.page("ListParticipants")
	if err != nil {
		return nil, err
	}
	if err := a.o.Live.Flush(c); err != nil {
		return nil, err
	}
	page, next, err := a.o.Store.Participants(c, c.in.text("stageArn"), c.in.text("sessionId"), participantFilter(c.in), after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		Participants []participantSummary `json:"participants"`
		NextToken    string               `json:"nextToken,omitempty"`
	}{views(page, summarizeParticipant), nextToken("ListParticipants", next)}, nil
}

// participantFilter combines the filters that are set. Nobody is being recorded, so a
// filter by the state of the recording finds nobody.
func participantFilter(in input) func(stage.ParticipantRecord) bool {
	return func(p stage.ParticipantRecord) bool {
		return (!in.has("filterByUserId") || p.UserID == in.text("filterByUserId")) &&
			(!in.has("filterByPublished") || p.Published == in.boolean("filterByPublished")) &&
			(!in.has("filterByState") || participantState(p) == in.text("filterByState")) &&
			!in.has("filterByRecordingState")
	}
}
