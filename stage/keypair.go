package stage

import (
	"context"
	"crypto/ecdsa"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	pkgerrors "github.com/pkg/errors"
)

const (
	tokenVersion     = "1.0"
	maxTokenLifetime = 14 * 24 * time.Hour
	maxUserID        = 128     // characters
	maxAttributes    = 1 << 10 // bytes, keys and values together
)

var participantIDShape = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// keyPairKey gives the imported public key that kid names.
func (t *Tokens) keyPairKey(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	if kid == "" {
		return nil, ErrNotFound
	}
	key, err := t.keys.PublicKey(ctx, kid)
	if err != nil {
		return nil, err
	}
	return jwt.ParseECPublicKeyFromPEM([]byte(key.Material))
}

// checkKeyPairClaims holds a user's token to the guide's token schema (chapter 01).
func (t *Tokens) checkKeyPairClaims(w wireClaims) error {
	switch {
	case w.IssuedAt == nil:
		return badToken("the token has no iat; it is needed as an integer, the Unix time of issue")
	case w.ExpiresAt.Sub(w.IssuedAt.Time) > maxTokenLifetime:
		return badToken("the token is valid for %s from iat to exp; at most 14 days are allowed. Set an earlier exp", w.ExpiresAt.Sub(w.IssuedAt.Time))
	case !participantIDShape.MatchString(w.ID):
		return badToken("the token's jti is no participant id; 1 to 64 letters, digits, hyphens and underscores are allowed")
	case utf8.RuneCountInString(w.UserID) > maxUserID:
		return badToken("the token's user_id has %d characters; at most %d are allowed", utf8.RuneCountInString(w.UserID), maxUserID)
	case stageID(w.Resource) == "":
		return badToken("the token's resource is no stage ARN; use the arn that CreateStage answered")
	case w.Topic != stageID(w.Resource):
		return badToken("the token's topic and resource disagree; topic must be the last part of the stage's ARN")
	case !sameEndpoint(w.WHIPURL, t.whipURL, "/whip"):
		return badToken("the token's whip_url is not the stage's WHIP endpoint; use endpoints.whip as GetStage answers it")
	case !sameEndpoint(w.EventsURL, t.eventsURL, "/events"):
		return badToken("the token's events_url is not the stage's events endpoint; use endpoints.events as GetStage answers it")
	case !w.Capabilities.Publish && !w.Capabilities.Subscribe:
		return badToken("the token's capabilities allow nothing; set allow_publish or allow_subscribe to true")
	case attributesSize(w.Attributes) > maxAttributes:
		return badToken("the token's attributes have %d bytes; at most %d are allowed in total", attributesSize(w.Attributes), maxAttributes)
	case w.Version != tokenVersion:
		return badToken("the token's version is %.16q; it must be \"1.0\"", w.Version)
	}
	return nil
}

// stageID gives the last part of a stage's ARN, or nothing where it is no such ARN.
func stageID(arn string) string {
	before, id, found := strings.Cut(arn, ":stage/")
	if !found || !strings.HasPrefix(before, "arn:aws:ivs:") {
		return ""
	}
	return id
}

func sameEndpoint(got, want, path string) bool {
	if want != "" {
		return strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/")
	}
	u, err := url.Parse(got)
	return err == nil && u.Host != "" && strings.TrimSuffix(u.Path, "/") == path
}

func attributesSize(attributes map[string]string) int {
	size := 0
	for key, value := range attributes {
		size += len(key) + len(value)
	}
	return size
}

// SignKeyPairToken makes the token that the owner of an imported public key may sign; keyARN
// names that key. The key must be on P-384 (ES384, RFC 7518, 3.4).
func SignKeyPairToken(key *ecdsa.PrivateKey, keyARN string, c Claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodES384, wireOf(c))
	token.Header["kid"] = keyARN
	signed, err := token.SignedString(key)
	return signed, pkgerrors.Wrap(err, "sign participant token")
}
