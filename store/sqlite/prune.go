package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// Prune is of store.Store. Each session goes in a transaction of its own: a large one must
// not keep an encoder waiting at the door.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	for {
		old, err := one(ctx, s, scanSession, `SELECT stage_arn, id, started, ended, seq FROM session
			WHERE ended > 0 AND ended < ? LIMIT 1`, nanos(before))
		if errors.Is(err, stage.ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.forget(ctx, old); err != nil {
			return err
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return execute(ctx, tx, `DELETE FROM revoked WHERE until < ?`, nanos(before))
	})
}

func (s *Store) forget(ctx context.Context, old stage.Session) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, query := range []string{
			`DELETE FROM event WHERE stage_arn = ? AND session_id = ?`,
			`DELETE FROM participant WHERE stage_arn = ? AND session_id = ?`,
			`DELETE FROM session WHERE stage_arn = ? AND id = ?`,
		} {
			if err := execute(ctx, tx, query, old.StageARN, old.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
