package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestReportOfAGoodStream(t *testing.T) {
	v, err := newEncoder().judged(Options{Collect: true}, 12*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Rule]string{
		VideoCodec: "H.264", Profile: "Constrained Baseline", BFrames: "0 in 361 pictures", Resolution: "640x360",
		Bitrate: "609 kbps at most over 10 s", FrameRate: "30 fps", Keyframes: "at most 2 s apart",
		AudioCodec: "AAC-LC 48 kHz stereo", AudioBitrate: "128 kbps at most over 10 s", Tracks: "audio and video", Duration: "12s",
	}
	for _, f := range v.Report() {
		if f.Severity != Passed || f.Seen != want[f.Rule] {
			t.Errorf("%+v, want %q", f, want[f.Rule])
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	v := New(nil, Options{Protocol: ingest.RTMP, Rules: rulesWith(map[Rule]Mode{Duration: ModeOff}), Collect: true})
	for _, f := range v.Report() {
		want := Passed
		switch f.Rule {
		case Tracks:
			want = Rejected
		case Duration:
			want = Off
		}
		if f.Severity != want || f.Seen == "" {
			t.Errorf("%+v", f)
		}
	}
}

// A file shorter than the rule waits lacks its track all the same.
func TestReportOfAShortFile(t *testing.T) {
	e := newEncoder()
	e.noAudio = true
	v, err := e.judged(Options{Collect: true}, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Report() {
		if f.Rule == Tracks && (f.Severity != Rejected || f.Seen != "No audio for 3 s") {
			t.Errorf("%+v", f)
		}
	}
}
