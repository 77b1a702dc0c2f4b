package rtmp

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

// TestRefusals: must-have 4, and what is told while a stream runs.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name      string
		rejection *ingest.Rejection
		want      string
	}{
		{"unknown key", ingest.Rejectf(ingest.InvalidStreamKey, "unknown key"), "NetStream.Publish.Denied"},
		{"key in use", ingest.Rejectf(ingest.ReuseOfStreamKey, "already live"), "NetStream.Publish.BadName"},
		{"quota", ingest.Rejectf(ingest.QuotaExceeded, "too many"), "NetStream.Publish.Denied"},
		{"long text", ingest.Rejectf(ingest.InvalidInput, "%s", strings.Repeat("ö", 2000)), "NetStream.Publish.Denied"},
	}
	for _, test := range tests {
		wantText := test.rejection.Detail[:min(len(test.rejection.Detail), maxStatusText)]
		t.Run("at the door, "+test.name, func(t *testing.T) {
			g := serve(t, Options{}, refuseAll(test.rejection))
			e := dial(t, g)
			e.connect()
			e.createStream()
			e.publish(testKey)
			if code, text := e.awaitStatus(); code != test.want || text != wantText {
				t.Errorf("%s: %s", code, text)
			}
			for m := range e.received {
				t.Errorf("more was said: %q", m.body)
			}
			shutdown(t, g)
			if log := g.log.String(); strings.Count(log, "rtmp session ended") != 1 || !strings.Contains(log, "code="+string(test.rejection.Code)) {
				t.Errorf("log:\n%s", log)
			}
		})
		t.Run("on stage, "+test.name, func(t *testing.T) {
			sink := &recorder{units: make(chan *ingest.AccessUnit, 9), closed: make(chan error, 2), videoErr: test.rejection}
			g := serve(t, Options{}, letIn(sink))
			e := dial(t, g)
			e.start()
			// The encoder goes on sending at full speed, and still reads the reason.
			e.write(slices.Repeat(chunk0(6, message{kind: typeVideo, stream: 1, body: testHeader}, 128), 1000))
			if code, text := e.awaitStatus(); code != test.want || text != wantText {
				t.Errorf("%s: %s", code, text)
			}
			e.awaitClose()
			_ = e.Close()
			if reason := <-sink.closed; reason != error(test.rejection) {
				t.Error("closed:", reason)
			}
			shutdown(t, g)
			if len(sink.units) != 1 || len(sink.closed) != 0 {
				t.Errorf("after the error %d more writes, %d more closes", len(sink.units)-1, len(sink.closed))
			}
		})
	}
}
