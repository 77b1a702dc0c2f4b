package stage

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// The resources and records below carry the names of the IVS Real-Time API. The store keeps
// them, the API shows them, and the registry works with them.

// Stage is a room whose participants publish and watch.
type Stage struct {
	ARN     string
	Name    string
	Tags    map[string]string
	Created time.Time
}

// IngestConfiguration is a standing invitation to one RTMP(S) publisher.
type IngestConfiguration struct {
	ARN      string
	Name     string
	StageARN string // empty: the key is unusable
	UserID   string
	// Attributes travel with the participant.
	Attributes map[string]string
	Protocol   ingest.Protocol // RTMP or RTMPS
	Insecure   bool            // plain RTMP is accepted
	Redundant  bool
	// Credentials has one entry, or two where Redundant: primary and backup. The first one
	// is the configuration's own participant id and stream key.
	Credentials []Credential
	Tags        map[string]string
	Created     time.Time
}

// Credential lets one encoder in as one participant. StreamKey is a secret.
type Credential struct {
	ParticipantID string
	StreamKey     string
}

// PublicKey verifies the key-pair tokens that its owner signs.
type PublicKey struct {
	ARN         string
	Name        string
	Material    string // PEM, "PUBLIC KEY", an EC key on P-384
	Fingerprint string
	Tags        map[string]string
	Created     time.Time
}

// Session is one run of a stage, from the first participant's arrival until a while after
// the last one's departure.
type Session struct {
	StageARN string
	ID       string // "st-" and 13 letters or digits
	Start    time.Time
	End      time.Time // zero while it is live
}

// ParticipantRecord is what is remembered of a participant of a session.
type ParticipantRecord struct {
	StageARN                    string
	SessionID                   string
	ParticipantID               string
	UserID                      string
	Attributes                  map[string]string
	Connected                   bool
	FirstJoin                   time.Time
	Published                   bool            // has published at least once
	Protocol                    ingest.Protocol // empty for viewers
	IngestConfigurationARN      string
	RedundantIngest             bool
	BrowserName, BrowserVersion string
	OSName, OSVersion           string
}

// EventName is spelled as the API's Event.name.
type EventName string

// The events that stagedoor records.
const (
	Joined           EventName = "JOINED"
	Left             EventName = "LEFT"
	PublishStarted   EventName = "PUBLISH_STARTED"
	PublishStopped   EventName = "PUBLISH_STOPPED"
	PublishError     EventName = "PUBLISH_ERROR"
	JoinError        EventName = "JOIN_ERROR"
	SubscribeStarted EventName = "SUBSCRIBE_STARTED"
	SubscribeStopped EventName = "SUBSCRIBE_STOPPED"
	SubscribeError   EventName = "SUBSCRIBE_ERROR"
)

// Event is one thing that happened to a participant of a session.
type Event struct {
	StageARN            string
	SessionID           string
	ParticipantID       string
	Name                EventName
	Time                time.Time
	RemoteParticipantID string      // whom a viewer subscribes to
	Code                ingest.Code // errors only
	Detail              string      // errors only: the text that the broadcaster was told
}

// NumberedEvent is an event as the journal keeps it.
type NumberedEvent struct {
	Event
	Seq    int64  // grows; never used twice
	UserID string // the participant's
}
