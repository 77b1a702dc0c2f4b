package sfu

import "sync"

// The bounds of a viewer's queue: about two seconds.
const (
	maxQueuedPictures = 128
	maxQueuedAudio    = 128
	maxQueuedBytes    = 4 << 20
)

// queue holds what a viewer has still to be sent. It is the only queue between a publisher
// and a viewer. put never blocks: when the queue is full, all waiting pictures are dropped and
// further ones up to the next IDR; of audio the oldest is dropped.
type queue struct {
	wake chan struct{} // has an element when there is something to do

	mu      sync.Mutex
	video   fifo
	audio   fifo
	bytes   int  // of video
	needIDR bool // drop pictures up to the next IDR
	dropped uint64
}

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), needIDR: true,
		video: fifo{ring: make([]*unit, maxQueuedPictures)}, audio: fifo{ring: make([]*unit, maxQueuedAudio)}}
}

// put adds a unit. It gives false where a picture was dropped for want of an IDR.
func (q *queue) put(u *unit) bool {
	q.mu.Lock()
	taken := q.putLocked(u)
	q.mu.Unlock()
	if taken {
		q.poke()
	}
	return taken
}

func (q *queue) putLocked(u *unit) bool {
	if u.kind == audio {
		if q.audio.full() {
			q.audio.pop()
			q.dropped++
		}
		q.audio.push(u)
		return true
	}
	if q.video.full() || q.bytes+len(u.data) > maxQueuedBytes && q.bytes > 0 {
		q.dropped += uint64(q.video.count)
		q.clearVideo()
		q.needIDR = true
	}
	if q.needIDR && !u.idr {
		q.dropped++
		return false
	}
	q.needIDR = false
	q.video.push(u)
	q.bytes += len(u.data)
	return true
}

// restart drops the waiting pictures. The next one that is taken is an IDR if needIDR says
// so.
func (q *queue) restart(needIDR bool) {
	q.mu.Lock()
	q.clearVideo()
	q.needIDR = needIDR
	q.mu.Unlock()
	q.poke()
}

func (q *queue) clearVideo() {
	for q.video.count > 0 {
		q.video.pop()
	}
	q.bytes = 0
}

// take gives the oldest unit of the kind, or nil.
func (q *queue) take(k kind) *unit {
	q.mu.Lock()
	defer q.mu.Unlock()
	if k == audio {
		return q.audio.pop()
	}
	u := q.video.pop()
	if u != nil {
		q.bytes -= len(u.data)
	}
	return u
}

// pictures gives how many pictures wait.
func (q *queue) pictures() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.video.count
}

// lost gives how many units were dropped so far.
func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// poke wakes the viewer's goroutine.
func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default: // it will come anyway
	}
}

// fifo is a ring of fixed size.
type fifo struct {
	ring        []*unit
	head, count int
}

func (f *fifo) full() bool { return f.count == len(f.ring) }

func (f *fifo) push(u *unit) {
	f.ring[(f.head+f.count)%len(f.ring)] = u
	f.count++
}

func (f *fifo) pop() *unit {
	if f.count == 0 {
		return nil
	}
	u := f.ring[f.head]
	f.ring[f.head] = nil
	f.head = (f.head + 1) % len(f.ring)
	f.count--
	return u
}
