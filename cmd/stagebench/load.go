package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pkg/errors"
)

// load is one run: the publishers, the viewers, and what they have measured.
type load struct {
	settings *settings
	clip     *clip
	target   *target
	tally    tally
	behind   samples
	joined   samples // offer to first picture of those who join at random

	publishers []*publisher
	viewers    []*viewer
	running    sync.WaitGroup

	mu       sync.Mutex
	failures map[string]int
}

// maxEars bounds how many viewers decode the sound: it costs the tool as much as a stream
// costs the server.
const maxEars = 10

// grace is for what is still on its way when the measurement ends.
const grace = time.Second

func newLoad(s *settings, c *clip, t *target) (*load, error) {
	l := &load{settings: s, clip: c, target: t, failures: make(map[string]int)}
	for i, place := range t.places {
		p := &publisher{place: place, clip: c, ledger: newLedger(c), behind: &l.behind}
		l.publishers = append(l.publishers, p)
		for n := range s.Viewers {
			v := newViewer(p, n, &l.tally)
			if n == 0 && i < maxEars && len(c.onsets) > 0 {
				var err error
				if v.ear, err = newEar(c.loud); err != nil {
					return nil, err
				}
			}
			l.viewers = append(l.viewers, v)
		}
	}
	return l, nil
}

// run goes through the whole run and gives its figures.
func (l *load) run(ctx context.Context) ([]figure, error) {
	ctx, stop := context.WithCancel(ctx)
	defer l.running.Wait()
	defer stop()
	l.startPublishers(ctx)
	l.startViewers(ctx)
	l.background(ctx, l.reports)
	p := &progressLine{load: l, begun: time.Now()}
	l.background(ctx, p.show)

	if err := l.awaitPictures(ctx); err != nil {
		return nil, err
	}
	if err := sleep(ctx, l.settings.Warmup); err != nil {
		return nil, err
	}
	m := l.begin()
	l.joinAtRandom(ctx)
	if err := sleep(ctx, l.settings.Duration); err != nil {
		return nil, err
	}
	m.end()
	if err := sleep(ctx, grace); err != nil {
		return nil, err
	}
	figures := m.figures()
	stop()
	l.running.Wait()
	return figures, nil
}

func (l *load) background(ctx context.Context, f func(context.Context)) {
	l.running.Go(func() { f(ctx) })
}

func (l *load) startPublishers(ctx context.Context) {
	for i, p := range l.publishers {
		wait := l.settings.Ramp * time.Duration(i) / time.Duration(len(l.publishers))
		l.background(ctx, func(ctx context.Context) {
			if sleep(ctx, wait) != nil {
				return
			}
			if err := p.run(ctx); err != nil && ctx.Err() == nil {
				l.fail("publisher", err)
				p.failed.Store(true)
			}
		})
	}
}

// startViewers lets each publisher's first viewer wait for it from the start. The others come
// when the first one sees something.
func (l *load) startViewers(ctx context.Context) {
	each := l.settings.Viewers
	for i, v := range l.viewers {
		first := l.viewers[i-i%each]
		l.background(ctx, func(ctx context.Context) {
			defer v.close()
			for v != first && first.seen().firstPicture.IsZero() {
				if sleep(ctx, 50*time.Millisecond) != nil {
					return
				}
			}
			if v == first {
				if sleep(ctx, l.settings.Ramp*time.Duration(i/each)/time.Duration(len(l.publishers))) != nil {
					return
				}
			} else if sleep(ctx, rand.N(l.settings.Ramp+1)) != nil {
				return
			}
			if err := v.watch(ctx); err != nil && ctx.Err() == nil && !v.publisher.failed.Load() {
				l.fail("viewer", err)
				v.failed.Store(true)
			}
		})
	}
}

// awaitPictures waits until every viewer has a picture, or never will.
func (l *load) awaitPictures(ctx context.Context) error {
	deadline := time.Now().Add(2*l.settings.Ramp + l.settings.Patience)
	for time.Now().Before(deadline) {
		missing := 0
		for _, v := range l.viewers {
			if v.seen().firstPicture.IsZero() && !v.failed.Load() && !v.publisher.failed.Load() {
				missing++
			}
		}
		live := 0
		for _, p := range l.publishers {
			if p.firstSent.Load() != 0 || p.failed.Load() {
				live++
			}
		}
		if missing == 0 && live == len(l.publishers) {
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	l.fail("viewer", errors.New("no picture within the patience"))
	return nil
}

// joinAtRandom lets viewers come for their first picture, spread over the measurement.
func (l *load) joinAtRandom(ctx context.Context) {
	for i := range l.settings.Joins {
		wait := rand.N(l.settings.Duration)
		p := l.publishers[rand.IntN(len(l.publishers))]
		l.background(ctx, func(ctx context.Context) {
			if sleep(ctx, wait) != nil {
				return
			}
			v := newViewer(p, l.settings.Viewers+i, &tally{})
			defer v.close()
			if err := v.connect(ctx); err != nil {
				l.fail("join", err)
				return
			}
			for v.seen().firstPicture.IsZero() {
				if sleep(ctx, 5*time.Millisecond) != nil {
					return
				}
			}
			l.joined.add(v.seen().firstPicture.Sub(v.asked))
		})
	}
}

// reports sends every viewer's receiver reports once a second.
func (l *load) reports(ctx context.Context) {
	for sleep(ctx, time.Second) == nil {
		now := time.Now()
		for _, v := range l.viewers {
			v.report(now)
		}
	}
}

func (l *load) fail(who string, err error) {
	l.mu.Lock()
	l.failures[who+": "+describe(err)]++
	l.mu.Unlock()
}

// sleep waits; it gives the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
