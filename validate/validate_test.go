package validate

import (
	"errors"
	"os"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

// The committed clips, each of which breaks one rule or none.
func TestClips(t *testing.T) {
	for name, want := range map[string]ingest.Code{
		"demo": "", "flashbeep": "", "pattern": "",
		"1080p": ingest.ResolutionExceeded, "main": ingest.InvalidVideoCodec, "high": ingest.InvalidVideoCodec,
		"bframes": ingest.BFramePresent, "bframes-in-baseline": ingest.BFramePresent,
		"mp3": ingest.InvalidAudioCodec,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("../testdata/" + name + ".flv")
			if err != nil {
				t.Fatal(err)
			}
			err = playFLV(b, New(nil, Options{Protocol: ingest.RTMP, Rules: DefaultRules()}))
			if got := codeOf(err); got != want {
				t.Errorf("got %v, want code %q", err, want)
			}
		})
	}
}

// codeOf gives the code of a rejection, "" for nil.
func codeOf(err error) ingest.Code {
	var r *ingest.Rejection
	if errors.As(err, &r) {
		return r.Code
	}
	if err != nil {
		return ingest.Code(err.Error())
	}
	return ""
}
