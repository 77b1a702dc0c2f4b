package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"

	"github.com/pkg/errors"
)

// Secret is of store.Store.
func (s *Store) Secret(ctx context.Context, name string, size int) ([]byte, error) {
	fresh := make([]byte, size)
	_, _ = rand.Read(fresh) // never fails
	var kept []byte
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := execute(ctx, tx, `INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, fresh); err != nil {
			return err
		}
		return errors.Wrap(tx.QueryRowContext(ctx, `SELECT value FROM secret WHERE name = ?`, name).Scan(&kept), "write state")
	})
	return kept, err
}
