package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/internal/rtmpclient"
	"github.com/stagedoor/stagedoor/testdata"
)

// demoCommand runs the gateway with a broadcaster of its own, for someone who has no
// encoder at hand.
type demoCommand struct {
	settings `embed:""`
}

// demoLength is the clip's length in milliseconds; it loops without a seam.
const demoLength = 8000

// Run serves until the context ends, or the clip is refused.
func (c *demoCommand) Run(ctx context.Context, o output) error {
	tuneGC()
	app, err := NewApp(ctx, &c.settings, c.logger(o))
	if err != nil {
		return err
	}
	defer app.Close()
	if app.welcome.streamKey == "" {
		return usagef("--data %s: its first ingest configuration has no stage any more; use another folder for the demo", c.Data)
	}
	app.printWelcome(o.out)
	ctx, cancel := context.WithCancelCause(ctx)
	played := make(chan struct{})
	go func() {
		defer close(played)
		// The ports are open already: the connection waits until Run accepts it.
		cancel(playDemo(ctx, "rtmp://"+app.ports.rtmp.String()+"/app/"+app.welcome.streamKey))
	}()
	err = app.Run(ctx)
	cancel(nil)
	<-played
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		return errors.WithMessage(cause, "the demo's clip")
	}
	return err
}

// playDemo publishes the clip in real time, over and over.
func playDemo(ctx context.Context, url string) error {
	client, err := rtmpclient.Publish(ctx, url, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	start := time.Now()
	for round := uint32(0); ; round++ {
		reader, err := flv.NewReader(strings.NewReader(testdata.DemoFLV))
		if err != nil {
			return err
		}
		for {
			tag, err := reader.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if tag.Type == flv.Script && round > 0 {
				continue
			}
			at := round*demoLength + tag.Timestamp
			select {
			case <-ctx.Done():
				return nil
			case <-client.Done():
				return client.Err()
			case <-time.After(time.Until(start.Add(time.Duration(at) * time.Millisecond))):
			}
			if err := client.Write(tag.Type, at, tag.Data); err != nil {
				return err
			}
		}
	}
}
