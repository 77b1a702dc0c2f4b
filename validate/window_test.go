package validate

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	const ms = time.Millisecond
	w := newWindow(time.Second)
	for n := range 100 { // 50 a second
		w.add(time.Duration(n)*20*ms, 1)
	}
	if w.sum != 50 || w.last(5) != 25 {
		t.Errorf("sum %d, newest half %d", w.sum, w.last(5))
	}
	w.add(0, 10) // late: counts as new
	if w.sum != 60 {
		t.Errorf("sum %d", w.sum)
	}
	w.add(time.Hour, 3)
	if w.sum != 3 || w.last(100) != 3 {
		t.Errorf("after a break: sum %d, newest %d", w.sum, w.last(100))
	}
	w.add(1<<62, 3) // in a step, not bucket by bucket
	w.add(-time.Hour, 4)
	if w.sum != 7 {
		t.Errorf("sum %d", w.sum)
	}
}
