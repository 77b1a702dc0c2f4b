package stage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	pkgerrors "github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

// ownKeyID is the kid of the tokens that stagedoor signs itself, told apart from the ARN of
// a public key.
const ownKeyID = "stagedoor"

// maxTokenSize bounds what is parsed, in bytes. Attributes are at most 1 KB, so that a
// token of ours stays well below it.
const maxTokenSize = 8 << 10

// Tokens mints and verifies participant tokens: stagedoor's own (HS384), and those that
// users sign with the private half of an imported public key (ES384).
type Tokens struct {
	secret    []byte
	keys      PublicKeys
	whipURL   string
	eventsURL string
}

// PublicKeys looks up imported public keys; it gives ErrNotFound.
type PublicKeys interface {
	PublicKey(ctx context.Context, arn string) (PublicKey, error)
}

// NewTokens makes the mint. The secret signs stagedoor's own tokens; it is kept, not copied.
// A key-pair token must name whipURL and eventsURL, the endpoints of every stage; where they
// are empty, because the public URL is not configured, only their paths are compared.
func NewTokens(secret []byte, keys PublicKeys, whipURL, eventsURL string) *Tokens {
	return &Tokens{secret: secret, keys: keys, whipURL: whipURL, eventsURL: eventsURL}
}

// Mint gives a signed token for the claims. It is opaque to its holder.
func (t *Tokens) Mint(c Claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS384, wireOf(c))
	token.Header["kid"] = ownKeyID
	signed, err := token.SignedString(t.secret)
	return signed, pkgerrors.Wrap(err, "sign participant token")
}

// Verify gives what a token says. Every error is a *ingest.Rejection with the code
// INVALID_TOKEN, and says what is wrong without repeating the token; an error of the store
// is given as it is.
func (t *Tokens) Verify(ctx context.Context, token string, now time.Time) (Claims, error) {
	switch {
	case token == "":
		return Claims{}, badToken("no token was sent; a participant token is needed as \"Authorization: Bearer TOKEN\". Make one with CreateParticipantToken, and in OBS paste it into Settings, Stream, Bearer Token")
	case len(token) > maxTokenSize:
		return Claims{}, badToken("the token has %d bytes; at most %d are allowed. Copy the token once more", len(token), maxTokenSize)
	case strings.HasPrefix(token, streamKeyPrefix):
		return Claims{}, badToken("a stream key was sent where a participant token is needed. Stream keys are for RTMP and RTMPS; make a token with CreateParticipantToken")
	}
	var wire wireClaims
	var keyPair bool
	var storeErr error
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS384", "ES384"}),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew),
		jwt.WithStrictDecoding(),
	).ParseWithClaims(token, &wire, func(parsed *jwt.Token) (any, error) {
		kid, _ := parsed.Header["kid"].(string)
		if parsed.Method == jwt.SigningMethodHS384 {
			if kid != ownKeyID {
				return nil, errUnknownKey
			}
			return t.secret, nil
		}
		keyPair = true
		key, err := t.keyPairKey(ctx, kid)
		if err != nil && !errors.Is(err, ErrNotFound) {
			storeErr = err
		}
		return key, err
	})
	switch {
	case storeErr != nil:
		return Claims{}, storeErr
	case err != nil:
		return Claims{}, badToken("%s", describeTokenError(err, wire.claims().Expires, now))
	}
	if keyPair {
		if err := t.checkKeyPairClaims(wire); err != nil {
			return Claims{}, err
		}
	}
	claims := wire.claims()
	claims.Shared = claims.Shared && !keyPair
	return claims, nil
}

// clockSkew is how far a signer's clock may be ahead of or behind ours.
const clockSkew = 30 * time.Second

var errUnknownKey = errors.New("unknown key")

func badToken(format string, args ...any) *ingest.Rejection {
	text := fmt.Sprintf(format, args...)
	return ingest.Rejectf(ingest.InvalidToken, "%s.", strings.ToUpper(text[:1])+text[1:])
}

func describeTokenError(err error, expires, now time.Time) string {
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "the token expired " + now.Sub(expires).Round(time.Second).String() + " ago; a token is valid for at most 14 days. Make a new one with CreateParticipantToken"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "the token's nbf lies in the future: it is not valid yet. Leave nbf out, or wait"
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return "the token's iat lies in the future; the signer's clock may differ by 30 s. Set the clock of the machine that signs tokens"
	case errors.Is(err, errUnknownKey), errors.Is(err, ErrNotFound):
		return "the key that signed the token is not known here, or was deleted. Import the public key with ImportPublicKey, and put its ARN into the token's kid"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "the token's signature is wrong; it must be signed with the key that its kid names. Copy the whole token once more, or make a new one with CreateParticipantToken"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "the token has no exp; key-pair tokens need exp, iat, jti, resource, topic, events_url, whip_url, capabilities and version"
	default:
		return "the token is no participant token (malformed JWT); copy the whole token once more, without spaces or quotes, or make a new one with CreateParticipantToken"
	}
}

// wireClaims is the payload of both kinds of token, as the guide's token schema spells it.
type wireClaims struct {
	jwt.RegisteredClaims
	UserID       string            `json:"user_id,omitempty"`
	Resource     string            `json:"resource"`
	Topic        string            `json:"topic"`
	EventsURL    string            `json:"events_url"`
	WHIPURL      string            `json:"whip_url"`
	Capabilities wireCapabilities  `json:"capabilities"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	Version      string            `json:"version"`
	Shared       bool              `json:"stagedoor_shared,omitempty"`
}

type wireCapabilities struct {
	Publish   bool `json:"allow_publish,omitempty"`
	Subscribe bool `json:"allow_subscribe,omitempty"`
}

func wireOf(c Claims) *wireClaims {
	return &wireClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        c.ParticipantID,
			IssuedAt:  jwt.NewNumericDate(c.Issued),
			ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
		UserID: c.UserID, Resource: c.StageARN, Topic: stageID(c.StageARN),
		EventsURL: c.EventsURL, WHIPURL: c.WHIPURL,
		Capabilities: wireCapabilities{Publish: c.Allows(CanPublish), Subscribe: c.Allows(CanSubscribe)},
		Attributes:   c.Attributes, Version: tokenVersion, Shared: c.Shared,
	}
}

func (w *wireClaims) claims() Claims {
	c := Claims{
		StageARN: w.Resource, ParticipantID: w.ID, UserID: w.UserID, Attributes: w.Attributes,
		WHIPURL: w.WHIPURL, EventsURL: w.EventsURL, Shared: w.Shared,
	}
	if w.IssuedAt != nil {
		c.Issued = w.IssuedAt.Time
	}
	if w.ExpiresAt != nil {
		c.Expires = w.ExpiresAt.Time
	}
	if w.Capabilities.Publish {
		c.Capabilities = append(c.Capabilities, CanPublish)
	}
	if w.Capabilities.Subscribe {
		c.Capabilities = append(c.Capabilities, CanSubscribe)
	}
	return c
}
