package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// tag calls one of the tag operations on the resource, escaped as clients do.
func (b *bench) tag(method, arn, query string, body any) reply {
	b.t.Helper()
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		text = string(encoded)
	}
	return b.send(tagRoutes[method].operation, b.request(method, "/tags/"+url.QueryEscape(arn)+query, text))
}

func TestTags(t *testing.T) {
	b := newBench(t, nil)
	for _, arn := range []string{
		b.newStage(),
		b.ok("CreateIngestConfiguration", map[string]any{"ingestProtocol": "RTMPS"}).text("ingestConfiguration.arn"),
		b.ok("ImportPublicKey", map[string]any{"publicKeyMaterial": exampleKey}).text("publicKey.arn"),
	} {
		if r := b.tag(http.MethodPost, arn, "", map[string]any{"tags": map[string]string{"env": "dev", "b/c": "ü d+e"}}); r.status != http.StatusOK {
			t.Fatalf("%s: %s", r.kind, r.message())
		}
		if r := b.tag(http.MethodGet, arn, "", nil); r.text("tags.env") != "dev" || r.text("tags.b/c") != "ü d+e" {
			t.Errorf("tags %v", r.body)
		}
		if r := b.tag(http.MethodDelete, arn, "?tagKeys=env&tagKeys=b%2Fc&tagKeys=none", nil); r.status != http.StatusOK {
			t.Errorf("%s: %s", r.kind, r.message())
		}
		if r := b.tag(http.MethodGet, arn, "", nil); len(r.at("tags").(map[string]any)) != 0 {
			t.Errorf("tags %v", r.body)
		}
	}
}

// curl users do not escape the ARN's slash and colons.
func TestTagsUnescaped(t *testing.T) {
	b := newBench(t, nil)
	arn := b.newStage()
	if r := b.send("ListTagsForResource", b.request(http.MethodGet, "/tags/"+arn, "")); r.status != http.StatusOK {
		t.Errorf("%s %s", r.kind, r.message())
	}
}

func TestTagRefusals(t *testing.T) {
	b := newBench(t, nil)
	arn := b.newStage()
	full := map[string]string{}
	for i := range 50 {
		full[fmt.Sprint(i)] = ""
	}
	some := map[string]any{"tags": map[string]string{"a": "b"}}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		for _, unknown := range []string{validARN("stage"), validARN("composition")} {
			wantRefusal(t, b.tag(method, unknown, "?tagKeys=a", some), "ResourceNotFoundException", unknown)
		}
		for _, bad := range []string{"", "x", validARN("Stage"), arn + "!", strings.Repeat("a", 129)} {
			wantRefusal(t, b.tag(method, bad, "?tagKeys=a", some), "ValidationException", "'resourceArn'")
		}
	}
	wantRefusal(t, b.tag(http.MethodDelete, arn, "", nil), "ValidationException", "'tagKeys'")
	wantRefusal(t, b.tag(http.MethodDelete, arn, "?tagKeys=", nil), "ValidationException", "'tagKeys[0]'")
	wantRefusal(t, b.tag(http.MethodDelete, arn, "?"+strings.Join(slices.Repeat([]string{"tagKeys=a"}, 51), "&"), nil), "ValidationException", "'tagKeys'")
	if r := b.tag(http.MethodPost, arn, "", map[string]any{"tags": full}); r.status != http.StatusOK {
		t.Fatalf("%s %s", r.kind, r.message())
	}
	wantRefusal(t, b.tag(http.MethodPost, arn, "", some), "ValidationException", "at most 50 tags")
}
