package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

const (
	loadTick = 10 * time.Millisecond
	// loadWindow is how many ticks one judgement takes: a second's.
	loadWindow = 100
	// maxLate is how late one tick in ten may come. Packets wait for the processor as the
	// ticks do, a picture passes two goroutines, and viewers' players take some 50 ms without
	// harm.
	maxLate = 15 * time.Millisecond
	// calmWindows is how many good judgements in a row end an overload.
	calmWindows = 5
)

// loadMeter notices when the machine is short of processor time, by how late a clock's ticks
// are seen. That is what media suffers from, whoever uses the machine up.
type loadMeter struct {
	late       []time.Duration
	calm       int // good judgements since the last bad one
	overloaded atomic.Bool
	worst      atomic.Int64 // the last judgement: what one tick in ten exceeded, in nanoseconds
}

// run measures until the context ends.
func (m *loadMeter) run(ctx context.Context) {
	tick := time.NewTicker(loadTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case due := <-tick.C:
			m.add(time.Since(due))
		}
	}
}

// add takes how late a tick was.
func (m *loadMeter) add(late time.Duration) {
	m.late = append(m.late, late)
	if len(m.late) < loadWindow {
		return
	}
	slices.Sort(m.late)
	worst := m.late[loadWindow*9/10]
	m.late = m.late[:0]
	m.worst.Store(int64(worst))
	if worst > maxLate {
		m.calm = 0
		m.overloaded.Store(true)
	} else if m.calm++; m.calm >= calmWindows {
		m.overloaded.Store(false)
	}
}

// delay gives how long work waits for a processor, and whether that is too long for another
// publisher. It may be called from any goroutine.
func (m *loadMeter) delay() (time.Duration, bool) {
	return time.Duration(m.worst.Load()), m.overloaded.Load()
}
