package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

const sessionOne = "st-AAAAAAAAAAAAA"

// withHistory records an ended session with an encoder and a viewer, and a live one.
func withHistory(t *testing.T) (*bench, string) {
	t.Helper()
	b := newBench(t, nil)
	arn := validARN("stage")
	start := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	encoder := stage.ParticipantRecord{
		StageARN: arn, SessionID: sessionOne, ParticipantID: "encoder", UserID: "jürgen", Attributes: map[string]string{"k": "v"},
		FirstJoin: start, Published: true, Protocol: ingest.RTMPS, IngestConfigurationARN: validARN("ingest-configuration"), RedundantIngest: true,
	}
	viewer := stage.ParticipantRecord{
		StageARN: arn, SessionID: sessionOne, ParticipantID: "viewer", Connected: true, FirstJoin: start,
		BrowserName: "Chrome <b>", BrowserVersion: strings.Repeat("1.", 100), OSName: "Linux", OSVersion: "6.1",
	}
	entries := []stage.Entry{
		{Session: &stage.Session{StageARN: arn, ID: sessionOne, Start: start, End: start.Add(time.Hour)}},
		{Session: &stage.Session{StageARN: arn, ID: "st-BBBBBBBBBBBBB", Start: start.Add(2 * time.Hour)}},
		{Participant: &encoder}, {Participant: &viewer},
	}
	for _, e := range []stage.Event{
		{ParticipantID: "encoder", Name: stage.Joined}, {ParticipantID: "encoder", Name: stage.PublishStarted},
		{ParticipantID: "viewer", Name: stage.Joined}, {ParticipantID: "viewer", Name: stage.SubscribeStarted, RemoteParticipantID: "encoder"},
		{ParticipantID: "encoder", Name: stage.PublishError, Code: ingest.BFramePresent, Detail: "B-frames"},
		{ParticipantID: "encoder", Name: stage.Left},
	} {
		e.StageARN, e.SessionID, e.Time = arn, sessionOne, start
		entries = append(entries, stage.Entry{Event: &e})
	}
	if err := b.store.Record(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	return b, arn
}

func TestStageSessions(t *testing.T) {
	b, arn := withHistory(t)
	r := b.ok("GetStageSession", map[string]any{"stageArn": arn, "sessionId": sessionOne})
	if r.text("stageSession.startTime") != "2026-01-02T03:04:05.678Z" || r.text("stageSession.endTime") != "2026-01-02T04:04:05.678Z" {
		t.Errorf("session %v", r.body)
	}
	r = b.ok("ListStageSessions", map[string]any{"stageArn": arn, "maxResults": 1})
	newest := r.at("stageSessions").([]any)[0].(map[string]any)
	if newest["sessionId"] != "st-BBBBBBBBBBBBB" || newest["endTime"] != nil || r.text("nextToken") == "" {
		t.Errorf("sessions %v", r.body)
	}
	r = b.ok("ListStageSessions", map[string]any{"stageArn": arn, "nextToken": r.text("nextToken")})
	if r.at("stageSessions").([]any)[0].(map[string]any)["sessionId"] != sessionOne || r.at("nextToken") != nil {
		t.Errorf("sessions %v", r.body)
	}
	if b.live.flushes != 3 {
		t.Errorf("%d flushes before reading the journal", b.live.flushes)
	}
	b.refused("GetStageSession", map[string]any{"stageArn": arn, "sessionId": "st-CCCCCCCCCCCCC"}, "ResourceNotFoundException", "st-CCCCCCCCCCCCC")
	if r := b.ok("ListStageSessions", map[string]any{"stageArn": arn + "x"}); len(r.at("stageSessions").([]any)) != 0 {
		t.Errorf("another stage's sessions %v", r.body)
	}
}

// Who is on stage now has live figures, in this session's answer only.
func TestParticipantHealth(t *testing.T) {
	b, arn := withHistory(t)
	b.live.health = map[string]stage.HealthView{"encoder": {FrameRate: 29.97, Width: 1280, Warning: "Keyframes (IDR) 8 s apart"}}
	get := func() reply {
		return b.ok("GetParticipant", map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "encoder"})
	}
	b.live.session = map[string]string{arn: "st-BBBBBBBBBBBBB"}
	if r := get(); r.at("participant.health") != nil {
		t.Errorf("a former session's participant has live figures: %v", r.body)
	}
	b.live.session = map[string]string{arn: sessionOne}
	if r := get(); r.at("participant.health.frameRate") != 29.97 || r.at("participant.health.width") != 1280. || r.text("participant.health.warning") == "" {
		t.Errorf("the figures are missing: %v", r.body)
	}
	b.live.health = nil
	if r := get(); r.at("participant.health") != nil {
		t.Errorf("who is not on stage has live figures: %v", r.body)
	}
}

func TestParticipants(t *testing.T) {
	b, arn := withHistory(t)
	r := b.ok("GetParticipant", map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "encoder"})
	for path, want := range map[string]any{
		"userId": "jürgen", "state": "DISCONNECTED", "published": true, "protocol": "RTMPS", "attributes.k": "v",
		"redundantIngest": true, "ingestConfigurationArn": validARN("ingest-configuration"), "firstJoinTime": "2026-01-02T03:04:05.678Z",
	} {
		if got := r.at("participant." + path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	r = b.ok("GetParticipant", map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "viewer"})
	if r.text("participant.browserName") != "Chrome b" || r.at("participant.protocol") != nil || r.text("participant.state") != "CONNECTED" {
		t.Errorf("viewer %v", r.body)
	}
	b.refused("GetParticipant", map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "x"}, "ResourceNotFoundException", "x")
	for _, c := range []struct {
		filter string
		value  any
		want   string
	}{
		{"maxResults", 100, "[encoder viewer]"},
		{"filterByUserId", "jürgen", "[encoder]"},
		{"filterByUserId", "", "[viewer]"},
		{"filterByPublished", true, "[encoder]"},
		{"filterByPublished", false, "[viewer]"},
		{"filterByState", "CONNECTED", "[viewer]"},
		{"filterByState", "DISCONNECTED", "[encoder]"},
		{"filterByRecordingState", "ACTIVE", "[]"},
	} {
		r := b.ok("ListParticipants", map[string]any{"stageArn": arn, "sessionId": sessionOne, c.filter: c.value})
		got := []string{}
		for _, p := range r.at("participants").([]any) {
			got = append(got, p.(map[string]any)["participantId"].(string))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s %v lists %v, want %s", c.filter, c.value, got, c.want)
		}
	}
	r = b.ok("ListParticipants", map[string]any{"stageArn": arn, "sessionId": sessionOne, "maxResults": 1})
	r = b.ok("ListParticipants", map[string]any{"stageArn": arn, "sessionId": sessionOne, "nextToken": r.text("nextToken")})
	if r.at("participants").([]any)[0].(map[string]any)["participantId"] != "viewer" {
		t.Errorf("second page %v", r.body)
	}
}

func TestParticipantEvents(t *testing.T) {
	b, arn := withHistory(t)
	body := map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "encoder", "maxResults": 3}
	got := ""
	for {
		r := b.ok("ListParticipantEvents", body)
		for _, e := range r.at("events").([]any) {
			event := e.(map[string]any)
			got += event["name"].(string) + " "
			if event["name"] == "PUBLISH_ERROR" && event["errorCode"] != "B_FRAME_PRESENT" {
				t.Errorf("event %v", event)
			}
		}
		if r.text("nextToken") == "" {
			break
		}
		body["nextToken"] = r.text("nextToken")
	}
	if got != "JOINED PUBLISH_STARTED PUBLISH_ERROR LEFT " {
		t.Errorf("events %s", got)
	}
	r := b.ok("ListParticipantEvents", map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "viewer"})
	if e := r.at("events").([]any)[1].(map[string]any); e["name"] != "SUBSCRIBE_STARTED" || e["remoteParticipantId"] != "encoder" {
		t.Errorf("event %v", e)
	}
}

// What cannot be told is not made up.
func TestJournalFailure(t *testing.T) {
	b, arn := withHistory(t)
	b.live.failure = errors.New("disk full")
	for _, operation := range []string{"GetStageSession", "ListStageSessions", "GetParticipant", "ListParticipants", "ListParticipantEvents"} {
		r := b.call(operation, map[string]any{"stageArn": arn, "sessionId": sessionOne, "participantId": "viewer"})
		if r.kind != "InternalServerException" || strings.Contains(r.message(), "disk") {
			t.Errorf("%s: %s %s", operation, r.kind, r.message())
		}
	}
}
