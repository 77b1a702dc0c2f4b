package transcode

import (
	"math/rand/v2"
	"testing"
	"time"
)

// counted is a clock with a pretended framer: it counts samples and has none.
type counted struct {
	*clock
	t       *testing.T
	pending int // at 48 kHz
	total   int64
	bent    int
	packets int
	first   time.Duration
}

func newCounted(t *testing.T, rate int) *counted {
	c := &counted{clock: newClock(), t: t}
	c.rate = rate
	return c
}

// unit puts an access unit where its timestamp says, as transcoder does.
func (c *counted) unit(pts time.Duration) placement {
	p := c.place(pts)
	switch p {
	case afterGap:
		c.pending += timeSamples(pts - c.head())
		c.rebase(c.rate, c.pending)
		c.total = 0
	case overlapping:
		return p
	case jumped:
		c.jump(pts)
	}
	c.advance(unitSamples)
	out := c.in * outputRate / int64(c.rate)
	c.pending += int(out - c.total)
	c.total = out
	for {
		b := c.bend()
		if c.pending < packetSamples+b {
			break
		}
		c.pending -= packetSamples + b
		if step := b - c.bent; step < -1 || step > 1 || b < -maxBend || b > maxBend {
			c.t.Fatalf("bend %d follows %d", b, c.bent)
		}
		c.bent = b
		out := c.tick(b)
		if c.packets == 0 {
			c.first = out
		}
		if c.packets++; p != jumped && out != c.first+time.Duration(c.packets-1)*packetTime {
			c.t.Fatalf("packet %d at %v, the first at %v", c.packets, out, c.first)
		}
	}
	// Whatever happened, the next sample's place in the output is its publisher's time.
	if off := c.head() - (c.next + samplesTime(int64(lookahead+c.pending), outputRate)); off.Abs() > 25*time.Microsecond {
		c.t.Fatalf("the count is off by %v after %d packets", off, c.packets)
	}
	return p
}

// For hours, sound stays with picture, and nothing is inserted, dropped or jumped over.
func TestClockKeepsSync(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name  string
		rate  int
		hours int
		stamp func(i int, exact time.Duration) time.Duration
		worst time.Duration // deviation, after the first two seconds
		bends bool
	}{
		{"whole milliseconds at 44.1 kHz", 44100, 24, func(_ int, exact time.Duration) time.Duration {
			return exact.Truncate(time.Millisecond)
		}, time.Millisecond, false},
		{"whole milliseconds at 48 kHz", 48000, 24, func(_ int, exact time.Duration) time.Duration {
			return exact.Round(time.Millisecond)
		}, time.Millisecond, false},
		{"23 ms each at 44.1 kHz", 44100, 24, func(i int, _ time.Duration) time.Duration {
			return time.Duration(i) * 23 * time.Millisecond
		}, 16 * time.Millisecond, true},
		{"21 ms each at 48 kHz", 48000, 24, func(i int, _ time.Duration) time.Duration {
			return time.Duration(i) * 21 * time.Millisecond
		}, 22 * time.Millisecond, true},
		{"24 ms at 44.1 kHz every other", 44100, 24, func(i int, _ time.Duration) time.Duration {
			return time.Duration(i)*23*time.Millisecond + time.Duration(i/2)*time.Millisecond
		}, 16 * time.Millisecond, true},
		{"a crystal 100 ppm off", 48000, 24, func(_ int, exact time.Duration) time.Duration {
			return exact + exact/10000
		}, 9 * time.Millisecond, true},
		{"stamped when sent", 48000, 4, func(_ int, exact time.Duration) time.Duration {
			return exact + time.Duration(random.Int64N(int64(30*time.Millisecond)))
		}, 30 * time.Millisecond, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCounted(t, tt.rate)
			var worst time.Duration
			bends := false
			for i := 0; ; i++ {
				exact := samplesTime(int64(i)*unitSamples, tt.rate)
				if exact > time.Duration(tt.hours)*time.Hour {
					break
				}
				pts := time.Hour + tt.stamp(i, exact)
				if exact > 2*time.Second {
					worst = max(worst, (pts - c.head()).Abs())
				}
				if p := c.unit(pts); p != inOrder && i > 0 {
					t.Fatalf("placement %d at %v", p, exact)
				}
				bends = bends || c.bent != 0
			}
			t.Logf("worst deviation %v, %d packets", worst, c.packets)
			if worst > tt.worst || bends != tt.bends {
				t.Errorf("worst deviation %v, want %v; bends %v, want %v", worst, tt.worst, bends, tt.bends)
			}
		})
	}
}

func TestClockPlaces(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		off  time.Duration
		want placement
	}{
		{0, inOrder}, {39 * ms, inOrder}, {41 * ms, afterGap}, {200 * ms, afterGap}, {201 * ms, jumped},
		{time.Hour, jumped}, {-39 * ms, inOrder}, {-41 * ms, overlapping}, {-1000 * ms, overlapping},
		{-1001 * ms, jumped}, {-time.Hour, jumped},
	} {
		c := newCounted(t, 48000)
		for i := range 100 {
			c.unit(2*time.Hour + samplesTime(int64(i)*unitSamples, 48000))
		}
		if got := c.place(c.head() + tt.off); got != tt.want {
			t.Errorf("off by %v: %d, want %d", tt.off, got, tt.want)
		}
	}
}

// An overlap is dropped as a whole, so that little is left for the slow correction.
func TestClockOverlap(t *testing.T) {
	c := newCounted(t, 48000)
	pts := func(i int) time.Duration { return samplesTime(int64(i)*unitSamples, 48000) }
	for i := range 100 {
		c.unit(pts(i))
	}
	for i := 100; ; i++ {
		at := pts(i) - 300*time.Millisecond
		off := at - c.head()
		if c.unit(at) == overlapping {
			continue
		}
		if i < 110 || off.Abs() > 12*time.Millisecond {
			t.Errorf("goes on after %d access units, off by %v", i-100, off)
		}
		for ; i < 200; i++ {
			if p := c.unit(pts(i+1) - 300*time.Millisecond); p != inOrder {
				t.Fatalf("placement %d after the overlap", p)
			}
		}
		return
	}
}

func TestSamplesTime(t *testing.T) {
	for _, rate := range []int{44100, 48000} {
		const days = 1000
		if got := samplesTime(int64(rate)*86400*days, rate); got != days*24*time.Hour {
			t.Errorf("%d Hz: %v", rate, got)
		}
	}
	for n := -5000; n < 5000; n++ {
		if got := timeSamples(samplesTime(int64(n), outputRate)); got != n {
			t.Fatalf("%d samples become %d", n, got)
		}
	}
}
