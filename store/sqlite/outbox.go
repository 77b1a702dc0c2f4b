package sqlite

import (
	"context"
	"database/sql"

	"github.com/stagedoor/stagedoor/stage"
)

func scanNumbered(r row) (stage.NumberedEvent, int64, error) {
	var e stage.NumberedEvent
	err := r.Scan(&e.StageARN, &e.SessionID, &e.ParticipantID, &e.Name, (*nanos)(&e.Time),
		&e.RemoteParticipantID, &e.Code, &e.Detail, &e.UserID, &e.Seq)
	return e, e.Seq, err
}

func scanSeq(r row) (seq, same int64, err error) {
	err = r.Scan(&seq)
	return seq, seq, err
}

// EventsAfter is of store.Outbox.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) ([]stage.NumberedEvent, error) {
	page, _, err := list(ctx, s, scanNumbered, nil, limit, `SELECT e.stage_arn, e.session_id, e.participant_id, e.name,
		e.time, e.remote_id, e.code, e.detail, coalesce(p.user_id, ''), e.seq
		FROM event e LEFT JOIN participant p
		ON p.stage_arn = e.stage_arn AND p.session_id = e.session_id AND p.participant_id = e.participant_id
		WHERE e.seq > ? ORDER BY e.seq`, after)
	return page, err
}

// LastEvent is of store.Outbox.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	return one(ctx, s, scanSeq, `SELECT coalesce(max(seq), 0) FROM event`)
}

// Receiver is of store.Outbox.
func (s *Store) Receiver(ctx context.Context, name string) (int64, error) {
	return one(ctx, s, scanSeq, `SELECT seq FROM receiver WHERE name = ?`, name)
}

// SetReceiver is of store.Outbox.
func (s *Store) SetReceiver(ctx context.Context, name string, seq int64) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return execute(ctx, tx, `INSERT INTO receiver (name, seq) VALUES (?, ?)
			ON CONFLICT DO UPDATE SET seq = excluded.seq`, name, seq)
	})
}
