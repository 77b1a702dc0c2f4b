package sqlite

import (
	"context"
	"database/sql"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// The credentials come along as two columns each, so that admission needs one query: there
// are never more than two of them.
const selectIngest = `SELECT i.arn, i.name, i.stage_arn, i.user_id, i.attributes, i.protocol,
	i.insecure, i.redundant, i.tags, i.created,
	a.participant_id, a.stream_key, coalesce(b.participant_id, ''), coalesce(b.stream_key, ''), i.seq
	FROM ingest_configuration i
	JOIN credential a ON a.ingest_arn = i.arn AND a.position = 0
	LEFT JOIN credential b ON b.ingest_arn = i.arn AND b.position = 1 `

func scanIngest(r row) (stage.IngestConfiguration, int64, error) {
	var c stage.IngestConfiguration
	var primary, backup stage.Credential
	var seq int64
	err := r.Scan(&c.ARN, &c.Name, &c.StageARN, &c.UserID, (*textMap)(&c.Attributes), &c.Protocol,
		&c.Insecure, &c.Redundant, (*textMap)(&c.Tags), (*nanos)(&c.Created),
		&primary.ParticipantID, &primary.StreamKey, &backup.ParticipantID, &backup.StreamKey, &seq)
	c.Credentials = []stage.Credential{primary}
	if backup.StreamKey != "" {
		c.Credentials = append(c.Credentials, backup)
	}
	return c, seq, err
}

// IngestConfiguration is of store.IngestConfigurations.
func (s *Store) IngestConfiguration(ctx context.Context, arn string) (stage.IngestConfiguration, error) {
	return one(ctx, s, scanIngest, selectIngest+`WHERE i.arn = ?`, arn)
}

// IngestConfigurationByStreamKey is of stage.Store.
func (s *Store) IngestConfigurationByStreamKey(ctx context.Context, streamKey string) (stage.IngestConfiguration, error) {
	return one(ctx, s, scanIngest, selectIngest+`WHERE i.arn = (SELECT ingest_arn FROM credential WHERE stream_key = ?)`, streamKey)
}

// IngestConfigurations is of store.IngestConfigurations.
func (s *Store) IngestConfigurations(ctx context.Context, keep func(stage.IngestConfiguration) bool, after int64, limit int) ([]stage.IngestConfiguration, int64, error) {
	return list(ctx, s, scanIngest, keep, limit, selectIngest+`WHERE i.seq > ? ORDER BY i.seq`, after)
}

// CreateIngestConfiguration is of store.IngestConfigurations.
func (s *Store) CreateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration, quota int) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := stageExists(ctx, tx, c.StageARN); err != nil {
			return err
		}
		if err := within(ctx, tx, quota, `SELECT count(*) FROM ingest_configuration`); err != nil {
			return err
		}
		err := execute(ctx, tx, `INSERT INTO ingest_configuration
			(arn, name, stage_arn, user_id, attributes, protocol, insecure, redundant, tags, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ARN, c.Name, c.StageARN, c.UserID, textMap(c.Attributes), c.Protocol, c.Insecure,
			c.Redundant, textMap(c.Tags), nanos(c.Created))
		if err != nil {
			return err
		}
		return insertCredentials(ctx, tx, c)
	})
}

// stageExists gives stage.ErrNotFound where the ARN is set and there is no such stage.
func stageExists(ctx context.Context, tx *sql.Tx, arn string) error {
	if arn == "" {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM stage WHERE arn = ?`, arn).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return stage.ErrNotFound
	}
	return errors.Wrap(err, "write state")
}

func insertCredentials(ctx context.Context, tx *sql.Tx, c stage.IngestConfiguration) error {
	for position, credential := range c.Credentials {
		err := execute(ctx, tx, `INSERT INTO credential (stream_key, participant_id, ingest_arn, position) VALUES (?, ?, ?, ?)`,
			credential.StreamKey, credential.ParticipantID, c.ARN, position)
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateIngestConfiguration is of store.IngestConfigurations.
func (s *Store) UpdateIngestConfiguration(ctx context.Context, c stage.IngestConfiguration) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := stageExists(ctx, tx, c.StageARN); err != nil {
			return err
		}
		err := executeOne(ctx, tx, `UPDATE ingest_configuration SET stage_arn = ?, redundant = ? WHERE arn = ?`,
			c.StageARN, c.Redundant, c.ARN)
		if err != nil {
			return err
		}
		if err := execute(ctx, tx, `DELETE FROM credential WHERE ingest_arn = ?`, c.ARN); err != nil {
			return err
		}
		return insertCredentials(ctx, tx, c)
	})
}

// DeleteIngestConfiguration is of store.IngestConfigurations.
func (s *Store) DeleteIngestConfiguration(ctx context.Context, arn string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return executeOne(ctx, tx, `DELETE FROM ingest_configuration WHERE arn = ?`, arn)
	})
}

// DetachParticipant is of store.IngestConfigurations.
func (s *Store) DetachParticipant(ctx context.Context, stageARN, participantID string) (bool, error) {
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return executeOne(ctx, tx, `UPDATE ingest_configuration SET stage_arn = ''
			WHERE stage_arn = ? AND arn = (SELECT ingest_arn FROM credential WHERE participant_id = ?)`,
			stageARN, participantID)
	})
	if errors.Is(err, stage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
