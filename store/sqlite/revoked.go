package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// Revoked is of stage.Store.
func (s *Store) Revoked(ctx context.Context, stageARN, participantID string) (bool, error) {
	_, err := one(ctx, s, func(r row) (n int, seq int64, err error) {
		err = r.Scan(&n)
		return n, 0, err
	}, `SELECT 1 FROM revoked WHERE stage_arn = ? AND participant_id = ?`, stageARN, participantID)
	if errors.Is(err, stage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Revoke is of stage.Store. A second revocation never shortens the first.
func (s *Store) Revoke(ctx context.Context, stageARN, participantID string, until time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return execute(ctx, tx, `INSERT INTO revoked (stage_arn, participant_id, until) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,
			stageARN, participantID, nanos(until))
	})
}
