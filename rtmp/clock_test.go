package rtmp

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name       string
		timestamps []uint32
		want       []time.Duration
	}{
		{"starts at zero", []uint32{17_000_000, 17_000_033}, []time.Duration{0, 33 * ms}},
		{"audio before video", []uint32{100, 90, 120}, []time.Duration{0, -10 * ms, 20 * ms}},
		{"extended timestamps", []uint32{0xfffffe, 0xffffff, 0x1000000}, []time.Duration{0, ms, 2 * ms}},
		{"wrap", []uint32{math.MaxUint32 - 9, math.MaxUint32, 0, 30}, []time.Duration{0, 9 * ms, 10 * ms, 40 * ms}},
		{"wrap and back", []uint32{math.MaxUint32, 10, math.MaxUint32, 20}, []time.Duration{0, 11 * ms, 0, 21 * ms}},
		{"wrap with tracks interleaved", []uint32{4294967280, 4294967290, 5, 4294967295, 20}, []time.Duration{0, 10 * ms, 21 * ms, 15 * ms, 36 * ms}},
		{"jump forwards", []uint32{0, 3_600_000}, []time.Duration{0, time.Hour}},
		{"jump backwards", []uint32{3_600_000, 0}, []time.Duration{0, -time.Hour}},
		{"the longest jumps", []uint32{0, 1<<31 - 1, 0}, []time.Duration{0, (1<<31 - 1) * ms, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c clock
			if c.now() != 0 {
				t.Error("a clock that was not started shows", c.now())
			}
			var got []time.Duration
			for _, timestamp := range test.timestamps {
				got = append(got, c.at(timestamp))
				if c.now() != got[len(got)-1] {
					t.Error("now is", c.now())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// TestClockManyWraps counts on over several wraps.
func TestClockManyWraps(t *testing.T) {
	var c clock
	var timestamp uint32
	steps := 0
	for want := time.Duration(0); want < 200*24*time.Hour; want += time.Hour {
		if got := c.at(timestamp); got != want {
			t.Fatalf("after %d steps: %v, want %v", steps, got, want)
		}
		timestamp += uint32(time.Hour / time.Millisecond)
		steps++
	}
}
