package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
	"github.com/stagedoor/stagedoor/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFileIsPrivate(t *testing.T) {
	// The name has what would be taken for parameters of the URI.
	path := filepath.Join(t.TempDir(), "st ate?mode=ro%20#.db")
	s := open(t, path)
	if err := s.CreateStage(context.Background(), stage.Stage{ARN: "arn"}, 1); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %v", suffix, info.Mode())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer func() { _ = s.Close() }()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func TestReopen(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	key, err := s.Secret(ctx, "token", 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	again, err := s.Secret(ctx, "token", 32)
	if err != nil || string(again) != string(key) {
		t.Fatalf("the secret changed (%v)", err)
	}
	if _, err := s.writer.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Fatalf("a newer file was opened: %v", err)
	}
}

func TestOpenRefusesWhatIsNoState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v does not name the file", err)
	}
	if _, err := Open(context.Background(), filepath.Join(path, "below")); err == nil {
		t.Fatal("a file in no folder was opened")
	}
}

// A write that waits for another one gives up with its context; the next one works.
func TestWriteContext(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Revoke(ctx, "a", "b", time.Now()); err == nil {
		t.Fatal("no error")
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(context.Background(), "a", "b", time.Now()); err != nil {
		t.Fatal(err)
	}
}

// What RTMP's publish waits for: the target is 2 ms for the whole handshake.
func BenchmarkAdmission(b *testing.B) {
	ctx := context.Background()
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	defer func() { _ = s.Close() }()
	st := stage.Stage{ARN: "arn:aws:ivs:eu-west-1:000000000001:stage/a"}
	if err := s.CreateStage(ctx, st, 1); err != nil {
		b.Fatal(err)
	}
	c := stage.IngestConfiguration{ARN: "ingest", StageARN: st.ARN, Credentials: []stage.Credential{{ParticipantID: "p", StreamKey: "key"}}}
	if err := s.CreateIngestConfiguration(ctx, c, 1); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.IngestConfigurationByStreamKey(ctx, "key"); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Stage(ctx, st.ARN); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Revoked(ctx, st.ARN, "p"); err != nil {
			b.Fatal(err)
		}
	}
}
