package main

import (
	"slices"
	"time"
)

// measurement is the measured part of a run.
type measurement struct {
	load    *load
	started time.Time
	took    time.Duration
	server  usage
	own     time.Duration
	waiting waiting
	before  []progress
	behind  int
	sent    []int64 // pictures of each publisher, at the end
}

func (l *load) begin() *measurement {
	m := &measurement{load: l}
	for _, v := range l.viewers {
		m.before = append(m.before, v.seen())
	}
	_, m.behind = l.behind.since(0)
	m.waiting, _ = readWaiting()
	m.started, m.own, m.server = time.Now(), ownCPU(), processTree(l.target.pid)
	l.tally.measuring.open()
	return m
}

func (m *measurement) end() {
	l := m.load
	l.tally.measuring.close()
	m.took = time.Since(m.started)
	now := processTree(l.target.pid)
	m.server = usage{cpu: now.cpu - m.server.cpu, rss: now.rss}
	m.own = ownCPU() - m.own
	for _, p := range l.publishers {
		m.sent = append(m.sent, p.ledger.sent.Load())
	}
}

// figures are given after the grace.
func (m *measurement) figures() []figure {
	l := m.load
	seconds := m.took.Seconds()
	var live, watching, pictures, lost, soundLost, unknown int64
	for _, p := range l.publishers {
		if p.firstSent.Load() != 0 && !p.failed.Load() {
			live++
		}
	}
	var firstPicture, firstSound []time.Duration
	for i, v := range l.viewers {
		after, before := v.seen(), m.before[i]
		if after.first < 0 || v.failed.Load() {
			continue
		}
		watching++
		// What was sent up to the end counts, or what has come if that is more.
		until := max(after.last+1, m.sent[i/l.settings.Viewers])
		received := after.received - before.received
		pictures += received
		lost += max(0, l.clip.measured(until)-l.clip.measured(before.last+1)-received)
		soundLost += after.soundLost - before.soundLost
		unknown += after.unknown - before.unknown
		if i%l.settings.Viewers == 0 {
			first := time.Unix(0, v.publisher.firstSent.Load())
			firstPicture = append(firstPicture, after.firstPicture.Sub(first))
			if !after.firstSound.IsZero() {
				firstSound = append(firstSound, after.firstSound.Sub(first))
			}
		}
	}
	figures := []figure{
		{"publishers live", float64(live)},
		{"viewers watching", float64(watching)},
		{"server CPU, ms per stream-second", per(m.server.cpu, seconds, live)},
		{"server CPU, ms per viewer-second", per(m.server.cpu, seconds, watching)},
		{"server memory (RSS), MiB", float64(m.server.rss) / (1 << 20)},
	}
	figures = append(figures, l.latencies()...)
	figures = append(figures,
		figure{"pictures received", float64(pictures)},
		figure{"pictures lost", float64(lost)},
		figure{"pictures unknown", float64(unknown)},
		figure{"audio packets lost", float64(soundLost)},
		figure{"connect to publish accepted p50, ms", measure(l.accepted()).P50},
		figure{"first picture sent to first seen p50, ms", measure(firstPicture).P50},
		figure{"first picture sent to first sound p50, ms", measure(firstSound).P50},
	)
	if joined, n := l.joined.since(0); n > 0 {
		q := measure(joined)
		figures = append(figures, figure{"random joins", float64(n)},
			figure{"offer to first picture p50, ms", q.P50}, figure{"offer to first picture p95, ms", q.P95})
	}
	behind, _ := l.behind.since(m.behind)
	return append(figures,
		figure{"own: publishers behind p99, ms", measure(behind).P99},
		figure{"own: goroutines waiting p99, ms", m.waiting.p99()},
		figure{"own: CPU, cores", m.own.Seconds() / seconds},
	)
}

func (l *load) latencies() []figure {
	video, _ := l.tally.video.since(0)
	audio, _ := l.tally.audio.since(0)
	skew, _ := l.tally.skew.since(0)
	v, a := measure(video), measure(audio)
	figures := []figure{
		{"video latency p50, ms", v.P50}, {"video latency p95, ms", v.P95}, {"video latency p99, ms", v.P99}, {"video latency max, ms", v.Max},
	}
	if len(audio) > 0 {
		figures = append(figures, figure{"audio latency p50, ms", a.P50}, figure{"audio latency p99, ms", a.P99})
	}
	if len(skew) > 0 {
		figures = append(figures, figure{"lip-sync by reports p50, ms", measure(skew).P50})
	}
	return figures
}

func (l *load) accepted() (all []time.Duration) {
	for _, p := range l.publishers {
		if took := time.Duration(p.accepted.Load()); took > 0 {
			all = append(all, took)
		}
	}
	slices.Sort(all)
	return all
}

// per divides CPU time by wall time and streams, in milliseconds.
func per(cpu time.Duration, seconds float64, streams int64) float64 {
	if streams == 0 {
		return 0
	}
	return float64(cpu) / 1e6 / seconds / float64(streams)
}
