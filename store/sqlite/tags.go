package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"strings"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// taggedTable gives the table of the resources that such an ARN names, "" for none.
func taggedTable(arn string) string {
	kind, _, _ := strings.Cut(arn[strings.LastIndexByte(arn, ':')+1:], "/")
	switch kind {
	case "stage":
		return "stage"
	case "ingest-configuration":
		return "ingest_configuration"
	case "public-key":
		return "public_key"
	}
	return ""
}

func scanTags(r row) (map[string]string, int64, error) {
	var tags map[string]string
	err := r.Scan((*textMap)(&tags))
	return tags, 0, err
}

// Tags is of store.Tags.
func (s *Store) Tags(ctx context.Context, arn string) (map[string]string, error) {
	table := taggedTable(arn)
	if table == "" {
		return nil, stage.ErrNotFound
	}
	return one(ctx, s, scanTags, `SELECT tags FROM `+table+` WHERE arn = ?`, arn)
}

// Tag is of store.Tags.
func (s *Store) Tag(ctx context.Context, arn string, tags map[string]string, limit int) error {
	return s.changeTags(ctx, arn, func(have map[string]string) error {
		maps.Copy(have, tags)
		if len(have) > limit {
			return stage.ErrLimit
		}
		return nil
	})
}

// Untag is of store.Tags.
func (s *Store) Untag(ctx context.Context, arn string, keys []string) error {
	return s.changeTags(ctx, arn, func(have map[string]string) error {
		for _, key := range keys {
			delete(have, key)
		}
		return nil
	})
}

func (s *Store) changeTags(ctx context.Context, arn string, change func(map[string]string) error) error {
	table := taggedTable(arn)
	if table == "" {
		return stage.ErrNotFound
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		tags, _, err := scanTags(tx.QueryRowContext(ctx, `SELECT tags FROM `+table+` WHERE arn = ?`, arn))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return stage.ErrNotFound
		case err != nil:
			return errors.Wrap(err, "write state")
		}
		if err := change(tags); err != nil {
			return err
		}
		return execute(ctx, tx, `UPDATE `+table+` SET tags = ? WHERE arn = ?`, textMap(tags), arn)
	})
}
