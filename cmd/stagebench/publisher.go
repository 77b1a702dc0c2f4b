package main

import (
	"context"
	"crypto/tls"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/internal/rtmpclient"
)

// place is where one publisher goes on stage, and where it is watched.
type place struct {
	publishURL, publishToken string
	watchURL                 string
	watchTokens              []string // one for each viewer, then one for each who joins at random
}

// uplink is a publisher's connection. Time is in milliseconds since its begin.
type uplink interface {
	write(e *event, at uint32) error
	ended() <-chan struct{}
	err() error // why; valid once ended
	close()
}

// publisher sends the clip in real time until it is stopped.
type publisher struct {
	place  place
	clip   *clip
	ledger *ledger

	accepted  atomic.Int64 // nanoseconds from the connection's first packet to "publish"
	firstSent atomic.Int64 // Unix nanoseconds: when the first picture left
	behind    *samples     // how late each message was, by its own clock
	failed    atomic.Bool
}

// run publishes until the context ends.
func (p *publisher) run(ctx context.Context) error {
	started := time.Now()
	up, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer up.close()
	p.accepted.Store(int64(time.Since(started)))
	return p.send(ctx, up)
}

func (p *publisher) connect(ctx context.Context) (uplink, error) {
	if isRTMP(p.place.publishURL) {
		// Like every encoder's test mode: a load tool must not fail on a self-signed certificate.
		client, err := rtmpclient.Publish(ctx, p.place.publishURL, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return nil, err
		}
		return rtmpUplink{client}, nil
	}
	return dialWHIP(ctx, p.clip, p.place.publishURL, p.place.publishToken)
}

func (p *publisher) send(ctx context.Context, up uplink) error {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for round := uint32(0); ; round++ {
		for i := range p.clip.events {
			e := &p.clip.events[i]
			if e.once && round > 0 {
				continue
			}
			at := round*p.clip.length + e.at
			due := start.Add(time.Duration(at) * time.Millisecond)
			timer.Reset(time.Until(due))
			select {
			case <-ctx.Done():
				return nil
			case <-up.ended():
				return up.err()
			case <-timer.C:
			}
			now := time.Now()
			p.behind.add(now.Sub(due))
			p.note(e, now)
			if err := up.write(e, at); err != nil {
				return err
			}
		}
	}
}

// note puts down when a picture or an audio frame leaves. It comes before the writing, so
// that a server that is slow to read shows in the latency.
func (p *publisher) note(e *event, now time.Time) {
	switch {
	case e.number < 0:
	case e.kind == flv.Video:
		p.firstSent.CompareAndSwap(0, now.UnixNano())
		p.ledger.picture(e.number, now)
	default:
		p.ledger.sound(e.number, now)
	}
}

type rtmpUplink struct{ client *rtmpclient.Client }

func (u rtmpUplink) write(e *event, at uint32) error { return u.client.Write(e.kind, at, e.body) }
func (u rtmpUplink) ended() <-chan struct{}          { return u.client.Done() }
func (u rtmpUplink) err() error                      { return u.client.Err() }

// close leaves in good order; a server that does not answer any more is of no interest.
func (u rtmpUplink) close() { _ = u.client.Close() }

// describe words a failure for the report. A refusal is the server's own text.
func describe(err error) string {
	var refused *rtmpclient.Refused
	if errors.As(err, &refused) {
		return "refused: " + refused.Description
	}
	return err.Error()
}
