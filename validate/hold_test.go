package validate

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Each step is one unit of a publisher; the order is what reaches the stage.
func TestHold(t *testing.T) {
	videoHeaderUnit := func(e *encoder) any { return videoHeader(e.sps, ppsBaseline) }
	audioHeaderUnit := func(e *encoder) any { return &ingest.AudioFrame{Codec: e.codec} }
	audio := func(e *encoder) any {
		e.audioAt += 20 * time.Millisecond
		return &ingest.AudioFrame{PTS: e.audioAt, Codec: e.codec, Data: []byte{1, 2}}
	}
	video := func(e *encoder) any { e.videoAt += 33 * time.Millisecond; return e.picture() }
	idr := func(e *encoder) any { e.n = 0; return video(e) }
	step := map[byte]func(*encoder) any{'H': videoHeaderUnit, 'h': audioHeaderUnit, 'a': audio, 'I': idr, 'V': video}

	for _, c := range []struct{ name, protocol, sent, stage string }{
		{"both headers", "RTMP", "HhIaVaVa", "HhVaVaVa"},
		{"audio header first", "RTMP", "hHIaVa", "HhVaVa"},
		{"audio header late: video waits for an IDR picture", "RTMP", "HIVVhVaVIV", "HhaVV"},
		{"video header late: audio goes on at once", "RTMP", "haaaHaaIVa", "HhaaVVa"},
		{"headers in-band", "RTMP", "aIaVIV", "HhVaVVV"},
		{"video only", "RTMP", "HIVVIV", ""},
		{"audio only", "RTMP", "haaaaa", ""},
		{"new headers on stage", "RTMP", "HhIaHVhIa", "HhVaHVhVa"},
		{"WHIP", "WHIP", "aaVaIaVa", "HhVaVa"},
		{"WHIP, video first", "WHIP", "IVaVa", "HVVaVa"},
		{"WHIP, audio only", "WHIP", "40a", ""},
		{"WHIP, audio only, 1 s later", "WHIP", "52a", "haa"},
		{"WHIP, video later", "WHIP", "51aVaIa", "haaVa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := new(recorder)
			v := New(next, Options{Protocol: ingest.Protocol(c.protocol), Rules: DefaultRules()})
			e := newEncoder()
			if c.protocol == "WHIP" {
				e.codec = opusStereo
			}
			e.n = 1
			times := 0
			for _, s := range []byte(c.sent) {
				if s >= '0' && s <= '9' {
					times = times*10 + int(s-'0')
					continue
				}
				for range max(times, 1) {
					var err error
					switch u := step[s](e).(type) {
					case *ingest.AccessUnit:
						err = v.WriteVideo(u)
					case *ingest.AudioFrame:
						err = v.WriteAudio(u)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				times = 0
			}
			if next.order != c.stage {
				t.Errorf("on stage: %q, want %q", next.order, c.stage)
			}
			if c.stage != "" && c.stage[0] == 'H' && len(next.video[0].NALUs) != 2 {
				t.Errorf("the header holds %d NAL units", len(next.video[0].NALUs))
			}
		})
	}
}

// Nothing is shown of a stream whose header is refused.
func TestHoldRefused(t *testing.T) {
	next := new(recorder)
	v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	if err := v.WriteAudio(&ingest.AudioFrame{Codec: aacLC48}); err != nil {
		t.Fatal(err)
	}
	wantRejection(t, v.WriteVideo(videoHeader(makeSPS(1920, 1080), ppsBaseline)), ingest.ResolutionExceeded, "1920x1080")
	if next.order != "" {
		t.Errorf("on stage: %q", next.order)
	}
}
