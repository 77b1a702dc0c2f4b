package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// controlAPI calls the IVS Real-Time API, signed with AWS Signature Version 4.
type controlAPI struct{ base, keyID, secret string }

// call makes one call. in and out are JSON.
func (a controlAPI) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return errors.Wrap(err, operation)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/"+operation, bytes.NewReader(body))
	if err != nil {
		return errors.Wrap(err, operation)
	}
	request.Header.Set("Content-Type", "application/json")
	a.sign(request, body, time.Now().UTC())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.Wrap(err, operation)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return errors.Wrap(err, operation)
	}
	if response.StatusCode != http.StatusOK {
		return errors.Errorf("%s: %s: %s", operation, response.Status, answer)
	}
	return errors.Wrap(json.Unmarshal(answer, out), operation)
}

// sign adds the signature to a request without query.
func (a controlAPI) sign(r *http.Request, body []byte, now time.Time) {
	const signed = "content-type;host;x-amz-date"
	stamp, scope := now.Format("20060102T150405Z"), now.Format("20060102")+"/us-east-1/ivs/aws4_request"
	r.Header.Set("X-Amz-Date", stamp)
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), "",
		"content-type:" + r.Header.Get("Content-Type"), "host:" + r.URL.Host, "x-amz-date:" + stamp, "",
		signed, hexHash(body),
	}, "\n")
	key := []byte("AWS4" + a.secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hexHash([]byte(canonical))))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+a.keyID+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // a hash takes everything
	return h.Sum(nil)
}
