// Package events tells the outside what happens on stages: the guide's "IVS Stage Update"
// events (chapter 03) as signed webhooks.
package events

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// Envelope is an event in the shape in which EventBridge delivers it.
type Envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"` // the same at every delivery of the event
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     Detail   `json:"detail"`
}

// Detail is what happened.
type Detail struct {
	SessionID     string      `json:"session_id"`
	EventName     string      `json:"event_name"`
	EventTime     string      `json:"event_time,omitempty"`
	UserID        string      `json:"user_id"`
	ParticipantID string      `json:"participant_id"`
	ErrorCode     ingest.Code `json:"error_code,omitempty"`
	// ErrorMessage is an addition of ours: what the broadcaster was told.
	ErrorMessage string `json:"error_message,omitempty"`
}

// told gives the names of the events that are sent out.
func told(name stage.EventName) (string, bool) {
	switch name {
	case stage.PublishStarted:
		return "Participant Published", true
	case stage.PublishStopped:
		return "Participant Unpublished", true
	case stage.PublishError:
		return "Participant Publish Error", true
	}
	return "", false
}

// encode gives the envelope's JSON and its id.
func encode(e stage.NumberedEvent, region, account string) (body []byte, id string, err error) {
	name, _ := told(e.Name)
	envelope := Envelope{
		Version: "0", ID: stableID(e), DetailType: "IVS Stage Update", Source: "aws.ivs",
		Account: account, Region: region, Time: e.Time.UTC().Format(time.RFC3339),
		Resources: []string{e.StageARN},
		Detail: Detail{
			SessionID: e.SessionID, EventName: name, UserID: e.UserID, ParticipantID: e.ParticipantID,
			ErrorCode: e.Code, ErrorMessage: e.Detail,
		},
	}
	if e.Code != "" {
		envelope.Detail.EventTime = e.Time.UTC().Format(time.RFC3339Nano)
	}
	body, err = json.Marshal(envelope)
	return body, envelope.ID, errors.Wrap(err, "encode event")
}

// stableID gives a UUID (RFC 9562, version 8) that depends on the event alone.
func stableID(e stage.NumberedEvent) string {
	u := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", e.StageARN, e.SessionID, e.Seq))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
