package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

const room = "arn:aws:ivs:eu-west-1:000000000001:stage/Room00000001"

func session(id string, start, end time.Time) stage.Entry {
	return stage.Entry{Session: &stage.Session{StageARN: room, ID: id, Start: start, End: end}}
}

func participant(sessionID, id string, connected bool) stage.Entry {
	return stage.Entry{Participant: &stage.ParticipantRecord{
		StageARN: room, SessionID: sessionID, ParticipantID: id, Attributes: map[string]string{},
		Connected: connected, FirstJoin: when,
	}}
}

func event(sessionID, participantID string, name stage.EventName, remote string) stage.Entry {
	return stage.Entry{Event: &stage.Event{
		StageARN: room, SessionID: sessionID, ParticipantID: participantID, Name: name, Time: when, RemoteParticipantID: remote,
	}}
}

func sessions(t *testing.T, s store.Store) {
	ctx := context.Background()
	_, err := s.StageSession(ctx, room, "st-1")
	wantErr(t, err, stage.ErrNotFound)
	must(t, s.Record(ctx, nil))
	for n := range 5 {
		must(t, s.Record(ctx, []stage.Entry{session(fmt.Sprintf("st-%d", n), when, time.Time{})}))
	}
	must(t, s.Record(ctx, []stage.Entry{session("st-2", when, when.Add(time.Hour))}))
	got, err := s.StageSession(ctx, room, "st-2")
	must(t, err)
	want(t, got, stage.Session{StageARN: room, ID: "st-2", Start: when, End: when.Add(time.Hour)})
	got, err = s.StageSession(ctx, room, "st-3")
	must(t, err)
	if !got.End.IsZero() {
		t.Fatalf("a live session ended at %v", got.End)
	}
	fresh := 5
	all := pages(t, 2, func() {
		must(t, s.Record(ctx, []stage.Entry{session(fmt.Sprintf("st-%d", fresh), when, time.Time{})}))
		fresh++
	}, func(after int64, limit int) ([]stage.Session, int64, error) {
		return s.StageSessions(ctx, room, after, limit)
	})
	var ids []string
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	want(t, ids, []string{"st-4", "st-3", "st-2", "st-1", "st-0"}) // the newest first, none twice
	other, _, err := s.StageSessions(ctx, "arn:other", 0, plenty)
	must(t, err)
	want(t, len(other), 0)
}

func participants(t *testing.T, s store.Store) {
	ctx := context.Background()
	full := stage.ParticipantRecord{
		StageARN: room, SessionID: "st-1", ParticipantID: "p1", UserID: "ü", Attributes: map[string]string{"a": "b"},
		Connected: true, FirstJoin: when, Published: true, Protocol: ingest.RTMPS,
		IngestConfigurationARN: anIngest(1, "").ARN, RedundantIngest: true,
		BrowserName: "Chrome", BrowserVersion: "1", OSName: "Linux", OSVersion: "6",
	}
	must(t, s.Record(ctx, []stage.Entry{{Participant: &full}, participant("st-1", "p2", true), participant("st-2", "p1", true)}))
	got, err := s.Participant(ctx, room, "st-1", "p1")
	must(t, err)
	want(t, got, full)

	later := full
	later.FirstJoin, later.Published, later.Connected, later.Protocol = when.Add(time.Hour), false, false, ""
	must(t, s.Record(ctx, []stage.Entry{{Participant: &later}}))
	full.Connected = false // the rest stays
	got, err = s.Participant(ctx, room, "st-1", "p1")
	must(t, err)
	want(t, got, full)

	all := pages(t, 1, nil, func(after int64, limit int) ([]stage.ParticipantRecord, int64, error) {
		return s.Participants(ctx, room, "st-1", nil, after, limit)
	})
	want(t, len(all), 2)
	want(t, all[0].ParticipantID+all[1].ParticipantID, "p1p2")
	connected, _, err := s.Participants(ctx, room, "st-1", func(p stage.ParticipantRecord) bool { return p.Connected }, 0, plenty)
	must(t, err)
	want(t, len(connected), 1)
	want(t, connected[0].ParticipantID, "p2")
	_, err = s.Participant(ctx, room, "st-1", "p3")
	wantErr(t, err, stage.ErrNotFound)
}

func events(t *testing.T, s store.Store) {
	ctx := context.Background()
	failed := stage.Event{
		StageARN: room, SessionID: "st-1", ParticipantID: "p1", Name: stage.PublishError, Time: when,
		Code: ingest.BFramePresent, Detail: "B-frames",
	}
	must(t, s.Record(ctx, []stage.Entry{
		event("st-1", "p1", stage.Joined, ""),
		event("st-1", "p2", stage.Joined, ""),
		event("st-2", "p1", stage.Joined, ""),
		event("st-1", "p1", stage.SubscribeStarted, "p2"),
		{Event: &failed},
	}))
	all := pages(t, 2, nil, func(after int64, limit int) ([]stage.Event, int64, error) {
		return s.Events(ctx, room, "st-1", "p1", after, limit)
	})
	want(t, all, []stage.Event{*event("st-1", "p1", stage.Joined, "").Event, *event("st-1", "p1", stage.SubscribeStarted, "p2").Event, failed})
}

func recordIsAllOrNothing(t *testing.T, s store.Store) {
	ctx := context.Background()
	if err := s.Record(ctx, []stage.Entry{session("st-1", when, time.Time{}), {}}); err == nil {
		t.Fatal("an empty entry was taken")
	}
	_, err := s.StageSession(ctx, room, "st-1")
	wantErr(t, err, stage.ErrNotFound)
}

func recoverJournal(t *testing.T, s store.Store) {
	ctx := context.Background()
	ended := when.Add(-time.Hour)
	must(t, s.Record(ctx, []stage.Entry{
		session("st-old", ended, ended),
		participant("st-old", "p1", false),
		event("st-old", "p1", stage.PublishStarted, ""),
		session("st-live", when, time.Time{}),
		participant("st-live", "pub", true),
		event("st-live", "pub", stage.Joined, ""),
		event("st-live", "pub", stage.PublishStarted, ""),
		event("st-live", "pub", stage.PublishStopped, ""),
		event("st-live", "pub", stage.PublishStarted, ""),
		participant("st-live", "view", true),
		event("st-live", "view", stage.Joined, ""),
		event("st-live", "view", stage.SubscribeStarted, "pub"),
		event("st-live", "view", stage.SubscribeStarted, "gone"),
		event("st-live", "view", stage.SubscribeStopped, "gone"),
		participant("st-live", "left", false),
		event("st-live", "left", stage.PublishStarted, ""),
		event("st-live", "left", stage.PublishStopped, ""),
		event("st-live", "left", stage.Left, ""),
	}))
	now := when.Add(time.Hour)
	must(t, s.Recover(ctx, now))
	must(t, s.Recover(ctx, now.Add(time.Hour))) // nothing is left to close

	live, err := s.StageSession(ctx, room, "st-live")
	must(t, err)
	want(t, live.End, now)
	old, err := s.StageSession(ctx, room, "st-old")
	must(t, err)
	want(t, old.End, ended)
	for id, closing := range map[string][]string{
		"pub":  {"PUBLISH_STOPPED", "LEFT"},
		"view": {"SUBSCRIBE_STOPPED pub", "LEFT"},
		"left": nil,
	} {
		p, err := s.Participant(ctx, room, "st-live", id)
		must(t, err)
		want(t, p.Connected, false)
		all, _, err := s.Events(ctx, room, "st-live", id, 0, plenty)
		must(t, err)
		var got []string
		for _, e := range all {
			if !e.Time.Equal(now) {
				continue
			}
			name := string(e.Name)
			if e.RemoteParticipantID != "" {
				name += " " + e.RemoteParticipantID
			}
			got = append(got, name)
		}
		want(t, got, closing)
	}
	of, _, err := s.Events(ctx, room, "st-old", "p1", 0, plenty)
	must(t, err)
	want(t, len(of), 1)
}

func prune(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.Record(ctx, []stage.Entry{
		session("st-old", when, when),
		participant("st-old", "p", false),
		event("st-old", "p", stage.Joined, ""),
		session("st-new", when, when.Add(time.Hour)),
		participant("st-new", "p", false),
		event("st-new", "p", stage.Joined, ""),
		session("st-live", when, time.Time{}),
	}))
	must(t, s.Revoke(ctx, room, "old", when))
	must(t, s.Revoke(ctx, room, "new", when.Add(time.Hour)))
	must(t, s.Prune(ctx, when.Add(time.Minute)))
	for id, there := range map[string]bool{"st-old": false, "st-new": true, "st-live": true} {
		_, err := s.StageSession(ctx, room, id)
		want(t, err == nil, there)
	}
	for id, there := range map[string]int{"st-old": 0, "st-new": 1} {
		people, _, err := s.Participants(ctx, room, id, nil, 0, plenty)
		must(t, err)
		want(t, len(people), there)
		happened, _, err := s.Events(ctx, room, id, "p", 0, plenty)
		must(t, err)
		want(t, len(happened), there)
	}
	for id, still := range map[string]bool{"old": false, "new": true} {
		got, err := s.Revoked(ctx, room, id)
		must(t, err)
		want(t, got, still)
	}
}
