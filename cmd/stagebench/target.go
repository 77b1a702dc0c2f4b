package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// target is a server under load.
type target struct {
	places []place
	pid    int // whose CPU and memory is measured; 0: none
	stop   func()
}

// open gives the server of the settings: one that is started for the run, or one that runs
// already.
func (s *settings) open(ctx context.Context) (*target, error) {
	if s.Server != "" {
		return startServer(ctx, s)
	}
	var keys []string
	if s.Keys != "" {
		data, err := os.ReadFile(s.Keys)
		if err != nil {
			return nil, errors.Wrap(err, "--keys")
		}
		keys = strings.Fields(string(data))
	}
	t := &target{pid: s.PID, stop: func() {}}
	for n := range s.Publishers {
		key := ""
		if n < len(keys) {
			key = keys[n]
		}
		fill := strings.NewReplacer("{n}", strconv.Itoa(n+1), "{key}", key).Replace
		p := place{publishURL: fill(s.PublishURL), publishToken: fill(s.PublishToken), watchURL: fill(s.WatchURL)}
		for v := range s.Viewers + s.Joins {
			p.watchTokens = append(p.watchTokens, strings.ReplaceAll(fill(s.WatchToken), "{v}", strconv.Itoa(v+1)))
		}
		t.places = append(t.places, p)
	}
	return t, nil
}

func isRTMP(url string) bool {
	return strings.HasPrefix(url, "rtmp://") || strings.HasPrefix(url, "rtmps://")
}
