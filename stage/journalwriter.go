package stage

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// journalWriter writes entries behind the back of those who record them, so that no
// publisher waits for a disk. Entries are written in the order in which they came.
type journalWriter struct {
	journal Journal
	log     *slog.Logger

	mu      sync.Mutex
	pending []Entry
	waiting []chan struct{} // closed once everything that was pending is written
	wake    chan struct{}
	stop    chan struct{}
	done    chan struct{}
	dropped int
}

// maxPending bounds the entries that wait for a journal that does not keep up.
const maxPending = 100_000

func startJournal(journal Journal, log *slog.Logger) *journalWriter {
	w := &journalWriter{
		journal: journal, log: log,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

func (w *journalWriter) record(e Entry) {
	w.mu.Lock()
	if len(w.pending) < maxPending {
		w.pending = append(w.pending, e)
	} else {
		w.dropped++
	}
	w.mu.Unlock()
	w.signal()
}

func (w *journalWriter) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// flush waits until everything recorded before it is written, or was given up.
func (w *journalWriter) flush(ctx context.Context) error {
	written := make(chan struct{})
	w.mu.Lock()
	w.waiting = append(w.waiting, written)
	w.mu.Unlock()
	w.signal()
	select {
	case <-written:
		return nil
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *journalWriter) close() {
	close(w.stop)
	<-w.done
}

func (w *journalWriter) run() {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
			w.write()
		case <-w.stop:
			w.write()
			return
		}
	}
}

func (w *journalWriter) write() {
	w.mu.Lock()
	entries, waiting, dropped := w.pending, w.waiting, w.dropped
	w.pending, w.waiting, w.dropped = nil, nil, 0
	w.mu.Unlock()
	if dropped > 0 {
		w.log.Error("events were lost: the store did not keep up", "entries", dropped)
	}
	if len(entries) > 0 {
		w.writeWithRetries(entries)
	}
	for _, written := range waiting {
		close(written)
	}
}

// writeWithRetries tries for about a second: a store that is busy for a moment loses
// nothing, one that fails for good does not hold up the rest.
func (w *journalWriter) writeWithRetries(entries []Entry) {
	const tries = 4
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := w.journal.Record(ctx, entries)
		cancel()
		if err == nil {
			return
		}
		if try == tries {
			w.log.Error("events were lost: the store refused them", "entries", len(entries), "err", err)
			return
		}
		time.Sleep(time.Duration(try) * 150 * time.Millisecond)
	}
}
