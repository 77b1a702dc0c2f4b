package stage

import "time"

// Capability is what a token allows, spelled as the API's.
type Capability string

// The capabilities of a token.
const (
	CanPublish   Capability = "PUBLISH"
	CanSubscribe Capability = "SUBSCRIBE"
)

// Claims is what a participant token says.
type Claims struct {
	StageARN      string
	ParticipantID string
	UserID        string
	Attributes    map[string]string
	Capabilities  []Capability
	Issued        time.Time
	Expires       time.Time
	WHIPURL       string // as Stage.endpoints
	EventsURL     string // as Stage.endpoints
	// Shared lets any number of viewers use the token, each as a participant of its own
	// with an id that begins with ParticipantID. Only stagedoor's own tokens can say it,
	// and the API never makes one: it is for the watch URL that is printed at start.
	Shared bool
}

// Allows says whether the capability is among the claims.
func (c Claims) Allows(want Capability) bool {
	for _, have := range c.Capabilities {
		if have == want {
			return true
		}
	}
	return false
}
