//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/store/sqlite"
)

// TestRestartAfterKill kills the gateway while an encoder publishes. The next start on the
// same folder closes the session with its events, and the encoder's key still opens.
func TestRestartAfterKill(t *testing.T) {
	data := t.TempDir()
	first := serveOn(t, data)
	PlayClip(t, Clip("pattern.flv"), first.RTMP())
	first.OnStage(t)
	session := first.Scene(t).SessionID
	participant := first.Env["STAGEDOOR_PARTICIPANT_ID"]
	arn := first.Scene(t).StageARN
	within(t, 10*time.Second, "the journal has the encoder", func() bool {
		return eventsOf(t, data, arn, session, participant) == "JOINED PUBLISH_STARTED"
	})
	_ = first.cmd.Process.Signal(syscall.SIGKILL)
	<-first.ended

	second := serveOn(t, data)
	t.Cleanup(func() { second.stop(t) })
	if second.Env["STAGEDOOR_STREAM_KEY"] != first.Env["STAGEDOOR_STREAM_KEY"] {
		t.Fatal("the stream key changed")
	}
	if got := eventsOf(t, data, arn, session, participant); got != "JOINED PUBLISH_STARTED PUBLISH_STOPPED LEFT" {
		t.Errorf("events %s", got)
	}
	PlayClip(t, Clip("pattern.flv"), second.RTMP())
	second.OnStage(t)
	if again := second.Scene(t); again.SessionID == session || again.Participants[0].ParticipantID != participant {
		t.Errorf("back on stage as %+v", again)
	}
}

// eventsOf reads the names of a participant's events from the state of a gateway, be it
// running or not.
func eventsOf(t *testing.T, data, stageARN, sessionID, participantID string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(data, "stagedoor.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	events, _, err := s.Events(t.Context(), stageARN, sessionID, participantID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range events {
		names = append(names, string(e.Name))
	}
	return strings.Join(names, " ")
}

// serveOn starts a gateway on a folder that may have been used before, and leaves its end to
// the caller.
func serveOn(t *testing.T, data string) *Gateway {
	t.Helper()
	args := []string{"serve", "--data", data}
	for _, flag := range []string{"--http", "--rtmp", "--rtmps", "--ice", "--admin"} {
		args = append(args, flag, "127.0.0.1:0")
	}
	g := &Gateway{Program: Start(t, built, args...), Data: data}
	within(t, 20*time.Second, "the gateway is ready", func() bool { return strings.Contains(g.Log(), "msg=ready") })
	g.Env = readEnv(data)
	return g
}
