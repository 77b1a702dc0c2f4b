package main

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/mediafile"
	"github.com/stagedoor/stagedoor/validate"
)

// checkCommand says beforehand whether a stream would be accepted. It needs no gateway.
type checkCommand struct {
	File   string            `arg:"" optional:"" help:"FLV, MP4 or MPEG-TS file; or rtmp-listen, to judge an encoder."`
	Listen string            `placeholder:"ADDR" help:"Listen for one encoder at this address (rtmp-listen alone: :1935)."`
	For    time.Duration     `default:"15s" help:"How much of an encoder's media is judged."`
	Rules  map[string]string `name:"rule" placeholder:"NAME=reject|warn|off" help:"What a broken media rule does, as in serve."`
	WHIP   bool              `name:"whip" help:"Judge a file as if it were published by WHIP: Opus instead of AAC."`
	JSON   bool              `name:"json" help:"Print the report as JSON."`
}

// rtmpListen in the place of the file asks for an encoder.
const rtmpListen = "rtmp-listen"

// Help implements kong.HelpProvider.
func (checkCommand) Help() string {
	return `A FILE is judged as if its encoder published it. With rtmp-listen, or --listen, an encoder
is judged: the URL for it is printed, any stream key is taken, and the encoder is told the
result, too.

Exit status: 0 when it would be accepted, with or without warnings; 1 when it would be
refused, or cannot be read as media; 2 for bad usage, and for a file that cannot be opened.`
}

// Run judges, and prints the report.
func (c *checkCommand) Run(ctx context.Context, o output) error {
	rules, err := (&settings{Rules: c.Rules}).rules()
	if err != nil {
		return err
	}
	if c.File == rtmpListen {
		c.File = ""
		if c.Listen == "" {
			c.Listen = ":1935"
		}
	}
	var r *checkReport
	switch {
	case c.File == "" && c.Listen == "":
		return usagef("check needs a FILE, or rtmp-listen to judge an encoder")
	case c.File != "" && c.Listen != "":
		return usagef("check takes a FILE or --listen; both were given")
	case c.File != "":
		r, err = c.checkFile(ctx, o, rules)
	default:
		r, err = c.checkEncoder(ctx, o, rules)
	}
	if err != nil {
		return err
	}
	if err := r.print(o.out, c.JSON); err != nil {
		return err
	}
	switch r.Result {
	case resultUnreadable:
		return errors.Errorf("%s cannot be judged: %s", r.Source, r.Error)
	case resultReject:
		return errors.Errorf("%s would be refused", r.Source)
	}
	return nil
}

func (c *checkCommand) checkFile(ctx context.Context, o output, rules validate.Rules) (*checkReport, error) {
	file, err := os.Open(c.File)
	if err != nil {
		return nil, usagef("%s", err)
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil || !about.Mode().IsRegular() {
		return nil, usagef("%s is no file", c.File)
	}
	protocol := ingest.RTMP
	if c.WHIP {
		protocol = ingest.WHIP
	}
	judge := validate.New(nil, validate.Options{Protocol: protocol, Rules: rules, Collect: true})
	counted, done := withProgress(file, about.Size(), o.log)
	info, err := mediafile.Play(ctx, counted, about.Size(), judge)
	done()
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	r := &checkReport{Source: c.File, Container: info.Container, JudgedAs: protocol, Notes: info.Notes}
	r.conclude(judge, err)
	return r, nil
}

// address checks --listen.
func (c *checkCommand) address() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return usagef("--listen is %q; it must be HOST:PORT or :PORT, for example \":1935\"", c.Listen)
	}
	if c.For <= 0 {
		return usagef("--for is %s; more than 0 is needed, for example 15s", c.For)
	}
	if c.WHIP {
		return usagef("--whip goes with a FILE; an encoder is judged by RTMP")
	}
	return nil
}
