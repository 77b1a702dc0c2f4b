package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/store/sqlite"
)

// crashFile in the environment turns the test binary into the server that is to be killed.
const crashFile = "STAGEDOOR_TEST_API_CRASH_FILE"

// TestCrash kills a server in the midst of answering creations, and wants every answer in
// the state, exactly as it was told.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		serveUntilKilled(path)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	var answers []map[string]any
	for round := range 3 {
		answers = append(answers, createUntilDead(t, path, 30+11*round)...)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, answer := range answers {
		arn, key := answer["arn"].(string), answer["streamKey"].(string)
		got, err := s.IngestConfigurationByStreamKey(t.Context(), key)
		if err != nil || got.ARN != arn || got.Tags["n"] != answer["tags"].(map[string]any)["n"] || len(got.Credentials) != 2 {
			t.Errorf("%s was answered; stored is %+v (%v)", arn, got, err)
		}
	}
	t.Logf("%d answers", len(answers))
}

// createUntilDead starts a server, has four callers create, and kills it after that many
// answers. It gives all answers that arrived.
func createUntilDead(t *testing.T, path string, after int) (answers []map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
	line := bufio.NewScanner(out)
	if !line.Scan() {
		t.Fatal("the server did not start")
	}
	url := line.Text()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				answer, err := create(ctx, client, url, fmt.Sprintf("%d-%d", caller, n))
				if err != nil {
					return
				}
				mu.Lock()
				answers = append(answers, answer)
				if len(answers) == after {
					_ = child.Process.Kill()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := child.Wait(); err == nil || len(answers) < after {
		t.Fatalf("the server ended by itself after %d answers (%v)", len(answers), err)
	}
	return answers
}

func create(ctx context.Context, client *http.Client, url, n string) (map[string]any, error) {
	body := `{"ingestProtocol":"RTMPS","redundantIngest":true,"tags":{"n":"` + n + `"}}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/CreateIngestConfiguration", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	signRequest(req, body, time.Now().UTC())
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		IngestConfiguration map[string]any `json:"ingestConfiguration"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return answer.IngestConfiguration, err
}

func serveUntilKilled(path string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	s, err := sqlite.Open(context.Background(), path)
	fail(err)
	handler, err := New(Options{
		Store: s, Live: &fakeLive{}, Tokens: &fakeTokens{}, Credentials: map[string]string{testKeyID: testSecret},
		Region: "eu-west-1", Account: "1", Endpoints: PublicEndpoints(nil, 1, 2), Quotas: Quotas{IngestConfigurations: 1e6, RateFactor: 1e6},
	})
	fail(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	fmt.Println("http://" + listener.Addr().String())
	fail(http.Serve(listener, handler))
}
