//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// report is the part of check's JSON that the tests look at.
type report struct {
	Result string      `json:"result"`
	Code   ingest.Code `json:"code"`
	Text   string      `json:"text"`
	Rules  []struct {
		Rule   string `json:"rule"`
		Result string `json:"result"`
		Seen   string `json:"seen"`
		Change string `json:"change"`
	} `json:"rules"`
}

// runCheck runs "stagedoor check --json" and gives its exit status too.
func runCheck(t *testing.T, args ...string) (report, int) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(built, append([]string{"check", "--json"}, args...)...)
	cmd.Stdout = &out
	_ = cmd.Run() // the status tells
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("check %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return r, cmd.ProcessState.ExitCode()
}

// Every clip is judged as the gateway judges it (TestRefusals), in each container that
// ffmpeg puts it into.
func TestCheckFiles(t *testing.T) {
	for _, c := range []struct {
		clip string
		code ingest.Code
	}{
		{"pattern", ""}, {"flashbeep", ""}, {"demo", ""},
		{"bframes", ingest.BFramePresent}, {"bframes-in-baseline", ingest.BFramePresent},
		{"1080p", ingest.ResolutionExceeded}, {"main", ingest.InvalidVideoCodec}, {"high", ingest.InvalidVideoCodec},
		{"mp3", ingest.InvalidAudioCodec}, {"no-audio", ingest.InvalidInput}, {"no-video", ingest.InvalidInput},
	} {
		files := []string{Clip(c.clip + ".flv")}
		for _, form := range [][]string{
			{"c.mp4"}, {"c.mov"}, {"c.ts"}, {"f.mp4", "-movflags", "frag_keyframe+empty_moov"},
		} {
			file := t.TempDir() + "/" + form[0]
			ffmpeg(t, append(append([]string{"-i", files[0], "-c", "copy"}, form[1:]...), file)...)
			files = append(files, file)
		}
		for _, file := range files {
			r, status := runCheck(t, file)
			want := 0
			if c.code != "" {
				want = 1
			}
			if status != want || r.Code != c.code || len(r.Rules) != 11 {
				t.Errorf("%s as %s: status %d, %s %s (%s), want %d %s", c.clip, file, status, r.Result, r.Code, r.Text, want, c.code)
			}
		}
	}
}

// The status of what cannot be judged.
func TestCheckStatus(t *testing.T) {
	for args, want := range map[string]int{
		"check " + root() + "/README.md": 1, "check /no/such/file": 2, "check": 2, "check --help": 0,
		"check " + Clip("1080p.flv") + " --rule resolution=warn": 0,
	} {
		cmd := exec.Command(built, strings.Fields(args)...)
		_ = cmd.Run() // the status tells
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: status %d, want %d", args, got, want)
		}
	}
}

// A real encoder is judged, and both sides say what the result is.
func TestCheckEncoder(t *testing.T) {
	for _, c := range []struct {
		clip   string
		status int
		words  string
	}{
		{"pattern", 0, "would be accepted"},
		{"bframes", 1, "x264 options bframes=0, or Max B-frames 0. ffmpeg: -bf 0"},
	} {
		check := Start(t, built, "check", "rtmp-listen", "--listen", "127.0.0.1:0", "--for", "5s")
		var url string
		within(t, 10*time.Second, "check prints a URL", func() bool {
			url = regexp.MustCompile(`rtmp://\S+/app/check`).FindString(check.Output())
			return url != ""
		})
		encoder := PlayClip(t, Clip(c.clip+".flv"), url)
		if status := check.Wait(t, 30*time.Second); status != c.status {
			t.Errorf("%s: status %d, want %d", c.clip, status, c.status)
		}
		encoder.Wait(t, 10*time.Second)
		if !strings.Contains(encoder.Output(), c.words) {
			t.Errorf("%s: the encoder is not told %q", c.clip, c.words)
		}
		if !strings.Contains(strings.ToLower(check.Output()), c.words) && !strings.Contains(check.Output(), c.words) {
			t.Errorf("%s: check does not print %q", c.clip, c.words)
		}
	}
}

// A stream that breaks a rule which only warns stays on stage; the warning reaches the
// scene, the page and the log.
func TestWarningIsSeen(t *testing.T) {
	g := StartGateway(t)
	Start(t, need(t, "ffmpeg"), "-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i", Clip("pattern.flv"),
		"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-g", "250", "-sc_threshold", "0", "-c:a", "copy", "-f", "flv", g.RTMP())
	page := StartBrowser(t).Watch(t, g)
	const warning = "Keyframes (IDR) 8.3 s apart"
	page.Wait(t, 30*time.Second, `[...document.querySelectorAll(".warning")].some((p) => !p.hidden && p.innerText.includes("`+warning+`") && p.innerText.includes("Keyframe Interval 2 s"))`)
	participants := g.Scene(t).Participants
	if len(participants) != 1 || !strings.Contains(participants[0].Health.Warning, warning) {
		t.Errorf("the scene's participants are %+v", participants)
	}
	if !strings.Contains(g.Log(), warning) {
		t.Error("the warning is not in the log")
	}
}
