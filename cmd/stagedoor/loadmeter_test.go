package main

import (
	"runtime"
	"testing"
	"time"
)

func TestLoadMeter(t *testing.T) {
	now, used := time.Now(), time.Duration(0)
	m := &loadMeter{used: func() time.Duration { return used }, judged: now}
	// window lets one judgement pass: so many of its ticks are late, and so much of all
	// processors is used.
	window := func(late time.Duration, of int, share float64) {
		used += time.Duration(share * float64(loadWindow*loadTick) * float64(runtime.GOMAXPROCS(0)))
		for i := range loadWindow {
			now = now.Add(loadTick)
			if i < of {
				m.add(now, late)
			} else {
				m.add(now, time.Millisecond)
			}
		}
	}
	expect := func(what string, want bool) {
		t.Helper()
		if _, got := m.delay(); got != want {
			t.Errorf("%s: overloaded is %v", what, got)
		}
	}
	expect("nothing measured yet", false)
	window(10*maxLate, loadWindow/20, 0.7)
	expect("a few ticks are late", false)
	window(2*maxLate, loadWindow/5, 0.1)
	expect("others use the processors up", false)
	window(2*maxLate, loadWindow/5, 0.7)
	expect("many ticks are late", true)
	if worst, _ := m.delay(); worst != 2*maxLate {
		t.Errorf("the delay is %v", worst)
	}
	for range calmWindows - 1 {
		window(0, 0, 0.2)
	}
	expect("calm, but not for long", true)
	window(0, 0, 0.2)
	expect("calm for long", false)
	window(0, 0, 0.95)
	expect("the processors are used up", true)
}
