package sqlite

import (
	"context"
	"database/sql"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

const selectPublicKey = `SELECT arn, name, material, fingerprint, tags, created, seq FROM public_key `

func scanPublicKey(r row) (stage.PublicKey, int64, error) {
	var k stage.PublicKey
	var seq int64
	err := r.Scan(&k.ARN, &k.Name, &k.Material, &k.Fingerprint, (*textMap)(&k.Tags), (*nanos)(&k.Created), &seq)
	return k, seq, err
}

// PublicKey is of stage.Store.
func (s *Store) PublicKey(ctx context.Context, arn string) (stage.PublicKey, error) {
	return one(ctx, s, scanPublicKey, selectPublicKey+`WHERE arn = ?`, arn)
}

// PublicKeys is of store.PublicKeys.
func (s *Store) PublicKeys(ctx context.Context, after int64, limit int) ([]stage.PublicKey, int64, error) {
	return list(ctx, s, scanPublicKey, nil, limit, selectPublicKey+`WHERE seq > ? ORDER BY seq`, after)
}

// ImportPublicKey is of store.PublicKeys.
func (s *Store) ImportPublicKey(ctx context.Context, k stage.PublicKey, quota int) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT 1 FROM public_key WHERE fingerprint = ?`, k.Fingerprint).Scan(&n)
		switch {
		case err == nil:
			return stage.ErrExists
		case !errors.Is(err, sql.ErrNoRows):
			return errors.Wrap(err, "write state")
		}
		if err := within(ctx, tx, quota, `SELECT count(*) FROM public_key`); err != nil {
			return err
		}
		return execute(ctx, tx, `INSERT INTO public_key (arn, name, material, fingerprint, tags, created) VALUES (?, ?, ?, ?, ?, ?)`,
			k.ARN, k.Name, k.Material, k.Fingerprint, textMap(k.Tags), nanos(k.Created))
	})
}

// DeletePublicKey is of store.PublicKeys.
func (s *Store) DeletePublicKey(ctx context.Context, arn string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return executeOne(ctx, tx, `DELETE FROM public_key WHERE arn = ?`, arn)
	})
}
