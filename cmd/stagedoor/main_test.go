package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func runArgs(t *testing.T, args ...string) (status int, out, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var o, l bytes.Buffer
	status = run(ctx, args, &o, &l)
	return status, o.String(), l.String()
}

// A mistake in the settings ends with status 2, and names the setting and what it allows.
func TestBadSettings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("htttp: :1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--http", "8080"}, []string{"--http", "HOST:PORT"}},
		{[]string{"--http", ":99999"}, []string{"--http", "65535"}},
		{[]string{"--cert", "nope.pem", "--key", "nope.pem", "--data", dir}, []string{"--cert", "nope.pem"}},
		{[]string{"--ice", "example.com:3478"}, []string{"--ice", "IP address"}},
		{[]string{"--public-url", "stage.example"}, []string{"--public-url", "https://"}},
		{[]string{"--public-ip", "here"}, []string{"--public-ip", "IP address"}},
		{[]string{"--cert", "c.pem"}, []string{"--cert", "--key"}},
		{[]string{"--region", "EU West"}, []string{"--region", "lower-case"}},
		{[]string{"--rule", "bframes=warn"}, []string{"--rule", "b-frames"}},
		{[]string{"--rule", "b-frames=maybe"}, []string{"--rule", "reject"}},
		{[]string{"--max-publishers", "0"}, []string{"--max-publishers", "at least 1"}},
		{[]string{"--log-level", "loud"}, []string{"--log-level", "debug"}},
		{[]string{"--no-such-flag"}, []string{"no-such-flag"}},
		{[]string{"--config", file}, []string{"htttp", "http"}},
		{[]string{"env", "--data", dir}, []string{"--data", "start"}},
		{[]string{"token", "--key", file, "--key-arn", "x", "--stage", "y"}, []string{"--key", "openssl"}},
	} {
		status, _, log := runArgs(t, c.args...)
		if status != exitUsage {
			t.Errorf("%v: status %d, want %d", c.args, status, exitUsage)
		}
		for _, want := range c.want {
			if !strings.Contains(log, want) {
				t.Errorf("%v: %q does not name %q", c.args, log, want)
			}
		}
	}
}

func TestFlagBeforeEnvironmentBeforeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("region: from-file\naccount: \"123\"\nrule:\n  b-frames: warn\n  nonsense: warn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The rule from the file is wrong, so that the settings are told and nothing starts.
	if _, _, log := runArgs(t, "--config", file); !strings.Contains(log, "nonsense") {
		t.Errorf("the file's rules were not read: %s", log)
	}
	t.Setenv("STAGEDOOR_REGION", "From Env")
	if _, _, log := runArgs(t, "--config", file); !strings.Contains(log, "From Env") {
		t.Errorf("the environment does not go before the file: %s", log)
	}
	if _, _, log := runArgs(t, "--config", file, "--region", "From Flag"); !strings.Contains(log, "From Flag") {
		t.Errorf("the flag does not go before the environment: %s", log)
	}
}

// The gateway starts, is ready, prints what env prints again, and ends in good order; a
// second start keeps what the first one made.
func TestServeAndEnv(t *testing.T) {
	data := t.TempDir()
	args := []string{"serve", "--data", data, "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--rtmps", "127.0.0.1:0", "--ice", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	var first string
	for start := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		out := &watched{seen: make(chan struct{}), mark: "Stop with Ctrl-C"}
		done := make(chan int, 1)
		go func() { done <- run(ctx, args, out, io.Discard) }()
		select {
		case <-out.seen:
		case status := <-done:
			t.Fatalf("ended with status %d", status)
		case <-time.After(20 * time.Second):
			t.Fatal("did not start within 20 s")
		}
		_, env, _ := runArgs(t, "env", "--data", data)
		var base, key string
		for line := range strings.Lines(env) {
			value := strings.Trim(strings.TrimSpace(line[strings.IndexByte(line, '=')+1:]), "'")
			switch {
			case strings.Contains(line, "AWS_ENDPOINT_URL"):
				base = value
			case strings.Contains(line, "STREAM_KEY"):
				key = value
			}
		}
		if start == 0 {
			first = key
		}
		if key == "" || key != first {
			t.Errorf("start %d: stream key %q, the first was %q", start, key, first)
		}
		for _, path := range []string{"/readyz", "/healthz", "/"} {
			resp, err := http.Get(base + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if status := <-done; status != exitOK {
			t.Errorf("a clean stop ended with status %d", status)
		}
	}
	for _, name := range []string{credentialsFile, firstFile, "stagedoor.db", "selfsigned.key"} {
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
}

// watched closes seen once mark was written.
type watched struct {
	sync.Mutex
	text bytes.Buffer
	mark string
	seen chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.Lock()
	defer w.Unlock()
	n, err := w.text.Write(p)
	if strings.Contains(w.text.String(), w.mark) {
		select {
		case <-w.seen:
		default:
			close(w.seen)
		}
	}
	return n, err
}
