package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pkg/errors"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate runs the migrations that the file has not seen, in the order of their names, each
// in a transaction together with its number (SQLite's user_version). There is no way back.
func migrate(ctx context.Context, db *sql.DB) error {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return errors.Wrap(err, "migrations")
	}
	for number, name := range names {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return errors.Wrap(err, name)
		}
		if err := step(ctx, db, number+1, len(names), string(script)); err != nil {
			return errors.WithMessage(err, name)
		}
	}
	return nil
}

// step runs one migration unless the file has it. The version is read within the
// transaction: two processes that open the same new file must not both run it.
func step(ctx context.Context, db *sql.DB, number, newest int, script string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return errors.Wrap(err, "migrate")
	}
	defer func() { _ = tx.Rollback() }()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return errors.Wrap(err, "migrate")
	}
	if version > newest {
		return errors.Errorf("schema version %d is newer than this stagedoor knows (%d): use the newer stagedoor, or another data folder", version, newest)
	}
	if version >= number {
		return nil
	}
	if _, err := tx.ExecContext(ctx, script); err != nil {
		return errors.Wrap(err, "migrate")
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", number)); err != nil {
		return errors.Wrap(err, "migrate")
	}
	return errors.Wrap(tx.Commit(), "migrate")
}
