//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// jsFolder is the folder of the Node.js programs and of what they need.
func jsFolder(t testing.TB, module string) string {
	t.Helper()
	folder := filepath.Join(root(), "e2e", "js")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", module)); err != nil {
		t.Fatalf("%s is missing: npm ci --ignore-scripts in e2e/js installs it", module)
	}
	return folder
}

// withOpus gives a clip with its sound as Opus, and its pictures as they are.
func withOpus(t testing.TB, clip string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mkv")
	ffmpeg(t, "-i", clip, "-c:v", "copy", "-c:a", "libopus", "-b:a", "96k", file)
	return file
}

// publishByFFmpeg8 publishes a clip by FFmpeg 8.1's WHIP muxer.
func publishByFFmpeg8(t testing.TB, g *Gateway, clip string, length time.Duration) *Program {
	t.Helper()
	script := filepath.Join(jsFolder(t, "node-av"), "whip.mjs")
	return Start(t, need(t, "node"), script, withOpus(t, clip), g.Env["STAGEDOOR_WHIP_URL"], g.Env["STAGEDOOR_PUBLISH_TOKEN"], strconv.Itoa(int(length.Seconds())))
}

var startTime = regexp.MustCompile(`started (\d+) ms`)

// FFmpeg's own WHIP muxer goes on stage, quickly, is seen and heard, and leaves by DELETE.
func TestWHIPFromFFmpeg(t *testing.T) {
	g := StartGateway(t)
	publisher := publishByFFmpeg8(t, g, Clip("pattern.flv"), 25*time.Second)
	g.OnStage(t)
	if p := g.Scene(t).Participants[0]; p.Protocol != ingest.WHIP {
		t.Errorf("the participant's protocol is %s", p.Protocol)
	}
	found := startTime.FindStringSubmatch(publisher.Output())
	if found == nil {
		t.Fatalf("FFmpeg does not start: %s", publisher.Output())
	}
	t.Logf("FIGURE FFmpeg's WHIP start: %s ms", found[1])
	page := StartBrowser(t).Watch(t, g)
	page.ExpectPattern(t)
	page.ExpectTone(t, 440)
	if code := publisher.Wait(t, 60*time.Second); code != 0 || !strings.Contains(publisher.Output(), "left") {
		t.Errorf("FFmpeg ended with status %d: %s", code, publisher.Output())
	}
	within(t, 10*time.Second, "the stage is empty again", func() bool { return len(g.Scene(t).Participants) == 0 })
}

// The clip's flashes and beeps, published by FFmpeg over WHIP, come together to a viewer.
func TestLipSyncOverWHIP(t *testing.T) {
	const watched, allowed = 20 * time.Second, 40 * time.Millisecond
	g := StartGateway(t)
	publishByFFmpeg8(t, g, Clip("flashbeep.flv"), 40*time.Second)
	g.OnStage(t)
	base := g.Env["AWS_ENDPOINT_URL_IVS_REALTIME"] + "/whep/"
	g.Env["STAGEDOOR_WHEP_URL"] = base + g.Scene(t).Participants[0].ParticipantID
	r := record(t, g, watched)
	beeps := r.beeps(t)
	var skews []time.Duration
	for _, flash := range r.flashes(t) {
		beep, ok := nearest(beeps, flash)
		if !ok {
			continue
		}
		skews = append(skews, beep-flash)
		if skew := beep - flash; skew.Abs() > allowed {
			t.Errorf("the sound comes %v after the picture; at most %v are allowed", skew, allowed)
		}
	}
	if len(skews) < 10 {
		t.Fatalf("%d flashes with a beep are too few", len(skews))
	}
	t.Logf("FIGURE lip-sync over WHIP, sound after picture: %s", describe(skews))
}
