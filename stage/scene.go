package stage

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Scene is a stage as the page shows it. It travels as JSON over the events WebSocket.
type Scene struct {
	StageARN     string    `json:"stageArn"`
	StageName    string    `json:"stageName,omitempty"`
	SessionID    string    `json:"sessionId,omitempty"`
	Viewers      int       `json:"viewers"`
	Participants []OnStage `json:"participants"` // in order of arrival
	Refusals     []Refusal `json:"refusals"`     // the newest first, at most 20
}

// OnStage is a publishing participant.
type OnStage struct {
	ParticipantID string            `json:"participantId"`
	UserID        string            `json:"userId,omitempty"`
	Attributes    map[string]string `json:"attributes,omitempty"`
	Protocol      ingest.Protocol   `json:"protocol"`
	Since         time.Time         `json:"since"`
	Health        HealthView        `json:"health"`
}

// HealthView is ingest.Health in the units of the page.
type HealthView struct {
	VideoBitrate   int     `json:"videoBitrate"` // bits per second
	AudioBitrate   int     `json:"audioBitrate"` // bits per second
	FrameRate      float64 `json:"frameRate"`    // pictures per second
	IDRInterval    float64 `json:"idrInterval"`  // seconds
	Width          int     `json:"width"`        // pixels
	Height         int     `json:"height"`       // pixels
	Profile        string  `json:"profile"`
	AudioFormat    string  `json:"audioFormat"`
	TimestampJumps int     `json:"timestampJumps"`
	LostFrames     int     `json:"lostFrames"`
	Warning        string  `json:"warning,omitempty"`
}

// Refusal is an attempt to publish that was turned away or ended by a rule.
type Refusal struct {
	Time          time.Time   `json:"time"`
	Remote        string      `json:"remote"`        // masked: the last part of the address is hidden
	Key           string      `json:"key,omitempty"` // the secret's fingerprint
	ParticipantID string      `json:"participantId,omitempty"`
	UserID        string      `json:"userId,omitempty"`
	Code          ingest.Code `json:"code"`
	Detail        string      `json:"detail"`
}

// Follow gives a stage's scene now, at every change, and every second while somebody
// publishes. The channel closes when the context ends or the token expires; a reader that
// is slow gets the newest scene and misses those between. It refuses as Watch does.
type Follow func(ctx context.Context, token string) (<-chan Scene, error)
