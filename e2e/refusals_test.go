//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// Each clip that breaks a rule is refused with its code; the reason is in the events feed,
// in the log, on the page, and in the encoder's own output, at the latest when it comes
// back within 5 s.
func TestRefusals(t *testing.T) {
	t.Parallel()
	browser := StartBrowser(t)
	for _, c := range []struct {
		clip  string
		code  ingest.Code
		words []string // of the text: what was seen, what to change
	}{
		{"bframes", ingest.BFramePresent, []string{"B-frames", "bframes=0", "-bf 0"}},
		{"bframes-in-baseline", ingest.BFramePresent, []string{"B-frames", "bframes=0", "-bf 0"}},
		{"1080p", ingest.ResolutionExceeded, []string{"1920x1080", "1280"}},
		{"main", ingest.InvalidVideoCodec, []string{"Main", "aseline"}},
		{"high", ingest.InvalidVideoCodec, []string{"High", "aseline"}},
		{"mp3", ingest.InvalidAudioCodec, []string{"MP3", "AAC"}},
		{"no-audio", ingest.InvalidInput, []string{"audio"}},
		{"no-video", ingest.InvalidInput, []string{"video"}},
	} {
		t.Run(c.clip, func(t *testing.T) {
			expectRefusal(t, browser, Clip(c.clip+".flv"), c.code, c.words)
		})
	}
	t.Run("10 Mbps", func(t *testing.T) {
		expectRefusal(t, browser, MakeClip(t, "bitrate10m"), ingest.BitrateExceeded, []string{"Mbps", "8.5"})
	})
}

// expectRefusal plays the clip to a gateway of its own: a key that was just refused is
// refused again with the same text, whatever comes.
func expectRefusal(t *testing.T, browser *Browser, clip string, code ingest.Code, words []string) {
	t.Helper()
	g := StartGateway(t)
	page := browser.Open(t, g.Env["STAGEDOOR_WATCH_URL"])
	defer page.Close(t)
	if status := PlayClip(t, clip, g.RTMP()).Wait(t, 40*time.Second); status == 0 {
		t.Error("ffmpeg ended as if nothing was wrong")
	}
	var refusal stage.Refusal
	within(t, 5*time.Second, "the refusal is in the events feed", func() bool {
		refusals := g.Scene(t).Refusals
		if len(refusals) > 0 {
			refusal = refusals[0]
		}
		return len(refusals) > 0
	})
	t.Logf("%s: %s", refusal.Code, refusal.Detail)
	if refusal.Code != code {
		t.Errorf("the code is %s, want %s", refusal.Code, code)
	}
	for _, word := range words {
		if !strings.Contains(refusal.Detail, word) {
			t.Errorf("%q lacks %q", refusal.Detail, word)
		}
	}
	if !strings.Contains(g.Log(), string(code)) {
		t.Errorf("%s is not in the log", code)
	}
	page.Wait(t, 10*time.Second, fmt.Sprintf(`[...document.querySelectorAll("#refusal-list li.fresh")].some((li) => li.innerText.includes(%q) && li.innerText.includes(%q))`, code, refusal.Detail))

	again := PlayClip(t, clip, g.RTMP())
	if status := again.Wait(t, 10*time.Second); status == 0 {
		t.Error("the second ffmpeg ended as if nothing was wrong")
	}
	if !strings.Contains(again.Output(), refusal.Detail) {
		t.Errorf("ffmpeg's own output does not show the reason:\n%s", tail(again.Output(), 2000))
	}
}

// Whoever corrects the setting is never refused for the past.
func TestCorrectedEncoderIsTaken(t *testing.T) {
	t.Parallel()
	g := StartGateway(t)
	PlayClip(t, Clip("1080p.flv"), g.RTMP()).Wait(t, 20*time.Second)
	within(t, 20*time.Second, "the corrected encoder is on stage", func() bool {
		encoder := PlayClip(t, Clip("pattern.flv"), g.RTMP())
		select {
		case <-encoder.ended: // still within the 5 s
			return false
		case <-time.After(3 * time.Second):
			return len(g.Scene(t).Participants) == 1
		}
	})
}

// A wrong key is refused before it starts, with a text that does not repeat it.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	g := StartGateway(t)
	encoder := PlayClip(t, Clip("pattern.flv"), g.Env["STAGEDOOR_RTMP_URL"]+"rt_000000000000_us-east-1_wrong")
	if status := encoder.Wait(t, 15*time.Second); status == 0 {
		t.Error("ffmpeg ended as if nothing was wrong")
	}
	if !strings.Contains(encoder.Output(), "key") || !strings.Contains(encoder.Output(), "Server error") {
		t.Errorf("ffmpeg does not say that the key is wrong:\n%s", encoder.Output())
	}
	if strings.Contains(g.Log(), "us-east-1_wrong") {
		t.Error("the key is in the log")
	}
	if !strings.Contains(g.Log(), string(ingest.InvalidStreamKey)) {
		t.Error("INVALID_STREAM_KEY is not in the log")
	}
}
