package api

import (
	"time"

	"github.com/stagedoor/stagedoor/stage"
)

// defaultTokenMinutes is 12 hours.
const defaultTokenMinutes = 720

// tokenView is the API's ParticipantToken. Token is a secret, shown this once and not kept.
type tokenView struct {
	ParticipantID  string             `json:"participantId"`
	Token          string             `json:"token"`
	UserID         string             `json:"userId,omitempty"`
	Attributes     map[string]string  `json:"attributes"`
	Duration       int                `json:"duration"` // minutes
	Capabilities   []stage.Capability `json:"capabilities"`
	ExpirationTime string             `json:"expirationTime"`
}

func (a *API) createParticipantToken(c call) (any, error) {
	s, err := a.findStage(c, c.in.text("stageArn"))
	if err != nil {
		return nil, err
	}
	token, err := a.mintToken(c, s.ARN, c.in)
	if err != nil {
		return nil, err
	}
	return map[string]tokenView{"participantToken": token}, nil
}

// mintToken makes a token from the fields of a ParticipantTokenConfiguration.
func (a *API) mintToken(c call, stageARN string, wanted input) (tokenView, error) {
	minutes := wanted.integer("duration", defaultTokenMinutes)
	issued := a.o.Clock().UTC().Truncate(time.Second) // as the token has it
	claims := stage.Claims{
		StageARN:      stageARN,
		ParticipantID: stage.NewID(12),
		UserID:        wanted.text("userId"),
		Attributes:    wanted.textMap("attributes"),
		Capabilities:  capabilities(wanted),
		Issued:        issued,
		Expires:       issued.Add(time.Duration(minutes) * time.Minute),
		WHIPURL:       c.endpoints.WHIP,
		EventsURL:     c.endpoints.Events,
	}
	token, err := a.o.Tokens.Mint(claims)
	if err != nil {
		return tokenView{}, err
	}
	return tokenView{
		ParticipantID: claims.ParticipantID, Token: token, UserID: claims.UserID, Attributes: claims.Attributes,
		Duration: minutes, Capabilities: claims.Capabilities, ExpirationTime: timestamp(claims.Expires),
	}, nil
}

// capabilities are both where none is named.
func capabilities(wanted input) []stage.Capability {
	var all []stage.Capability
	for _, name := range wanted.texts("capabilities") {
		all = append(all, stage.Capability(name))
	}
	if len(all) == 0 {
		all = []stage.Capability{stage.CanPublish, stage.CanSubscribe}
	}
	return all
}
