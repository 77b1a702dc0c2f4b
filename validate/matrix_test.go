//go:build e2e

package validate

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// TestMatrix encodes every line of testdata/matrix.txt with ffmpeg and judges the outcome.
// KEEP_CLIPS names a folder in which clips are kept and, if they are there, not made again.
func TestMatrix(t *testing.T) {
	table, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv("KEEP_CLIPS")
	if dir == "" {
		dir = t.TempDir()
	}
	for line := range strings.Lines(string(table)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		field := strings.SplitN(line, " | ", 3)
		name, verdict, options := field[0], field[1], field[2]
		t.Run(name, func(t *testing.T) { judgeClip(t, makeClip(t, dir, name, options), verdict) })
	}
}

func judgeClip(t *testing.T, clip, verdict string) {
	b, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules(), Warn: func(f Finding) {
		warnings = append(warnings, string(f.Rule))
		t.Log("warning: ", f.Detail())
	}})
	err = playFLV(b, v)
	got := string(codeOf(err))
	if err != nil {
		t.Log(err)
	} else {
		got = "accept"
		if len(warnings) > 0 {
			got = "warn " + strings.Join(warnings, " ")
		}
		for _, f := range v.Report() {
			t.Logf("%-14s %s", f.Rule, f.Seen)
		}
		t.Logf("%+v", v.health.health)
	}
	if got != verdict {
		t.Errorf("judged %q, want %q", got, verdict)
	}
}

var macro = regexp.MustCompile(`\{(v|noise) (\S+) (\S+) (\S+)\}`)

func makeClip(t *testing.T, dir, name, options string) string {
	out := filepath.Join(dir, name+".flv")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	options = macro.ReplaceAllStringFunc(options, func(s string) string {
		m := macro.FindStringSubmatch(s)
		source := "-f lavfi -i testsrc2=size=" + m[2] + ":rate=" + m[3] + ":duration=" + m[4]
		if m[1] == "noise" {
			source += ",noise=alls=100:allf=t"
		}
		return source
	})
	options = strings.NewReplacer(
		"{a}", "-f lavfi -i sine=frequency=440:sample_rate=48000 -ac 2",
		"{x264}", "-c:v libx264 -pix_fmt yuv420p",
		"{aac}", "-shortest -c:a aac -b:a 128k",
	).Replace(options)
	command := "exec ffmpeg -y -v error -nostdin " + options + " -f flv " + out
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if text, err := exec.CommandContext(ctx, "sh", "-c", command).CombinedOutput(); err != nil {
		os.Remove(out)
		t.Fatalf("%s: %v\n%s", command, err, text)
	}
	return out
}
