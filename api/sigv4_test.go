package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The vectors are AWS's own test suite for Signature Version 4 (aws-sig-v4-test-suite): key
// AKIDEXAMPLE, 30 August 2015, us-east-1, service "service".
func TestSignatureVectors(t *testing.T) {
	const vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	for _, v := range []struct {
		name, method, path, query, body string
		header                          http.Header
		want                            string
	}{
		{name: "get-vanilla", path: "/", want: vanilla},
		{name: "get-relative-relative", path: "/example1/example2/../..", want: vanilla},
		{name: "get-header-key-duplicate", path: "/", header: http.Header{"My-Header1": {"value2", "value2", "value1"}},
			want: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{name: "get-header-value-trim", path: "/", header: http.Header{"My-Header1": {" value1"}, "My-Header2": {` "a   b   c"`}},
			want: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{name: "get-vanilla-query-order-key-case", path: "/", query: "Param2=value2&Param1=value1",
			want: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{name: "get-vanilla-empty-query-key", path: "/", query: "Param1=value1",
			want: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{name: "get-vanilla-query-unreserved", path: "/",
			query: "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			want:  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{name: "get-vanilla-utf8-query", path: "/", query: "ሴ=bar",
			want: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{name: "get-vanilla-query-order-encoded", path: "/", query: "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
			want: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{name: "get-vanilla-with-session-token", path: "/",
			header: http.Header{"X-Amz-Security-Token": {"6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"}},
			want:   "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		{name: "post-x-www-form-urlencoded", method: http.MethodPost, path: "/", body: "Param1=value1", header: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Content-Length": {"13"},
			"X-Amz-Content-Sha256": {"9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"},
		}, want: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
	} {
		t.Run(v.name, func(t *testing.T) {
			r := &http.Request{
				Method: http.MethodGet, Host: "example.amazonaws.com", ContentLength: int64(len(v.body)),
				URL: &url.URL{Path: v.path, RawQuery: v.query}, Header: http.Header{"X-Amz-Date": {"20150830T123600Z"}},
			}
			if v.method != "" {
				r.Method = v.method
			}
			names := []string{"host", "x-amz-date"}
			for name, values := range v.header {
				r.Header[name] = values
			}
			for _, name := range []string{"content-length", "content-type", "my-header1", "my-header2", "x-amz-content-sha256", "x-amz-security-token"} {
				if r.Header.Get(name) != "" {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			auth := authorization{date: "20150830", region: "us-east-1", service: "service", signedHeaders: names, time: "20150830T123600Z"}
			if got := sign("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &auth, r, []byte(v.body)); got != v.want {
				t.Errorf("signature %s, want %s\n%s", got, v.want, canonicalRequest(r, names, []byte(v.body)))
			}
		})
	}
}

// The paths of the suite. Ours are sent percent-encoded, and encoded once more.
func TestCanonicalPath(t *testing.T) {
	for sent, want := range map[string]string{
		"":                          "/",
		"/":                         "/",
		"//":                        "/",
		"/./":                       "/",
		"/./example":                "/example",
		"//example//":               "/example/",
		"/example/..":               "/",
		"/../..":                    "/",
		"/ሴ":                        "/%E1%88%B4",
		"/example space/":           "/example%20space/",
		"/-._~0189AZaz":             "/-._~0189AZaz",
		"/tags/arn%3Aaws%2Fx":       "/tags/arn%253Aaws%252Fx",
		"/tags/arn:aws:ivs:stage/x": "/tags/arn%3Aaws%3Aivs%3Astage/x",
	} {
		if got := canonicalPath(sent); got != want {
			t.Errorf("%q gives %q, want %q", sent, got, want)
		}
	}
}

func TestSignatureRefusals(t *testing.T) {
	b := newBench(t, nil)
	type change func(*http.Request)
	set := func(name, value string) change { return func(r *http.Request) { r.Header.Set(name, value) } }
	edit := func(old, fresh string) change {
		return func(r *http.Request) {
			before := r.Header.Get("Authorization")
			after := strings.Replace(before, old, fresh, 1)
			if before == after {
				t.Fatalf("%q is not in %q", old, before)
			}
			r.Header.Set("Authorization", after)
		}
	}
	for _, c := range []struct {
		name   string
		change change
		kind   string
		word   string
	}{
		{"unsigned", func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException", "stagedoor env"},
		{"bearer", set("Authorization", "Bearer x"), "IncompleteSignatureException", algorithm},
		{"no parameters", set("Authorization", algorithm), "IncompleteSignatureException", "'Credential'"},
		{"no signature", edit("Signature=", "S="), "IncompleteSignatureException", "'Signature'"},
		{"no signed headers", edit("SignedHeaders=", "S="), "IncompleteSignatureException", "'SignedHeaders'"},
		{"short scope", edit("/aws4_request", ""), "IncompleteSignatureException", "Credential must have the form"},
		{"unknown key", edit(testKeyID, "AKIDNOBODY"), "UnrecognizedClientException", "stagedoor env"},
		{"other key", edit(testKeyID, "AKIDOTHER"), "InvalidSignatureException", "does not match"},
		{"other service", edit("/ivs/", "/s3/"), "InvalidSignatureException", "'ivs'"},
		{"other region", edit("us-west-2", "us-west-1"), "InvalidSignatureException", "does not match"},
		{"other date", edit("20260506", "20260505"), "InvalidSignatureException", "Date in Credential scope"},
		{"wrong signature", edit("Signature=", "Signature=0"), "InvalidSignatureException", "does not match"},
		{"host not signed", edit("=host;", "="), "InvalidSignatureException", "'host'"},
		{"date not signed", edit("host;x-amz-date", "host"), "InvalidSignatureException", "'x-amz-date'"},
		{"unsigned amz header", set("X-Amz-Extra", "1"), "InvalidSignatureException", "'x-amz-extra'"},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException", "'X-Amz-Date'"},
		{"bad date", set("X-Amz-Date", "yesterday"), "IncompleteSignatureException", "X-Amz-Date"},
		{"other host", func(r *http.Request) { r.Host = "elsewhere:80" }, "InvalidSignatureException", "elsewhere:80"},
		{"unsigned payload", set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), "InvalidSignatureException", ""},
		{"query added", func(r *http.Request) { r.URL.RawQuery = "a=b" }, "InvalidSignatureException", "does not match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.request(http.MethodPost, "/ListStages", "{}")
			c.change(r)
			got := b.send("ListStages", r)
			wantRefusal(t, got, c.kind, c.word)
			if got.status != http.StatusForbidden && got.status != http.StatusBadRequest {
				t.Errorf("status %d", got.status)
			}
		})
	}
	if log := b.log.String(); strings.Contains(log, testKeyID) || strings.Contains(log, testSecret) || strings.Contains(log, "Signature=") {
		t.Errorf("a secret is in the log: %s", log)
	}
}

func TestSignatureCoversBody(t *testing.T) {
	b := newBench(t, nil)
	r := b.request(http.MethodPost, "/CreateStage", `{"name":"a"}`)
	other := b.request(http.MethodPost, "/CreateStage", `{"name":"b"}`)
	other.Header = r.Header
	wantRefusal(t, b.send("CreateStage", other), "InvalidSignatureException", "does not match")
}

func TestClockSkew(t *testing.T) {
	b := newBench(t, nil)
	for _, c := range []struct {
		off  time.Duration
		kind string
		word string
	}{
		{-maxClockSkew, "", ""},
		{maxClockSkew, "", ""},
		{-maxClockSkew - time.Second, "InvalidSignatureException", "Signature expired"},
		{maxClockSkew + time.Second, "InvalidSignatureException", "not yet current"},
	} {
		r := b.request(http.MethodPost, "/ListStages", "{}")
		b.now = b.now.Truncate(time.Second)
		signRequest(r, "{}", b.now.Add(c.off))
		got := b.send("ListStages", r)
		if got.kind != c.kind || !strings.Contains(got.message(), c.word) {
			t.Errorf("%v: %s %s", c.off, got.kind, got.message())
		}
	}
}

// A session token that the caller's environment happens to have does no harm.
func TestSecurityTokenIsIgnored(t *testing.T) {
	b := newBench(t, nil)
	r := b.request(http.MethodPost, "/ListStages", "{}")
	r.Header.Set("X-Amz-Security-Token", "left over")
	stamp := b.now.Format(amzDate)
	auth := authorization{date: stamp[:8], region: "x", service: "ivs", signedHeaders: []string{"host", "x-amz-date", "x-amz-security-token"}, time: stamp}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=%s",
		algorithm, testKeyID, auth.scope(), sign(testSecret, &auth, r, []byte("{}"))))
	if got := b.send("ListStages", r); got.status != http.StatusOK {
		t.Fatalf("%s %s", got.kind, got.message())
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add(algorithm+" Credential=AKID/20260506/us-east-1/ivs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "/tags/arn%3Aaws", "tagKeys=a&tagKeys=b%2Fc")
	f.Add(algorithm+" ,,=,Credential=////,SignedHeaders=;;,Signature==", "/../..//.", "%zz&=;&+")
	f.Fuzz(func(t *testing.T, header, path, query string) {
		auth, err := parseAuthorization(header)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"X-Amz-Date": {"20260506T000000Z"}}}
		_ = checkDate(auth, r.Header, time.Unix(0, 0))
		_ = checkSigned(auth, r.Header)
		if got := sign("secret", auth, r, nil); len(got) != 64 {
			t.Fatalf("signature %q", got)
		}
	})
}
