package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// samples is a growing set of durations. Any goroutine may add.
type samples struct {
	mu  sync.Mutex
	all []time.Duration
}

func (s *samples) add(d time.Duration) {
	s.mu.Lock()
	s.all = append(s.all, d)
	s.mu.Unlock()
}

// since gives a copy of what was added after the first n, and how many there are.
func (s *samples) since(n int) ([]time.Duration, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all[min(n, len(s.all)):]), len(s.all)
}

// quantiles of a set of durations, in milliseconds.
type quantiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// measure gives the quantiles; all are 0 where there is no sample.
func measure(all []time.Duration) quantiles {
	slices.Sort(all)
	at := func(q float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return milliseconds(all[min(len(all)-1, int(q*float64(len(all))))])
	}
	return quantiles{Count: len(all), P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// milliseconds gives a duration with microseconds as decimals.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/1e3) / 1e3
}

// median of a set of figures; NaN where there is none.
func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	all = slices.Sorted(slices.Values(all))
	if n := len(all); n%2 == 0 {
		return (all[n/2-1] + all[n/2]) / 2
	}
	return all[len(all)/2]
}
