package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/api"
	"github.com/stagedoor/stagedoor/stage"
)

// tokenCommand signs a key-pair token, as the guide describes; it needs no gateway.
type tokenCommand struct {
	Key          string            `required:"" placeholder:"FILE" help:"Your private key (PEM, EC P-384)."`
	KeyARN       string            `name:"key-arn" required:"" placeholder:"ARN" help:"ARN of its public key, as ImportPublicKey answered."`
	Stage        string            `required:"" placeholder:"ARN" help:"ARN of the stage."`
	Endpoint     string            `default:"http://localhost:8080" env:"AWS_ENDPOINT_URL_IVS_REALTIME" placeholder:"URL" help:"Base URL of the gateway, for whip_url and events_url."`
	Participant  string            `placeholder:"ID" help:"Participant id (default: random)."`
	UserID       string            `name:"user-id" placeholder:"NAME" help:"User id to show to the stage."`
	Capabilities []string          `default:"PUBLISH,SUBSCRIBE" enum:"PUBLISH,SUBSCRIBE" help:"What the token allows."`
	Attributes   map[string]string `name:"attribute" placeholder:"KEY=VALUE" help:"Attributes to show to the stage, 1 KB in total."`
	Duration     time.Duration     `default:"12h" help:"How long the token is valid, at most 336h (14 days)."`
}

// Run prints the token.
func (c *tokenCommand) Run(_ context.Context, o output) error {
	key, err := readPrivateKey(c.Key)
	if err != nil {
		return err
	}
	if c.Duration <= 0 || c.Duration > 14*24*time.Hour {
		return usagef("--duration is %s; more than 0 and at most 336h (14 days) is allowed", c.Duration)
	}
	if !strings.Contains(c.Stage, ":stage/") {
		return usagef("--stage is %q; it must be a stage's ARN, for example arn:aws:ivs:us-east-1:000000000000:stage/AbCdEfGhIjKl", c.Stage)
	}
	if !strings.Contains(c.KeyARN, ":public-key/") {
		return usagef("--key-arn is %q; it must be a public key's ARN, as ImportPublicKey answered", c.KeyARN)
	}
	if c.Participant == "" {
		c.Participant = stage.NewID(12)
	}
	base, err := url.Parse(c.Endpoint)
	if err != nil || base.Host == "" {
		return usagef("--endpoint is %q; it must be the gateway's base URL, for example http://localhost:8080", c.Endpoint)
	}
	e := api.EndpointsAt(base, 0, 0)
	now := time.Now().Truncate(time.Second)
	claims := stage.Claims{
		StageARN: c.Stage, ParticipantID: c.Participant, UserID: c.UserID, Attributes: c.Attributes,
		Issued: now, Expires: now.Add(c.Duration), WHIPURL: e.WHIP, EventsURL: e.Events,
	}
	for _, capability := range c.Capabilities {
		claims.Capabilities = append(claims.Capabilities, stage.Capability(capability))
	}
	token, err := stage.SignKeyPairToken(key, c.KeyARN, claims)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.out, token)
	return err
}

func readPrivateKey(name string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("--key: %s", err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default: // openssl ecparam writes "EC PARAMETERS" first
			continue
		}
		if err != nil {
			return nil, errors.Wrapf(err, "read %s", name)
		}
		if ec, ok := key.(*ecdsa.PrivateKey); ok && ec.Curve == elliptic.P384() {
			return ec, nil
		}
		return nil, usagef("--key %s holds no key on P-384; make one: openssl ecparam -name secp384r1 -genkey -noout -out priv.pem", name)
	}
	return nil, usagef("--key %s holds no private key in PEM; make one: openssl ecparam -name secp384r1 -genkey -noout -out priv.pem", name)
}
