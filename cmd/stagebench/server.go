package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/pkg/errors"
)

const startTimeout = 10 * time.Second

// startServer starts stagedoor with a data folder of its own, and makes a stage with an
// ingest configuration and tokens for each publisher, through the control API.
func startServer(ctx context.Context, s *settings) (_ *target, err error) {
	folder, err := os.MkdirTemp("", "stagebench-")
	if err != nil {
		return nil, errors.Wrap(err, "make a data folder")
	}
	args := []string{"serve", "--data", folder, "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0", "--rtmps", "127.0.0.1:0",
		"--ice", "127.0.0.1:0", "--admin", s.Admin, "--log-level", "warn",
		"--max-stages", "100000", "--max-ingest-configurations", "100000", "--rate-factor", "100000"}
	command := exec.Command(s.Server, append(args, s.ServerArgs...)...)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		_ = os.RemoveAll(folder)
		return nil, errors.Wrap(err, "--server")
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait() // how it ends is of no interest
		close(exited)
	}()
	t := &target{pid: command.Process.Pid, stop: func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(startTimeout):
			_ = command.Process.Kill()
			<-exited
		}
		_ = os.RemoveAll(folder)
	}}
	defer func() {
		if err != nil {
			t.stop()
		}
	}()
	at, err := waitForServer(ctx, folder, exited)
	if err != nil {
		return nil, err
	}
	t.places, err = at.makePlaces(ctx, folder, s)
	return t, err
}

// address is what the server writes down about itself (endpoints.json).
type address struct{ HTTP, WHIP, RTMP, RTMPS string }

func waitForServer(ctx context.Context, folder string, exited <-chan struct{}) (address, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		var at address
		data, err := os.ReadFile(filepath.Join(folder, "endpoints.json"))
		if err == nil && json.Unmarshal(data, &at) == nil && ready(ctx, at.HTTP) {
			return at, nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-exited:
			return at, errors.New("--server: it has ended; what it said is above")
		case <-ctx.Done():
			return at, errors.Errorf("--server: it was not ready within %s", startTimeout)
		}
	}
}

func ready(ctx context.Context, base string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// perStage is how many publishers share a stage: the guide's quota.
const perStage = 12

// makePlaces makes what the publishers need, as an operator would.
func (a address) makePlaces(ctx context.Context, folder string, s *settings) ([]place, error) {
	var keys []struct{ AccessKeyID, SecretAccessKey string }
	data, err := os.ReadFile(filepath.Join(folder, "credentials.json"))
	if err == nil {
		err = json.Unmarshal(data, &keys)
	}
	if err != nil || len(keys) == 0 {
		return nil, errors.Errorf("read the server's credentials: %v", err)
	}
	api := controlAPI{base: a.HTTP, keyID: keys[0].AccessKeyID, secret: keys[0].SecretAccessKey}
	var places []place
	var stageARN string
	for n := range s.Publishers {
		if n%perStage == 0 {
			var made struct{ Stage struct{ ARN string } }
			if err := api.call(ctx, "CreateStage", map[string]any{"name": "bench-" + strconv.Itoa(n)}, &made); err != nil {
				return nil, err
			}
			stageARN = made.Stage.ARN
		}
		p, err := a.makePlace(ctx, api, stageARN, s)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, nil
}

func (a address) makePlace(ctx context.Context, api controlAPI, stageARN string, s *settings) (place, error) {
	token := func(capability string) (id, token string, err error) {
		var made struct {
			ParticipantToken struct{ ParticipantID, Token string }
		}
		err = api.call(ctx, "CreateParticipantToken", map[string]any{"stageArn": stageARN, "capabilities": []string{capability}}, &made)
		return made.ParticipantToken.ParticipantID, made.ParticipantToken.Token, err
	}
	var p place
	var participant string
	var err error
	if s.Protocol == "whip" {
		p.publishURL = a.WHIP
		if participant, p.publishToken, err = token("PUBLISH"); err != nil {
			return p, err
		}
	} else {
		name, base := "RTMPS", a.RTMPS
		if s.Protocol == "rtmp" {
			name, base = "RTMP", a.RTMP
		}
		var made struct {
			IngestConfiguration struct{ ParticipantID, StreamKey string }
		}
		err = api.call(ctx, "CreateIngestConfiguration", map[string]any{
			"stageArn": stageARN, "ingestProtocol": name, "insecureIngest": s.Protocol == "rtmp",
		}, &made)
		if err != nil {
			return p, err
		}
		participant, p.publishURL = made.IngestConfiguration.ParticipantID, base+made.IngestConfiguration.StreamKey
	}
	p.watchURL = a.HTTP + "/whep/" + participant
	// A token lets one viewer in: whoever comes with it next takes the former's place.
	for range s.Viewers + s.Joins {
		_, watch, err := token("SUBSCRIBE")
		if err != nil {
			return p, err
		}
		p.watchTokens = append(p.watchTokens, watch)
	}
	return p, nil
}
