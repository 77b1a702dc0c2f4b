package main

import (
	"time"

	"github.com/pkg/errors"
)

// settings are the flags of a run. It has more fields than a struct should because it is the
// list of what a user can set.
type settings struct {
	Server     string   `placeholder:"FILE" help:"Start this stagedoor with a new data folder for each run, and set everything up through its control API."`
	ServerArgs []string `name:"server-arg" placeholder:"ARG" help:"More arguments for --server."`
	Admin      string   `default:"127.0.0.1:0" placeholder:"ADDR" help:"The --admin address of --server, for a look at its profiles."`
	PID        int      `name:"pid" help:"Process id of a server that runs already, to measure its CPU and memory."`

	Publishers int           `default:"1" help:"How many publishers."`
	Viewers    int           `default:"1" help:"How many viewers each of them has."`
	Joins      int           `help:"So many more viewers join for a moment, at random times during the run."`
	Protocol   string        `default:"rtmp" enum:"rtmp,rtmps,whip" help:"How publishers reach --server: rtmp, rtmps or whip."`
	Clip       string        `placeholder:"FILE" help:"FLV file (H.264 and AAC) to publish, over and over; default: the clip of \"stagedoor demo\". Lip-sync and the sound's latency need beeps in it."`
	Ramp       time.Duration `default:"2s" help:"Start the publishers within this time."`
	Warmup     time.Duration `default:"3s" help:"From the last viewer's first picture to the measurement."`
	Duration   time.Duration `default:"15s" help:"Of the measurement."`
	Patience   time.Duration `default:"20s" help:"How long after the ramp a viewer may take to its first picture."`
	Runs       int           `default:"1" help:"How many runs; the table gives their medians."`
	JSON       string        `name:"json" placeholder:"FILE" help:"Append one line of JSON for each run."`

	PublishURL   string `name:"publish-url" placeholder:"TEMPLATE" help:"rtmp(s)://HOST/APP/KEY or a WHIP endpoint. In all templates {n} is the publisher's number, from 1, and {key} its line of --keys."`
	WatchURL     string `name:"watch-url" placeholder:"TEMPLATE" help:"WHEP endpoint."`
	PublishToken string `name:"publish-token" placeholder:"TEMPLATE" help:"Bearer token for WHIP."`
	WatchToken   string `name:"watch-token" placeholder:"TEMPLATE" help:"Bearer token for WHEP; {v} is the viewer's number, from 1."`
	Keys         string `placeholder:"FILE" help:"One word for each publisher."`
}

func (s *settings) check() error {
	switch {
	case s.Server == "" && (s.PublishURL == "" || s.WatchURL == ""):
		return errors.New("say what to load: --server FILE, or --publish-url and --watch-url")
	case s.Server != "" && (s.PublishURL != "" || s.PID != 0):
		return errors.New("--server sets up the URLs and the process id by itself: leave out --publish-url, --watch-url and --pid")
	case s.Publishers < 1 || s.Viewers < 0 || s.Joins < 0 || s.Runs < 1 || s.Duration < time.Second:
		return errors.New("at least one publisher, one run and a duration of 1s are needed")
	}
	return nil
}

// isWHIP says whether the publishers' sound must be Opus.
func (s *settings) isWHIP() bool {
	return s.Server != "" && s.Protocol == "whip" || s.PublishURL != "" && !isRTMP(s.PublishURL)
}
