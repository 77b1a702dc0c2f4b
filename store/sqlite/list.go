package sqlite

import (
	"context"
	"database/sql"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// scan reads one entry from a row whose last column is seq.
type scan[T any] func(row) (entry T, seq int64, err error)

// one reads the entry that the query finds, or gives stage.ErrNotFound.
func one[T any](ctx context.Context, s *Store, scan scan[T], query string, args ...any) (T, error) {
	var none T
	stmt, err := s.query(ctx, query)
	if err != nil {
		return none, err
	}
	entry, _, err := scan(stmt.QueryRowContext(ctx, args...))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none, stage.ErrNotFound
	case err != nil:
		return none, errors.Wrap(err, "read state")
	}
	return entry, nil
}

// list reads a page. SQLite steps through the rows as they are asked for, so a query without
// LIMIT that is left early costs no more than what was read.
func list[T any](ctx context.Context, s *Store, scan scan[T], keep func(T) bool, limit int, query string, args ...any) ([]T, int64, error) {
	stmt, err := s.query(ctx, query)
	if err != nil {
		return nil, 0, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, 0, errors.Wrap(err, "read state")
	}
	defer func() { _ = rows.Close() }()
	page := []T{}
	var last int64
	for rows.Next() {
		entry, seq, err := scan(rows)
		if err != nil {
			return nil, 0, errors.Wrap(err, "read state")
		}
		if keep != nil && !keep(entry) {
			continue
		}
		if len(page) == limit {
			return page, last, nil
		}
		page, last = append(page, entry), seq
	}
	return page, 0, errors.Wrap(rows.Err(), "read state")
}
