package storetest

import (
	"errors"
	"testing"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

// outbox reads events across stages in the order of their recording, with the user's id.
func outbox(t *testing.T, s store.Store) {
	ctx := t.Context()
	var entries []stage.Entry
	for n := range 2 {
		arn := aStage(n).ARN
		entries = append(entries,
			stage.Entry{Participant: &stage.ParticipantRecord{StageARN: arn, SessionID: "st-1234567890123", ParticipantID: "p", UserID: "user", FirstJoin: when}},
			stage.Entry{Event: &stage.Event{StageARN: arn, SessionID: "st-1234567890123", ParticipantID: "p", Name: stage.PublishStarted, Time: when}},
			stage.Entry{Event: &stage.Event{StageARN: arn, SessionID: "st-1234567890123", ParticipantID: "p", Name: stage.PublishStopped, Time: when}},
		)
	}
	if err := s.Record(ctx, entries); err != nil {
		t.Fatal(err)
	}
	all, err := s.EventsAfter(ctx, 0, 10)
	if err != nil || len(all) != 4 {
		t.Fatalf("%d events, %v; want 4", len(all), err)
	}
	for i, e := range all {
		if e.StageARN != aStage(i/2).ARN || e.UserID != "user" || !e.Time.Equal(when) || i > 0 && e.Seq <= all[i-1].Seq {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	rest, err := s.EventsAfter(ctx, all[1].Seq, 1)
	if err != nil || len(rest) != 1 || rest[0].Seq != all[2].Seq {
		t.Errorf("after the second: %+v, %v", rest, err)
	}
	if last, err := s.LastEvent(ctx); err != nil || last != all[3].Seq {
		t.Errorf("the last event is %d, %v; want %d", last, err, all[3].Seq)
	}
	if _, err := s.Receiver(ctx, "r"); !errors.Is(err, stage.ErrNotFound) {
		t.Errorf("an unknown receiver: %v", err)
	}
	for _, seq := range []int64{3, 7} {
		if err := s.SetReceiver(ctx, "r", seq); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Receiver(ctx, "r"); err != nil || got != seq {
			t.Errorf("the receiver is at %d, %v; want %d", got, err, seq)
		}
	}
}
