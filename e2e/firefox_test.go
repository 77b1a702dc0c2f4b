//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Firefox of Debian has no H.264 of its own: it offers VP8, and is told that this is why it
// cannot publish.
func TestFirefoxIsRefused(t *testing.T) {
	g := StartGateway(t)
	script := filepath.Join(jsFolder(t, "puppeteer-core"), "firefox.mjs")
	firefox := Start(t, need(t, "node"), script, need(t, "firefox-esr"),
		g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"], g.Env["STAGEDOOR_WHIP_URL"], g.Env["STAGEDOOR_PUBLISH_TOKEN"])
	if code := firefox.Wait(t, time.Minute); code != 0 {
		t.Fatalf("the script ended with status %d", code)
	}
	var result struct {
		Status            int
		Code, Detail, SDP string
	}
	_, line, _ := strings.Cut("\n"+firefox.Output(), "\n{")
	if err := json.Unmarshal([]byte("{"+line), &result); err != nil {
		t.Fatalf("the script's result: %v", err)
	}
	t.Logf("%d %s: %s", result.Status, result.Code, result.Detail)
	if strings.Contains(result.SDP, "H264/") || !strings.Contains(result.SDP, "VP8/90000") {
		t.Fatalf("this Firefox does not offer VP8 without H.264, and the test tests nothing:\n%s", result.SDP)
	}
	if result.Status != 422 || result.Code != "INVALID_VIDEO_CODEC" {
		t.Errorf("it was answered with %d %s", result.Status, result.Code)
	}
	for _, part := range []string{"VP8", "H.264", "Firefox"} {
		if !strings.Contains(result.Detail, part) {
			t.Errorf("the text %q does not speak of %s", result.Detail, part)
		}
	}
	if people := g.Scene(t).Participants; len(people) != 0 {
		t.Errorf("%d participants are on stage", len(people))
	}
}
