package validate

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func rulesWith(modes map[Rule]Mode) Rules { return Rules{Modes: modes, Limits: DefaultRules().Limits} }

func TestModes(t *testing.T) {
	for _, c := range []struct {
		mode Mode
		want ingest.Code
		told int
	}{{ModeReject, ingest.ResolutionExceeded, 0}, {ModeWarn, "", 1}, {ModeOff, "", 0}, {"", ingest.ResolutionExceeded, 0}} {
		modes := map[Rule]Mode{Resolution: c.mode}
		if c.mode == "" {
			modes = nil // a rule that nobody configured rejects
		}
		var told warnings
		next := new(recorder)
		v := New(next, Options{Protocol: ingest.RTMP, Rules: rulesWith(modes), Warn: told.add})
		e := newEncoder()
		e.sps = makeSPS(1920, 1080)
		err := e.headers(v)
		if err == nil {
			err = e.run(v, 30*time.Second)
		}
		if codeOf(err) != c.want || len(told) != c.told {
			t.Errorf("%q: %v, told: %s", c.mode, err, told)
		}
		if c.told > 0 && (told[0].Severity != Warned || v.health.health.Warning != told[0].Detail()) {
			t.Errorf("%+v", told[0])
		}
		if (next.order == "") != (c.want != "") {
			t.Errorf("%q: on stage %.10q", c.mode, next.order)
		}
	}
}

// One refusal names all that is wrong with a header, as far as a line can hold it.
func TestRejectionNamesAllFaults(t *testing.T) {
	sps := append([]byte(nil), makeSPS(1920, 1080)...)
	sps[1], sps[2] = 77, 0x40
	err := New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}).WriteVideo(videoHeader(sps, ppsBaseline))
	wantRejection(t, err, ingest.InvalidVideoCodec, "H.264 Main profile; stages take")
	wantRejection(t, err, ingest.InvalidVideoCodec, ". Also: 1920x1080 video; stages take 160p to 720p")

	long := &Finding{Seen: strings.Repeat("x", 250), Allowed: "y", Change: "z"}
	if r := rejection(long, []*Finding{long, {Seen: "a", Allowed: "b"}}); len(r.Detail) > maxDetail || !strings.HasSuffix(r.Detail, "Also: a; b") {
		t.Errorf("%d: %s", len(r.Detail), r.Detail)
	}
}

// Collect makes nothing fatal and tells everything, with its severity.
func TestCollect(t *testing.T) {
	var told warnings
	e := newEncoder()
	e.sps, e.fps, e.idrEvery, e.noAudio = makeSPS(1920, 1080), 5, 1, true
	v, err := e.judged(Options{Collect: true, Warn: told.add}, 12*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.WriteVideo(&ingest.AccessUnit{PTS: 12 * time.Second, NALUs: [][]byte{makeSlice(0x01, 0, sliceB, 1, 0)}}); err != nil {
		t.Fatal(err)
	}
	want := map[Rule]Severity{
		VideoCodec: Passed, Profile: Passed, BFrames: Rejected, Resolution: Rejected, Bitrate: Passed, FrameRate: Rejected,
		Keyframes: Warned, AudioCodec: Passed, AudioBitrate: Passed, Tracks: Rejected, Duration: Passed,
	}
	for i, f := range v.Report() {
		if f.Rule != AllRules()[i] || f.Severity != want[f.Rule] || f.Seen == "" || f.Allowed == "" ||
			(f.Change == "") != (f.Severity == Passed) || (f.Code == "") != (f.Severity != Rejected) {
			t.Errorf("%+v", f)
		}
	}
	if len(told) != 5 {
		t.Errorf("told: %s", told)
	}
}

func TestParseRuleAndMode(t *testing.T) {
	for _, r := range AllRules() {
		if got, err := ParseRule(string(r)); got != r || err != nil {
			t.Error(got, err)
		}
	}
	for _, m := range []Mode{ModeReject, ModeWarn, ModeOff} {
		if got, err := ParseMode(string(m)); got != m || err != nil {
			t.Error(got, err)
		}
	}
	if _, err := ParseRule("bframes"); err == nil || !strings.Contains(err.Error(), "b-frames") {
		t.Error(err)
	}
	if _, err := ParseMode("ignore"); err == nil || !strings.Contains(err.Error(), "reject, warn and off") {
		t.Error(err)
	}
}
