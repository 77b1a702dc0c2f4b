package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/stage"
)

// crashFile in the environment turns the test binary into the process that is to be killed.
const crashFile = "STAGEDOOR_TEST_CRASH_FILE"

// TestCrash kills a process during a stream of creations and renames and compares what it
// had answered with what is stored.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		createUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	answered := map[string]string{}
	for round := range 4 {
		run(t, path, round, answered)
		compare(t, path, answered)
	}
}

// run starts the child, reads some answers and kills it in the midst of its work.
func run(t *testing.T, path string, round int, answered map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCrash$")
	child.Env = append(os.Environ(), crashFile+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var arn, name string
		if _, err := fmt.Sscan(lines.Text(), &arn, &name); err == nil {
			answered[arn] = name
		}
		if n == 40+7*round {
			_ = child.Process.Kill() // the rest of the pipe is still read
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
}

// compare wants every answer in the store, and nothing half-written.
func compare(t *testing.T, path string, answered map[string]string) {
	t.Helper()
	s := open(t, path)
	defer func() { _ = s.Close() }()
	for arn, name := range answered {
		got, err := s.Stage(context.Background(), arn)
		if err != nil {
			t.Errorf("%s was answered and is lost: %v", arn, err)
			continue
		}
		// The rename to "last" may have been stored without having been answered.
		if got.Name != name && got.Name != "last" {
			t.Errorf("%s is named %q, answered %q", arn, got.Name, name)
		}
	}
	all, _, err := s.IngestConfigurations(context.Background(), nil, 0, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if len(c.Credentials) != 2 {
			t.Errorf("%s has %d credentials", c.ARN, len(c.Credentials))
		}
	}
	var verdict string
	if err := s.writer.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s %v", verdict, err)
	}
	t.Logf("%d answers, %d configurations", len(answered), len(all))
}

func createUntilKilled(path string) {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	for n := 0; ; n++ {
		id := fmt.Sprintf("%d-%d", os.Getpid(), n)
		arn := "arn:aws:ivs:eu-west-1:000000000001:stage/" + id
		answer := func(name string, err error) {
			if err != nil {
				fmt.Println("write:", err)
				os.Exit(1)
			}
			fmt.Println(arn, name)
		}
		answer("first", s.CreateStage(ctx, stage.Stage{ARN: arn, Name: "first"}, 1e6))
		_, err := s.RenameStage(ctx, arn, "last")
		answer("last", err)
		err = s.CreateIngestConfiguration(ctx, stage.IngestConfiguration{ARN: "ingest/" + id, StageARN: arn, Redundant: true, Credentials: []stage.Credential{
			{ParticipantID: id + "a", StreamKey: id + "a"}, {ParticipantID: id + "b", StreamKey: id + "b"},
		}}, 1e6)
		answer("last", err)
	}
}
