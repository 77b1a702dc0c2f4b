package main

import (
	"strings"
	"testing"
)

// A second gateway on the folder would end the first one's sessions in the journal.
func TestOneGatewayPerDataFolder(t *testing.T) {
	folder := dataFolder(t.TempDir())
	unlock, err := folder.lock()
	if err != nil {
		t.Fatal(err)
	}
	status, _, log := runArgs(t, "serve", "--data", string(folder), "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0",
		"--rtmps", "127.0.0.1:0", "--ice", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if status != exitFailure || !strings.Contains(log, "--data") || !strings.Contains(log, "another gateway") {
		t.Errorf("a second gateway: status %d, %q", status, log)
	}
	unlock()
	unlock, err = folder.lock()
	if err != nil {
		t.Fatalf("after the first one ended: %v", err)
	}
	unlock()
}
