package api

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

// A key and its fingerprint by openssl (openssl ec -pubin -outform DER | openssl md5 -c).
const exampleKey = `-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEZoS9mlHZDD3nXzuu/QM4SvxqjVxPrPSP
TR2C3h6OJhZkMearJQeSiRVu0FfnpnlqkfHT07JgaGPwKzJhcqS/js/WOdDjn3Ip
iIdF2Rr4VshFAz3k2zucg94MQwwaO8vD
-----END PUBLIC KEY-----
`

const exampleFingerprint = "95:7f:23:03:af:0c:3f:e5:40:d7:67:f5:51:c6:d0:cf"

func newPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func newECKey(t *testing.T, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newPEM(t, &key.PublicKey)
}

func TestPublicKeyLife(t *testing.T) {
	b := newBench(t, nil)
	r := b.ok("ImportPublicKey", map[string]any{"publicKeyMaterial": exampleKey, "name": "k", "tags": map[string]string{"a": "b"}})
	arn := r.text("publicKey.arn")
	if r.text("publicKey.fingerprint") != exampleFingerprint || r.text("publicKey.publicKeyMaterial") != exampleKey || r.text("publicKey.tags.a") != "b" {
		t.Errorf("answer %v", r.body)
	}
	b.refused("ImportPublicKey", map[string]any{"publicKeyMaterial": strings.ReplaceAll(exampleKey, "\n", "\r\n")}, "ConflictException", exampleFingerprint)
	if got := b.ok("GetPublicKey", map[string]any{"arn": arn}); got.text("publicKey.publicKeyMaterial") != exampleKey {
		t.Errorf("GetPublicKey: %v", got.body)
	}
	b.ok("ImportPublicKey", map[string]any{"publicKeyMaterial": newECKey(t, elliptic.P384())})
	b.ok("ImportPublicKey", map[string]any{"publicKeyMaterial": newECKey(t, elliptic.P384())})
	b.refused("ImportPublicKey", map[string]any{"publicKeyMaterial": newECKey(t, elliptic.P384())}, "ServiceQuotaExceededException", "3 public keys")
	if got := b.ok("ListPublicKeys", map[string]any{"maxResults": 2}); len(got.at("publicKeys").([]any)) != 2 || got.text("nextToken") == "" {
		t.Errorf("ListPublicKeys: %v", got.body)
	}
	b.ok("DeletePublicKey", map[string]any{"arn": arn})
	b.refused("DeletePublicKey", map[string]any{"arn": arn}, "ResourceNotFoundException", arn)
	b.refused("GetPublicKey", map[string]any{"arn": arn}, "ResourceNotFoundException", arn)
}

func TestPublicKeyRefusals(t *testing.T) {
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, nil)
	for word, material := range map[string]string{
		"PEM":      "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n",
		"DER":      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"P-256":    newECKey(t, elliptic.P256()),
		"ed25519":  newPEM(t, edwards),
		"pattern:": "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
	} {
		b.refused("ImportPublicKey", map[string]any{"publicKeyMaterial": material}, "ValidationException", "'publicKeyMaterial'", word)
	}
}
