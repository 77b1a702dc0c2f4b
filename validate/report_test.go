package validate

import (
	"errors"
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

// A report names every fault, and the refusal is the one that the gateway would have sent.
func TestRefusalOfAReport(t *testing.T) {
	e := newEncoder()
	e.sps = spsMainB
	gateway, err := e.judged(Options{}, 3*time.Second)
	var want *ingest.Rejection
	if !errors.As(err, &want) || gateway.Refusal() != nil {
		t.Fatalf("the gateway's %v", err)
	}
	e = newEncoder()
	e.sps, e.noAudio = spsMainB, true
	v, err := e.judged(Options{Collect: true}, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	faults := map[Rule]bool{}
	for _, f := range v.Report() {
		faults[f.Rule] = f.Severity == Rejected
	}
	if !faults[Profile] || !faults[BFrames] || !faults[Tracks] || faults[Resolution] {
		t.Errorf("rejected: %v", faults)
	}
	if got := v.Refusal(); got == nil || *got != *want {
		t.Errorf("%v, want %v", got, want)
	}
}

// A track of another codec is one fault, and not missing as well.
func TestReportOfAnotherVideoCodec(t *testing.T) {
	e := newEncoder()
	e.noVideo = true
	v, err := e.judged(Options{Collect: true}, 0)
	if err != nil {
		t.Fatal(err)
	}
	v.Note(UnsupportedVideo("HEVC (H.265)"))
	if err := e.run(v, 8*time.Second); err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Report() {
		want := Passed
		if f.Rule == VideoCodec {
			want = Rejected
		}
		if f.Severity != want {
			t.Errorf("%+v, want %s", f, want)
		}
	}
	if r := v.Refusal(); r == nil || r.Code != ingest.InvalidVideoCodec {
		t.Errorf("the refusal is %v", r)
	}
}

func TestFindingOf(t *testing.T) {
	for _, c := range []struct {
		r    ingest.Rejection
		want Finding
	}{
		{ingest.Rejection{Code: ingest.InvalidVideoCodec, Detail: "The video is AV1; stages take H.264. OBS: x264. ffmpeg: -c:v libx264."},
			Finding{VideoCodec, Rejected, ingest.InvalidVideoCodec, "The video is AV1", "stages take H.264", "OBS: x264. ffmpeg: -c:v libx264."}},
		{ingest.Rejection{Code: ingest.InvalidAudioCodec, Detail: "Two tracks; one. Less"},
			Finding{AudioCodec, Rejected, ingest.InvalidAudioCodec, "Two tracks", "one", "Less"}},
		{ingest.Rejection{Code: ingest.InvalidInput, Detail: "no parts"},
			Finding{Tracks, Rejected, ingest.InvalidInput, "no parts", "", ""}},
	} {
		if got := FindingOf(&c.r); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}
