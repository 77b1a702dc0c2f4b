package main

import (
	"testing"
	"time"
)

func TestLoadMeter(t *testing.T) {
	m := &loadMeter{}
	second := func(late time.Duration, of int) { // so many of the second's ticks are late
		for i := range loadWindow {
			if i < of {
				m.add(late)
			} else {
				m.add(time.Millisecond)
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
	second(maxLate*10, loadWindow/20)
	expect("a few ticks are late", false)
	second(2*maxLate, loadWindow/5)
	expect("many ticks are late", true)
	if worst, _ := m.delay(); worst != 2*maxLate {
		t.Errorf("the delay is %v", worst)
	}
	for range calmWindows - 1 {
		second(0, 0)
	}
	expect("calm, but not for long", true)
	second(0, 0)
	expect("calm for long", false)
}
