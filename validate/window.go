package validate

import "time"

const bucketSpan = 100 * time.Millisecond

// window adds up amounts over the last stretch of media time, in buckets, so that its
// memory is fixed whatever is sent. It covers the span less up to one bucket: it never
// counts more than the span holds.
type window struct {
	buckets []int64
	head    int64 // number of the newest bucket
	sum     int64
}

func newWindow(span time.Duration) window {
	return window{buckets: make([]int64, span/bucketSpan)}
}

// add counts n at media time t. A time before the newest bucket counts as the newest.
func (w *window) add(t time.Duration, n int64) {
	w.advance(t)
	w.buckets[w.head%int64(len(w.buckets))] += n
	w.sum += n
}

// completes says whether adding at t would begin a new bucket: until then the window holds
// its whole span to the end.
func (w *window) completes(t time.Duration) bool { return int64(t/bucketSpan) > w.head }

func (w *window) advance(t time.Duration) {
	to := int64(t / bucketSpan)
	if to-w.head >= int64(len(w.buckets)) {
		clear(w.buckets)
		w.head, w.sum = to, 0
	}
	for w.head < to {
		w.head++
		i := w.head % int64(len(w.buckets))
		w.sum -= w.buckets[i]
		w.buckets[i] = 0
	}
}

// last adds up the newest n buckets.
func (w *window) last(n int) (sum int64) {
	for i := range int64(min(n, len(w.buckets))) {
		if w.head-i < 0 {
			break
		}
		sum += w.buckets[(w.head-i)%int64(len(w.buckets))]
	}
	return sum
}
