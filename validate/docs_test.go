package validate

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const rulesDoc = "../docs/rules.md"

// docs/rules.md has every text of the catalogue and every line of the matrix.
// UPDATE_DOCS=1 writes them into it.
func TestRulesDoc(t *testing.T) {
	b, err := os.ReadFile(rulesDoc)
	if err != nil {
		t.Fatal(err)
	}
	matrix, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	doc := between(t, string(b), "<!-- texts -->\n", docTexts())
	doc = between(t, doc, "<!-- matrix -->\n", docMatrix(string(matrix)))
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(rulesDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if doc != string(b) {
		t.Error("docs/rules.md differs from the catalogue or testdata/matrix.txt: run UPDATE_DOCS=1 go test ./validate -run TestRulesDoc")
	}
	for _, r := range AllRules() {
		if !strings.Contains(doc, "\n| `"+string(r)+"` | ") {
			t.Errorf("docs/rules.md lacks the rule %s", r)
		}
	}
}

// between replaces what stands between a mark and the next end mark.
func between(t *testing.T, doc, mark, text string) string {
	t.Helper()
	before, rest, found := strings.Cut(doc, mark)
	_, after, ended := strings.Cut(rest, "<!-- end -->\n")
	if !found || !ended {
		t.Fatalf("docs/rules.md lacks the mark %s", mark)
	}
	return before + mark + text + "<!-- end -->\n" + after
}

var escape = strings.NewReplacer("|", `\|`)

func docMatrix(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "# ") && b.Len() > 0 || strings.HasPrefix(line, "# presets"):
			fmt.Fprintf(&b, "\n**%s**\n\n| name | verdict | options |\n|---|---|---|\n", line[2:])
		case line[0] != '#':
			f := strings.SplitN(line, " | ", 3)
			fmt.Fprintf(&b, "| %s | %s | `%s` |\n", f[0], f[1], escape.Replace(f[2]))
		}
	}
	return b.String() + "\n"
}

func docTexts() string {
	rtmp, whip := words{limits: DefaultRules().Limits}, words{limits: DefaultRules().Limits, whip: true}
	hevc := UnsupportedVideo("HEVC (H.265)")
	var b strings.Builder
	b.WriteString("\n| rule | result | text |\n|---|---|---|\n")
	for _, f := range []*Finding{
		&hevc,
		rtmp.damagedHeader("SPS"),
		rtmp.profile("H.264 High profile"),
		rtmp.interlaced(),
		rtmp.bframe(3),
		rtmp.bframesAnnounced(2),
		rtmp.tooLarge(1920, 1080),
		rtmp.tooSmall(160, 90),
		rtmp.bitrateExceeded(10_200_000),
		rtmp.bitratePeak(9_100_000),
		rtmp.frameRate(120),
		rtmp.idrIntervalLong(8300 * time.Millisecond),
		rtmp.idrIntervalShort(500 * time.Millisecond),
		rtmp.noIDR(10*time.Second, noIDRAtAll),
		rtmp.noIDR(10*time.Second, intraRefresh),
		rtmp.noIDR(10*time.Second, openGOP),
		rtmp.audioCodec("MP3 audio", encoderSetting),
		rtmp.audioCodec("HE-AAC audio", profileSetting),
		rtmp.audioCodec("AAC audio at 22.05 kHz", rateSetting),
		rtmp.audioCodec("AAC audio with 6 channels (5.1)", channelsSetting),
		whip.audioCodec("G.711 audio", encoderSetting),
		rtmp.audioBitrateExceeded(320_000),
		whip.audioBitrateVariable(213_000),
		rtmp.noTrack(audioTrack, 5*time.Second),
		rtmp.noTrack(videoTrack, 5*time.Second),
		rtmp.trackStopped(audioTrack, 5*time.Second),
		rtmp.tooLong(24 * time.Hour),
	} {
		result := string(f.Code)
		if f.Severity == Warned {
			result = "warning"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Rule, result, escape.Replace(f.Detail()))
	}
	return b.String() + "\n"
}
