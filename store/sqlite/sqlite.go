// Package sqlite keeps stagedoor's state in one SQLite file, with a driver that is pure Go.
//
// The journal is a write-ahead log and every commit is synced (synchronous=FULL), so that an
// answered call survives kill -9 and, as far as the disk keeps its word, a power cut.
package sqlite

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/pkg/errors"
	_ "modernc.org/sqlite" // the driver

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

// Store is the open file. It is a store.Store.
type Store struct {
	// writer has one connection: writes queue here and not in SQLite's busy handler, where
	// the waiting is polled and unfair.
	writer *sql.DB
	reader *sql.DB

	mu       sync.Mutex
	prepared map[string]*sql.Stmt // by SQL text, on reader
}

var _ store.Store = (*Store)(nil)

// readers is how many reads run at once; each holds a connection with its own page cache.
const readers = 4

// Open opens the file, or makes it with mode 0600, and brings its schema up to date. A file
// that was written by a newer stagedoor is refused. The folder must exist.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.Wrap(err, "state file")
	}
	// SQLite would make the file with 0644; its -wal and -shm files take the file's mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.Wrap(err, "state file")
	}
	if err := f.Close(); err != nil {
		return nil, errors.Wrap(err, "state file")
	}
	writer, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return nil, errors.Wrap(err, "state file")
	}
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, writer); err != nil {
		_ = writer.Close()
		return nil, errors.WithMessagef(err, "state file %s", path)
	}
	reader, err := sql.Open("sqlite", dsn(path, "deferred"))
	if err != nil {
		_ = writer.Close()
		return nil, errors.Wrap(err, "state file")
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return &Store{writer: writer, reader: reader, prepared: map[string]*sql.Stmt{}}, nil
}

func dsn(path, txlock string) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_txlock": {txlock},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}.Encode()}
	return u.String()
}

// Close waits for calls that are under way and closes the file.
func (s *Store) Close() error {
	readErr := s.reader.Close() // closes the prepared statements too
	if err := s.writer.Close(); err != nil {
		return errors.Wrap(err, "close state")
	}
	return errors.Wrap(readErr, "close state")
}

// write runs f in a transaction of the one writer. The context can end the wait for the
// writer but not what has begun: the driver's interrupt would leave the caller in doubt.
// An error of f passes unchanged.
func (s *Store) write(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return errors.Wrap(err, "write state")
	}
	defer func() { _ = conn.Close() }()
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return errors.Wrap(err, "write state")
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return errors.Wrap(tx.Commit(), "write state")
}

// execute runs one statement of a transaction.
func execute(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return errors.Wrap(err, "write state")
}

// executeOne is execute where a row must be touched; it gives stage.ErrNotFound otherwise.
func executeOne(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return errors.Wrap(err, "write state")
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return errors.Wrap(err, "write state")
	}
	return stage.ErrNotFound
}

// query gives the prepared statement of a read. The parse costs more than most reads, and
// RTMP's answer to publish waits for them.
func (s *Store) query(ctx context.Context, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt, ok := s.prepared[text]; ok {
		return stmt, nil
	}
	stmt, err := s.reader.PrepareContext(ctx, text)
	if err != nil {
		return nil, errors.Wrap(err, "read state")
	}
	s.prepared[text] = stmt
	return stmt, nil
}
