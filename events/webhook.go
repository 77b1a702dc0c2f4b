package events

import (
	"bytes"
	"context"
	stderrors "errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
)

// Outbox is where the events come from; package store documents the methods.
type Outbox interface {
	EventsAfter(ctx context.Context, after int64, limit int) ([]stage.NumberedEvent, error)
	LastEvent(ctx context.Context) (int64, error)
	Receiver(ctx context.Context, name string) (int64, error)
	SetReceiver(ctx context.Context, name string, seq int64) error
}

// Webhook delivers events to one URL: in their order, each at least once, with the same id
// at every attempt. What the receiver is done with is kept in the outbox, so that a crash
// loses nothing.
type Webhook struct {
	URL             string
	Secret          []byte // signs every request
	Outbox          Outbox
	Region, Account string
	Client          *http.Client // with a time limit
	Log             *slog.Logger
}

const (
	pollInterval = 500 * time.Millisecond
	firstRetry   = time.Second
	longestRetry = 5 * time.Minute
	// giveUpAfter is how old an event is when the receiver has been out of order for too
	// long; the next one is then tried.
	giveUpAfter = 6 * time.Hour
	// refusedTries is how often an event is offered to a receiver that answers that it does
	// not want it (a 4xx status), so that one such event does not hold up the others.
	refusedTries = 5
	batch        = 100
)

// Run delivers until the context ends. A receiver that is new is told what happens from now
// on.
func (w *Webhook) Run(ctx context.Context) error {
	at, err := w.Outbox.Receiver(ctx, w.name())
	if stderrors.Is(err, stage.ErrNotFound) {
		if at, err = w.Outbox.LastEvent(ctx); err == nil {
			err = w.Outbox.SetReceiver(ctx, w.name(), at)
		}
	}
	if err != nil {
		return err
	}
	for {
		events, err := w.Outbox.EventsAfter(ctx, at, batch)
		if err != nil {
			w.Log.Warn("webhook: events cannot be read; trying again", "to", w.host(), "err", err)
		}
		for i, event := range events {
			_, wanted := told(event.Name)
			if wanted && !w.deliver(ctx, event) {
				return nil
			}
			at = event.Seq
			if wanted || i == len(events)-1 {
				w.done(ctx, at)
			}
		}
		if len(events) < batch && !pause(ctx, pollInterval) {
			return nil
		}
	}
}

// done keeps how far the receiver has come.
func (w *Webhook) done(ctx context.Context, at int64) {
	if err := w.Outbox.SetReceiver(ctx, w.name(), at); err != nil && ctx.Err() == nil {
		w.Log.Warn("webhook: a delivery may be repeated after a restart", "to", w.host(), "err", err)
	}
}

// deliver tries until the receiver has the event, or it is given up. It gives false where
// the context has ended.
func (w *Webhook) deliver(ctx context.Context, event stage.NumberedEvent) bool {
	body, id, err := encode(event, w.Region, w.Account)
	if err != nil {
		w.Log.Error("webhook: event left out", "err", err)
		return true
	}
	wait, refused := firstRetry, 0
	for {
		status, err := w.post(ctx, id, body)
		switch {
		case err == nil && status/100 == 2:
			return true
		case ctx.Err() != nil:
			return false
		case err == nil && final(status):
			refused++
		}
		if refused >= refusedTries || time.Since(event.Time) > giveUpAfter {
			w.Log.Error("webhook: event given up", "to", w.host(), "event", id, "status", status, "err", err)
			return true
		}
		w.Log.Warn("webhook: not delivered; trying again", "to", w.host(), "event", id, "status", status, "err", err, "in", wait)
		if !pause(ctx, wait) {
			return false
		}
		wait = min(2*wait, longestRetry)
	}
}

// final says whether a status means that the receiver does not want the event, rather than
// that it cannot take it now.
func final(status int) bool {
	return status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests
}

func (w *Webhook) post(ctx context.Context, id string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the webhook's URL is malformed")
	}
	now := time.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "stagedoor")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now, 10))
	req.Header.Set("webhook-signature", sign(w.Secret, id, now, body))
	resp, err := w.Client.Do(req)
	if err != nil {
		var detail *url.Error
		if errors.As(err, &detail) { // whose text holds the URL, and with it perhaps a secret
			err = detail.Err
		}
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, nil
}

// name is the receiver's in the outbox; the URL may hold a secret.
func (w *Webhook) name() string { return "webhook:" + w.host() + ":" + ingest.Fingerprint(w.URL) }

func (w *Webhook) host() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
