package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// publicKeyView is the API's PublicKey.
type publicKeyView struct {
	publicKeySummary
	Material    string `json:"publicKeyMaterial"`
	Fingerprint string `json:"fingerprint"`
}

// publicKeySummary is the API's PublicKeySummary.
type publicKeySummary struct {
	ARN  string            `json:"arn"`
	Name string            `json:"name"`
	Tags map[string]string `json:"tags"`
}

func summarizePublicKey(k stage.PublicKey) publicKeySummary {
	return publicKeySummary{ARN: k.ARN, Name: k.Name, Tags: k.Tags}
}

func viewPublicKey(k stage.PublicKey) map[string]publicKeyView {
	return map[string]publicKeyView{"publicKey": {
		publicKeySummary: summarizePublicKey(k), Material: k.Material, Fingerprint: k.Fingerprint,
	}}
}

func (a *API) importPublicKey(c call) (any, error) {
	key := stage.PublicKey{
		ARN: a.newARN("public-key", newUUID()), Name: c.in.text("name"), Material: c.in.text("publicKeyMaterial"),
		Tags: c.in.textMap("tags"), Created: a.o.Clock().UTC(),
	}
	var err error
	if key.Fingerprint, err = fingerprint(key.Material); err != nil {
		return nil, err
	}
	err = a.o.Store.ImportPublicKey(c, key, a.o.Quotas.PublicKeys)
	switch {
	case errors.Is(err, stage.ErrExists):
		return nil, conflict("This public key (fingerprint %s) is imported already", key.Fingerprint)
	case errors.Is(err, stage.ErrLimit):
		return nil, quotaExceeded("public keys", a.o.Quotas.PublicKeys)
	case err != nil:
		return nil, err
	}
	return viewPublicKey(key), nil
}

// fingerprint checks that the material is a key that ES384 tokens can be signed for, and
// gives the MD5 of its DER as pairs of digits, as AWS shows it. MD5 names the key here; it
// protects nothing.
func fingerprint(material string) (string, error) {
	const field, need = "publicKeyMaterial", "Member must be an EC key on P-384 (openssl ecparam -name secp384r1 -genkey -noout -out priv.pem; openssl ec -in priv.pem -pubout)"
	block, _ := pem.Decode([]byte(material))
	if block == nil || block.Type != "PUBLIC KEY" {
		return "", invalid(field, "%s; its PEM cannot be decoded", need)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", invalid(field, "%s; its DER cannot be decoded", need)
	}
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return "", invalid(field, "%s; %s was sent", need, strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", key), "*"), ".PublicKey"))
	}
	if ec.Curve != elliptic.P384() {
		return "", invalid(field, "%s; %s was sent", need, ec.Curve.Params().Name)
	}
	sum := md5.Sum(block.Bytes)
	pairs := make([]string, len(sum))
	for i := range sum {
		pairs[i] = hex.EncodeToString(sum[i : i+1])
	}
	return strings.Join(pairs, ":"), nil
}

func (a *API) getPublicKey(c call) (any, error) {
	key, err := a.o.Store.PublicKey(c, c.in.text("arn"))
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(c.in.text("arn"))
	}
	if err != nil {
		return nil, err
	}
	return viewPublicKey(key), nil
}

func (a *API) listPublicKeys(c call) (any, error) {
	after, limit, err := c.in.page("ListPublicKeys")
	if err != nil {
		return nil, err
	}
	page, next, err := a.o.Store.PublicKeys(c, after, limit)
	if err != nil {
		return nil, err
	}
	return struct {
		PublicKeys []publicKeySummary `json:"publicKeys"`
		NextToken  string             `json:"nextToken,omitempty"`
	}{views(page, summarizePublicKey), nextToken("ListPublicKeys", next)}, nil
}

func (a *API) deletePublicKey(c call) (any, error) {
	err := a.o.Store.DeletePublicKey(c, c.in.text("arn"))
	if errors.Is(err, stage.ErrNotFound) {
		return nil, notFound(c.in.text("arn"))
	}
	return struct{}{}, err
}
