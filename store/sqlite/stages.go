package sqlite

import (
	"context"
	"database/sql"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

const selectStage = `SELECT arn, name, tags, created, seq FROM stage `

func scanStage(r row) (stage.Stage, int64, error) {
	var s stage.Stage
	var seq int64
	err := r.Scan(&s.ARN, &s.Name, (*textMap)(&s.Tags), (*nanos)(&s.Created), &seq)
	return s, seq, err
}

// Stage is of stage.Store.
func (s *Store) Stage(ctx context.Context, arn string) (stage.Stage, error) {
	return one(ctx, s, scanStage, selectStage+`WHERE arn = ?`, arn)
}

// Stages is of store.Stages.
func (s *Store) Stages(ctx context.Context, after int64, limit int) ([]stage.Stage, int64, error) {
	return list(ctx, s, scanStage, nil, limit, selectStage+`WHERE seq > ? ORDER BY seq`, after)
}

// CreateStage is of store.Stages.
func (s *Store) CreateStage(ctx context.Context, st stage.Stage, quota int) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := within(ctx, tx, quota, `SELECT count(*) FROM stage`); err != nil {
			return err
		}
		return execute(ctx, tx, `INSERT INTO stage (arn, name, tags, created) VALUES (?, ?, ?, ?)`,
			st.ARN, st.Name, textMap(st.Tags), nanos(st.Created))
	})
}

// within gives stage.ErrLimit where the count has reached the quota.
func within(ctx context.Context, tx *sql.Tx, quota int, count string) error {
	var n int
	if err := tx.QueryRowContext(ctx, count).Scan(&n); err != nil {
		return errors.Wrap(err, "write state")
	}
	if n >= quota {
		return stage.ErrLimit
	}
	return nil
}

// RenameStage is of store.Stages.
func (s *Store) RenameStage(ctx context.Context, arn, name string) (stage.Stage, error) {
	var renamed stage.Stage
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := executeOne(ctx, tx, `UPDATE stage SET name = ? WHERE arn = ?`, name, arn); err != nil {
			return err
		}
		var err error
		renamed, _, err = scanStage(tx.QueryRowContext(ctx, selectStage+`WHERE arn = ?`, arn))
		return errors.Wrap(err, "write state")
	})
	return renamed, err
}

// DeleteStage is of store.Stages.
func (s *Store) DeleteStage(ctx context.Context, arn string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := executeOne(ctx, tx, `DELETE FROM stage WHERE arn = ?`, arn); err != nil {
			return err
		}
		return execute(ctx, tx, `UPDATE ingest_configuration SET stage_arn = '' WHERE stage_arn = ?`, arn)
	})
}
