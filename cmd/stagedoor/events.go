package main

import (
	"context"
	"encoding/json"
	stderrors "errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/events"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

// deliverEvents runs one webhook.
func (a *App) deliverEvents(ctx context.Context, url string) error {
	secret, err := webhookSecret(ctx, a.store)
	if err != nil {
		return err
	}
	webhook := events.Webhook{
		URL: url, Secret: secret, Outbox: a.store, Region: a.settings.Region, Account: a.settings.Account,
		Client: &http.Client{Timeout: 15 * time.Second}, Log: a.log,
	}
	return webhook.Run(ctx)
}

func webhookSecret(ctx context.Context, s store.Store) ([]byte, error) {
	return s.Secret(ctx, "webhooks", 24)
}

// eventsCommand follows the events on a terminal. It reads the data folder; the gateway may
// be running.
type eventsCommand struct {
	Data string `default:"./stagedoor-data" placeholder:"DIR" help:"Data folder of the gateway."`
	All  bool   `help:"Begin with the oldest event that is kept."`
	Once bool   `help:"Print what there is, and end."`
	JSON bool   `name:"json" help:"Print a JSON object a line."`
}

// Run prints events until the context ends.
func (c *eventsCommand) Run(ctx context.Context, o output) error {
	if _, err := os.Stat(filepath.Join(c.Data, databaseFile)); stderrors.Is(err, fs.ErrNotExist) {
		return usagef("--data %s: no gateway has run with this folder yet", c.Data)
	}
	s, err := dataFolder(c.Data).open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var at int64
	if !c.All {
		if at, err = s.LastEvent(ctx); err != nil {
			return err
		}
	}
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		page, err := s.EventsAfter(ctx, at, 1000)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, e := range page {
			at = e.Seq
			if err := c.print(o, e); err != nil {
				return err
			}
		}
		if len(page) > 0 {
			continue
		}
		if c.Once {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *eventsCommand) print(o output, e stage.NumberedEvent) error {
	if c.JSON {
		return json.NewEncoder(o.out).Encode(map[string]any{
			"time": e.Time.UTC().Format(time.RFC3339Nano), "stageArn": e.StageARN, "sessionId": e.SessionID, "participantId": e.ParticipantID,
			"userId": e.UserID, "name": e.Name, "remoteParticipantId": e.RemoteParticipantID, "errorCode": e.Code, "detail": e.Detail,
		})
	}
	fields := []string{
		e.Time.Local().Format("15:04:05.000"), e.StageARN[strings.LastIndexByte(e.StageARN, '/')+1:],
		e.ParticipantID, string(e.Name),
	}
	for _, more := range []string{e.UserID, e.RemoteParticipantID, string(e.Code), e.Detail} {
		if more != "" {
			fields = append(fields, more)
		}
	}
	_, err := fmt.Fprintln(o.out, strings.Join(fields, "  "))
	return err
}
