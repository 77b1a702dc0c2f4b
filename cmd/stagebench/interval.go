package main

import (
	"sync/atomic"
	"time"
)

// interval is the time that is measured: it is opened and closed while packets flow.
type interval struct{ from, to atomic.Int64 } // Unix nanoseconds; 0: not yet

func (i *interval) open()  { i.from.Store(time.Now().UnixNano()) }
func (i *interval) close() { i.to.Store(time.Now().UnixNano()) }

// covers says whether what was sent then is measured.
func (i *interval) covers(t time.Time) bool {
	n, from, to := t.UnixNano(), i.from.Load(), i.to.Load()
	return from != 0 && n >= from && (to == 0 || n < to)
}
