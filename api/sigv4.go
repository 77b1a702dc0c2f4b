package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// The name by which AWS's clients sign for this API (not "ivs-realtime").
const signingService = "ivs"

const (
	algorithm    = "AWS4-HMAC-SHA256"
	amzDate      = "20060102T150405Z"
	maxClockSkew = 15 * time.Minute // either way, as AWS
)

// authenticate verifies the request's signature, AWS Signature Version 4. It gives the
// fingerprint of the access key, for the log. Errors are in AWS's own shapes and words, with
// a hint where AWS leaves the reader alone.
//
// A security token that comes along is ignored: stagedoor has no temporary credentials, but
// clients send whatever AWS_SESSION_TOKEN holds, and it adds nothing to what the signature
// proves.
func (a *API) authenticate(r *http.Request, body []byte) (caller string, err error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", faultf(http.StatusForbidden, "MissingAuthenticationTokenException",
			"Missing Authentication Token. Calls must be signed with an access key (Signature Version 4, service ivs): \"stagedoor env\" prints one")
	}
	auth, err := parseAuthorization(header)
	if err != nil {
		return "", err
	}
	caller = ingest.Fingerprint(auth.accessKeyID)
	secret, known := a.o.Credentials[auth.accessKeyID]
	if !known {
		return caller, faultf(http.StatusForbidden, "UnrecognizedClientException",
			"The security token included in the request is invalid: this access key id is not one of this gateway's (\"stagedoor env\" prints one)")
	}
	if auth.service != signingService {
		return caller, badSignature("Credential should be scoped to correct service: '%s'.", signingService)
	}
	if err := checkDate(auth, r.Header, a.o.Clock()); err != nil {
		return caller, err
	}
	if err := checkSigned(auth, r.Header); err != nil {
		return caller, err
	}
	if err := checkBodyHash(r.Header, body); err != nil {
		return caller, err
	}
	want := sign(secret, auth, r, body)
	if !hmac.Equal([]byte(want), []byte(auth.signature)) {
		return caller, badSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "+
			"If a proxy stands before the gateway, it must keep the Host header and the path: here they arrived as '%.255s' and '%.255s'.", r.Host, r.URL.EscapedPath())
	}
	return caller, nil
}

func badSignature(format string, args ...any) *fault {
	return faultf(http.StatusForbidden, "InvalidSignatureException", format, args...)
}

func incomplete(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "IncompleteSignatureException", format, args...)
}

// authorization is the parsed header.
type authorization struct {
	accessKeyID           string
	date, region, service string // of the credential scope
	signedHeaders         []string
	signature             string
	time                  string // X-Amz-Date or Date, as amzDate
}

func (a authorization) scope() string {
	return a.date + "/" + a.region + "/" + a.service + "/aws4_request"
}

// parseAuthorization reads
// "AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX".
func parseAuthorization(header string) (*authorization, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != algorithm {
		return nil, incomplete("Authorization header must begin with '%s': other ways to sign are not supported.", algorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return nil, incomplete("Authorization header requires '%s' parameter.", name)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return nil, incomplete("Credential must have the form ID/YYYYMMDD/REGION/%s/aws4_request.", signingService)
	}
	return &authorization{
		accessKeyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signedHeaders: strings.Split(strings.ToLower(parts["SignedHeaders"]), ";"),
		signature:     parts["Signature"],
	}, nil
}

// checkDate reads the time of signing and compares it with our clock.
func checkDate(auth *authorization, header http.Header, now time.Time) error {
	auth.time = header.Get("X-Amz-Date")
	if auth.time == "" {
		date, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
		}
		auth.time = date.UTC().Format(amzDate)
	}
	signed, err := time.Parse(amzDate, auth.time)
	if err != nil {
		return incomplete("The X-Amz-Date header must have the form YYYYMMDDTHHMMSSZ.")
	}
	if !strings.HasPrefix(auth.time, auth.date+"T") {
		return badSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	stamp := func(t time.Time) string { return t.UTC().Format(amzDate) }
	switch {
	case now.Sub(signed) > maxClockSkew:
		return badSignature("Signature expired: %s is now earlier than %s (%s - 15 min.)", auth.time, stamp(now.Add(-maxClockSkew)), stamp(now))
	case signed.Sub(now) > maxClockSkew:
		return badSignature("Signature not yet current: %s is still later than %s (%s + 15 min.)", auth.time, stamp(now.Add(maxClockSkew)), stamp(now))
	}
	return nil
}

// checkSigned wants the signature to cover what gives the request its meaning.
func checkSigned(auth *authorization, header http.Header) error {
	needed := []string{"host"}
	if header.Get("X-Amz-Date") == "" {
		needed = append(needed, "date")
	}
	for name := range header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			needed = append(needed, lower)
		}
	}
	for _, name := range needed {
		if !slices.Contains(auth.signedHeaders, name) {
			return badSignature("'%s' must be a 'SignedHeader' in the Authorization.", name)
		}
	}
	return nil
}

// checkBodyHash refuses a declared hash that is not the body's. The signature covers the
// real one in any case; this gives the reason in words.
func checkBodyHash(header http.Header, body []byte) error {
	if declared := header.Get("X-Amz-Content-Sha256"); declared != "" && declared != hexSHA256(body) {
		return badSignature("The X-Amz-Content-Sha256 header is not the SHA-256 of the body; unsigned and chunked payloads are not supported.")
	}
	return nil
}

// sign gives the signature that the request should have.
func sign(secret string, auth *authorization, r *http.Request, body []byte) string {
	toSign := strings.Join([]string{
		algorithm, auth.time, auth.scope(), hexSHA256([]byte(canonicalRequest(r, auth.signedHeaders, body))),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{auth.date, auth.region, auth.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
