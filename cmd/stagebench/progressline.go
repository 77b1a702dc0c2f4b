package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// progressLine shows once a second how a run is going.
type progressLine struct {
	load  *load
	begun time.Time
}

func (p *progressLine) show(ctx context.Context) {
	l := p.load
	var video, behind int
	server, own, at := processTree(l.target.pid), ownCPU(), time.Now()
	for sleep(ctx, time.Second) == nil {
		live, watching := 0, 0
		for _, p := range l.publishers {
			if p.firstSent.Load() != 0 && !p.failed.Load() {
				live++
			}
		}
		for _, v := range l.viewers {
			if !v.seen().firstPicture.IsZero() && !v.failed.Load() {
				watching++
			}
		}
		latest, n := l.tally.video.since(video)
		late, b := l.behind.since(behind)
		video, behind = n, b
		usage, cpu, now := processTree(l.target.pid), ownCPU(), time.Now()
		q, took := measure(latest), now.Sub(at)
		fmt.Fprintf(os.Stderr, "\r%3.0f s  publishers %d/%d  viewers %d/%d  latency p50 %.1f p99 %.1f ms  server %3.0f %% %d MiB  own %3.0f %%, behind p99 %.1f ms \033[K",
			now.Sub(p.begun).Seconds(), live, len(l.publishers), watching, len(l.viewers), q.P50, q.P99,
			100*(usage.cpu-server.cpu).Seconds()/took.Seconds(), usage.rss>>20, 100*(cpu-own).Seconds()/took.Seconds(), measure(late).P99)
		server, own, at = usage, cpu, now
	}
	fmt.Fprintln(os.Stderr)
}
