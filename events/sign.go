package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// SecretText gives a signing secret as receivers' libraries take it (Standard Webhooks,
// "whsec_" and base64).
func SecretText(secret []byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// sign gives the webhook-signature header (Standard Webhooks 1.0): an HMAC-SHA256 over the
// id, the time of the attempt in Unix seconds, and the body.
func sign(secret []byte, id string, timestamp int64, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%d.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
