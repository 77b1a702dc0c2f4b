package stage

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/stagedoor/stagedoor/ingest"
)

const keyARN = "arn:aws:ivs:us-east-1:000000000000:public-key/key1"

func keyPair(t testing.TB, curve elliptic.Curve) (*ecdsa.PrivateKey, PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	material := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return private, PublicKey{ARN: keyARN, Material: string(material)}
}

// payload is the guide's token schema, filled in.
func payload(now time.Time) jwt.MapClaims {
	return jwt.MapClaims{
		"exp": now.Add(12 * time.Hour).Unix(), "iat": now.Unix(), "jti": "Mx6clRRHODPy",
		"user_id": "u1", "resource": testStage, "topic": "AbCdEfGhIjKl",
		"events_url": "wss://edge.example/events", "whip_url": "https://edge.example/whip",
		"capabilities": map[string]bool{"allow_publish": true, "allow_subscribe": true},
		"attributes":   map[string]string{"color": "red"}, "version": "1.0",
	}
}

func TestKeyPairTokens(t *testing.T) {
	private, public := keyPair(t, elliptic.P384())
	stranger, _ := keyPair(t, elliptic.P384())
	store := newMemory()
	store.keys[keyARN] = public
	tokens := NewTokens([]byte("secret"), store, "https://edge.example/whip", "wss://edge.example/events")
	now := time.Unix(1_700_000_000, 0)
	set := func(name string, value any) func(*jwt.Token) {
		return func(token *jwt.Token) {
			if value == nil {
				delete(token.Claims.(jwt.MapClaims), name)
				return
			}
			token.Claims.(jwt.MapClaims)[name] = value
		}
	}
	for _, c := range []struct {
		name   string
		change func(*jwt.Token)
		want   string // part of the refusal; empty: accepted
	}{
		{"as the guide's schema", func(*jwt.Token) {}, ""},
		{"without the optional claims", func(token *jwt.Token) { set("user_id", nil)(token); set("attributes", nil)(token) }, ""},
		{"subscribe only", set("capabilities", map[string]bool{"allow_subscribe": true}), ""},
		{"expired", set("exp", now.Add(-time.Minute).Unix()), "expired"},
		{"without exp", set("exp", nil), "no exp"},
		{"without iat", set("iat", nil), "no iat"},
		{"from the future", set("iat", now.Add(time.Hour).Unix()), "iat lies in the future"},
		{"valid for 15 days", set("exp", now.Add(15*24*time.Hour).Unix()), "14 days"},
		{"without jti", set("jti", nil), "jti"},
		{"odd jti", set("jti", "a b"), "jti"},
		{"long jti", set("jti", strings.Repeat("a", 65)), "jti"},
		{"long user id", set("user_id", strings.Repeat("ü", 129)), "user_id has 129"},
		{"no stage ARN", set("resource", "stage"), "resource"},
		{"topic of another stage", set("topic", "other"), "topic and resource disagree"},
		{"another gateway's whip_url", set("whip_url", "https://elsewhere.example/whip"), "whip_url"},
		{"another gateway's events_url", set("events_url", "wss://elsewhere.example/events"), "events_url"},
		{"no capability", set("capabilities", map[string]bool{}), "allow nothing"},
		{"large attributes", set("attributes", map[string]string{"k": strings.Repeat("v", 1024)}), "1025 bytes"},
		{"another version", set("version", "2.0"), "version"},
		{"unknown kid", func(token *jwt.Token) { token.Header["kid"] = keyARN + "x" }, "not known"},
		{"without kid", func(token *jwt.Token) { delete(token.Header, "kid") }, "not known"},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodES384, payload(now))
		token.Header["kid"] = keyARN
		c.change(token)
		signed, err := token.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := tokens.Verify(t.Context(), signed, now)
		switch {
		case c.want == "" && (err != nil || claims.ParticipantID != "Mx6clRRHODPy" || claims.StageARN != testStage):
			t.Errorf("%s: %+v, %v", c.name, claims, err)
		case c.want != "" && (code(err) != ingest.InvalidToken || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v; want a refusal with %q", c.name, err, c.want)
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES384, payload(now))
	token.Header["kid"] = keyARN
	forged, _ := token.SignedString(stranger)
	if _, err := tokens.Verify(t.Context(), forged, now); code(err) != ingest.InvalidToken {
		t.Errorf("a token signed by somebody else: %v", err)
	}
}

// The classic confusions of JWT: no signature, and the public key taken as an HMAC secret.
func TestTokensOfAnotherAlgorithmAreRefused(t *testing.T) {
	_, public := keyPair(t, elliptic.P384())
	store := newMemory()
	store.keys[keyARN] = public
	tokens := NewTokens([]byte("secret"), store, "", "")
	now := time.Unix(1_700_000_000, 0)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodNone, payload(now))
	hmac := jwt.NewWithClaims(jwt.SigningMethodHS384, payload(now))
	hmac.Header["kid"] = keyARN
	short := jwt.NewWithClaims(jwt.SigningMethodHS256, payload(now))
	short.Header["kid"] = ownKeyID
	for name, sign := range map[string]func() (string, error){
		"none":                     func() (string, error) { return unsigned.SignedString(jwt.UnsafeAllowNoneSignatureType) },
		"public key as secret":     func() (string, error) { return hmac.SignedString([]byte(public.Material)) },
		"our secret, HS256":        func() (string, error) { return short.SignedString([]byte("secret")) },
		"our secret, a user's kid": func() (string, error) { return hmac.SignedString([]byte("secret")) },
	} {
		token, err := sign()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tokens.Verify(t.Context(), token, now); code(err) != ingest.InvalidToken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOwnTokensComeBackAsTheyWere(t *testing.T) {
	tokens := NewTokens([]byte("secret"), newMemory(), "", "")
	now := time.Unix(1_700_000_000, 0)
	want := Claims{
		StageARN: testStage, ParticipantID: "p", UserID: "u", Attributes: map[string]string{"a": "b"},
		Capabilities: []Capability{CanSubscribe}, Issued: now, Expires: now.Add(time.Hour), Shared: true,
	}
	token, err := tokens.Mint(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tokens.Verify(t.Context(), token, now)
	if err != nil || got.UserID != "u" || got.Attributes["a"] != "b" || !got.Shared || !got.Allows(CanSubscribe) || got.Allows(CanPublish) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := tokens.Verify(t.Context(), token[:len(token)-2], now); code(err) != ingest.InvalidToken {
		t.Errorf("a truncated token: %v", err)
	}
	private, public := keyPair(t, elliptic.P384())
	store := newMemory()
	store.keys[keyARN] = public
	signed, err := SignKeyPairToken(private, keyARN, Claims{
		StageARN: testStage, ParticipantID: "p", Capabilities: []Capability{CanPublish}, Shared: true,
		Issued: now, Expires: now.Add(time.Hour), WHIPURL: "http://h/whip", EventsURL: "ws://h/events",
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err = NewTokens(nil, store, "", "").Verify(t.Context(), signed, now)
	if err != nil || got.Shared {
		t.Errorf("a user's token that claims to be shared: %+v, %v", got, err)
	}
}

func FuzzVerify(f *testing.F) {
	tokens := NewTokens([]byte("secret"), newMemory(), "", "")
	now := time.Unix(1_700_000_000, 0)
	token, _ := tokens.Mint(Claims{StageARN: testStage, ParticipantID: "p", Issued: now, Expires: now.Add(time.Hour)})
	f.Add(token)
	f.Add("eyJhbGciOiJFUzM4NCJ9.e30.AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := tokens.Verify(t.Context(), token, now); err != nil && code(err) == "" {
			t.Errorf("%v is no rejection", err)
		}
	})
}
