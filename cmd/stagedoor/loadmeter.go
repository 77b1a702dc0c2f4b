package main

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

const (
	loadTick = 10 * time.Millisecond
	// loadWindow is how many ticks one judgement takes: half a second's.
	loadWindow = 50
	// maxUsed is the share of the processors that the gateway may use and still let somebody
	// in. Above it queues grow fast, and what newcomers cost shows a moment later.
	maxUsed = 0.85
	// maxLate is how late one tick in ten may come where the gateway uses minUsed or more of
	// the processors itself. Where others use them up, refusing would not help.
	maxLate = 8 * time.Millisecond
	minUsed = 0.5
	// calmWindows is how many good judgements in a row end an overload.
	calmWindows = 10
)

// loadMeter notices when processor time runs short: by how much of it the gateway uses, and
// by how late a clock's ticks are seen, which is how long media waits.
type loadMeter struct {
	late       []time.Duration
	used       func() time.Duration // processor time of this process
	usedThen   time.Duration        // at the last judgement
	judged     time.Time
	calm       int // good judgements since the last bad one
	overloaded atomic.Bool
	worst      atomic.Int64 // the last judgement: what one tick in ten exceeded, in nanoseconds
}

// run measures until the context ends.
func (m *loadMeter) run(ctx context.Context) {
	m.used, m.judged = processCPU, time.Now()
	m.usedThen = m.used()
	tick := time.NewTicker(loadTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case due := <-tick.C:
			now := time.Now()
			m.add(now, now.Sub(due))
		}
	}
}

// add takes how late a tick was.
func (m *loadMeter) add(now time.Time, late time.Duration) {
	m.late = append(m.late, late)
	if len(m.late) < loadWindow {
		return
	}
	slices.Sort(m.late)
	worst := m.late[loadWindow*9/10]
	used := m.used()
	share := float64(used-m.usedThen) / float64(now.Sub(m.judged)) / float64(runtime.GOMAXPROCS(0))
	m.late, m.usedThen, m.judged = m.late[:0], used, now
	m.worst.Store(int64(worst))
	if share > maxUsed || share > minUsed && worst > maxLate {
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
