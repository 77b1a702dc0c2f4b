package sqlite

import (
	"context"
	"math"

	"github.com/stagedoor/stagedoor/stage"
)

const selectSession = `SELECT stage_arn, id, started, ended, seq FROM session WHERE stage_arn = ? `

func scanSession(r row) (stage.Session, int64, error) {
	var s stage.Session
	var seq int64
	err := r.Scan(&s.StageARN, &s.ID, (*nanos)(&s.Start), (*nanos)(&s.End), &seq)
	return s, seq, err
}

// StageSession is of store.Sessions.
func (s *Store) StageSession(ctx context.Context, stageARN, sessionID string) (stage.Session, error) {
	return one(ctx, s, scanSession, selectSession+`AND id = ?`, stageARN, sessionID)
}

// StageSessions is of store.Sessions.
func (s *Store) StageSessions(ctx context.Context, stageARN string, after int64, limit int) ([]stage.Session, int64, error) {
	if after == 0 {
		after = math.MaxInt64
	}
	return list(ctx, s, scanSession, nil, limit, selectSession+`AND seq < ? ORDER BY seq DESC`, stageARN, after)
}

const selectParticipant = `SELECT stage_arn, session_id, participant_id, user_id, attributes, connected,
	first_join, published, protocol, ingest_arn, redundant, browser_name, browser_version, os_name, os_version, seq
	FROM participant WHERE stage_arn = ? AND session_id = ? `

func scanParticipant(r row) (stage.ParticipantRecord, int64, error) {
	var p stage.ParticipantRecord
	var seq int64
	err := r.Scan(&p.StageARN, &p.SessionID, &p.ParticipantID, &p.UserID, (*textMap)(&p.Attributes), &p.Connected,
		(*nanos)(&p.FirstJoin), &p.Published, &p.Protocol, &p.IngestConfigurationARN, &p.RedundantIngest,
		&p.BrowserName, &p.BrowserVersion, &p.OSName, &p.OSVersion, &seq)
	return p, seq, err
}

// Participant is of store.Sessions.
func (s *Store) Participant(ctx context.Context, stageARN, sessionID, participantID string) (stage.ParticipantRecord, error) {
	return one(ctx, s, scanParticipant, selectParticipant+`AND participant_id = ?`, stageARN, sessionID, participantID)
}

// Participants is of store.Sessions.
func (s *Store) Participants(ctx context.Context, stageARN, sessionID string, keep func(stage.ParticipantRecord) bool, after int64, limit int) ([]stage.ParticipantRecord, int64, error) {
	return list(ctx, s, scanParticipant, keep, limit, selectParticipant+`AND seq > ? ORDER BY seq`, stageARN, sessionID, after)
}

func scanEvent(r row) (stage.Event, int64, error) {
	var e stage.Event
	var seq int64
	err := r.Scan(&e.StageARN, &e.SessionID, &e.ParticipantID, &e.Name, (*nanos)(&e.Time),
		&e.RemoteParticipantID, &e.Code, &e.Detail, &seq)
	return e, seq, err
}

// Events is of store.Sessions.
func (s *Store) Events(ctx context.Context, stageARN, sessionID, participantID string, after int64, limit int) ([]stage.Event, int64, error) {
	return list(ctx, s, scanEvent, nil, limit, `SELECT stage_arn, session_id, participant_id, name, time, remote_id, code, detail, seq
		FROM event WHERE stage_arn = ? AND session_id = ? AND participant_id = ? AND seq > ? ORDER BY seq`,
		stageARN, sessionID, participantID, after)
}
