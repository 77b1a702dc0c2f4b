package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

func TestDuration(t *testing.T) {
	// A picture every 4.5 s, below what counts as a jump, keeps the test short.
	rules := Rules{Modes: map[Rule]Mode{FrameRate: ModeOff}, Limits: DefaultRules().Limits}
	e := newEncoder()
	e.fps, e.idrEvery = 1/4.5, 1
	e.noAudio = true
	o := Options{Protocol: ingest.WHIP, Rules: rules}
	v, err := e.judged(o, 24*time.Hour-time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	wantRejection(t, e.run(v, 24*time.Hour+time.Minute), ingest.StreamDurationExceeded, "The session has lasted 24h0m")
}
